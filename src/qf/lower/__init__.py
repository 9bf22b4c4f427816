"""The two lowerings of one graph: instructions of the machine, and a Polars expression."""
