"""The shape of every file a user writes: one struct per section, no unknown key accepted."""
