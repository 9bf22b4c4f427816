"""Staleness rules: one file each, how old a value may be at a decision."""
