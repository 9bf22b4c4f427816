"""Rewrites of the graph: one pass per file, graph in, graph out."""
