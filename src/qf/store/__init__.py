"""Where tables go: DuckDB and Parquet."""
