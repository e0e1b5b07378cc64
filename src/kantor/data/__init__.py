"""Scores -> batches: augmentation, windows, padding. Torch begins in ``batches.py``."""
