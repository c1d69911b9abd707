"""Estimators of confidence, calibration metrics, clustered intervals and paired comparisons, on plain arrays."""
