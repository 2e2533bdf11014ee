"""Who speaks when, what is said, and the two joined."""
