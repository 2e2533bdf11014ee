"""Spleeter, two stems."""
