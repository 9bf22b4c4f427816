"""Venues: one pure mapper each, a raw frame in, tape records out."""
