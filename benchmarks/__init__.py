"""Ours next to the peers, on the same data in the same run: `make bench`."""
