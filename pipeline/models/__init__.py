"""The models: which are published where, and how their files are fetched, verified and loaded."""
