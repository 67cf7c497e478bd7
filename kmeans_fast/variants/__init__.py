"""Clusterings beyond the mean: one estimator a file, each on what `_base.py` shares; loaded when it is used."""
