"""Labels: one file each; the only code that may look ahead."""
