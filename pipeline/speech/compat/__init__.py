"""Workarounds for libraries, each with its cause."""
