"""Puts the parts of a clip's sound together again."""
