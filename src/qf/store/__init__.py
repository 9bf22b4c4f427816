"""The tables on disk: one DuckDB file per project, written by one process, read by anybody."""
