"""The 40 models of the MedQ-Deg paper (arXiv:2603.07769), tables 2, 3 and 6 and figure 5, as data."""
