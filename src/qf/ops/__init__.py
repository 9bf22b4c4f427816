"""Formula functions: one file each, one table file for the stateless elementwise ones."""
