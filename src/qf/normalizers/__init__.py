"""Normalisers: one file each, bar rows in, comparable bar rows out."""
