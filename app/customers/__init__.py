"""Who calls: numbers, parties, identification, merging, search."""
