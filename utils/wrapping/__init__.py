"""MedQ-Deg's protocol on other people's lmms-eval tasks: degraded images, T votes, confidence, Calibration Shift."""
