"""What the product proves of itself on a user's own project: equal bits, and no look ahead."""
