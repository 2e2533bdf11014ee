"""The weights: what is published where, how it is fetched, and how it is told from other bytes."""
