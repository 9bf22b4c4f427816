"""A checked graph in, a program for the machine or a Polars query out."""
