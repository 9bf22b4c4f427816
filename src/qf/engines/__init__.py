"""The four batch stages: ingest, state, label, feature."""
