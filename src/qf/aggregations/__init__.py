"""Bar aggregations: one file each, the ticks of a bar in, one value per bar out."""
