"""What proves the promises: the contract suite, seeded markets, planted defects."""
