"""The jobs: one file each, with ours, the peers, and what comes out."""
