"""Quality bits on their way from the wire to a feature's row: one op per file."""
