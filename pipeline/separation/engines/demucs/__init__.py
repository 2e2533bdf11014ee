"""Demucs, as an exact stream."""
