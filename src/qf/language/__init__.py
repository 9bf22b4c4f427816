"""The formula language: text in, a checked graph with clocks, units and warm-up out."""
