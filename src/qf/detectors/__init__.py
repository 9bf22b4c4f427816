"""Detectors: one file each, a column in, a score and an alarm out."""
