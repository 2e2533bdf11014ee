"""Texts of the interface, by language."""
