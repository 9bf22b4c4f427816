"""The tape: reading captures and archives, writing and merging in arrival order."""
