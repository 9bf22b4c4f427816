"""Every feature type of the library on one seeded market: values, pictures, docs/features.md."""
