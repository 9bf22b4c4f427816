"""Where the rows of a live session go: one file per kind of sink, found by walking the folder."""
