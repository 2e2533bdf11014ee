"""What networks are trained on: packages, what they hold, and the cache of it."""
