"""Samples: reading, writing, channels, levels, peaks."""
