"""The live job: frames to the journal, from there to the same numbers as batch, and out."""
