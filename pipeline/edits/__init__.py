"""Edits of a transcript: a small list of operations that is kept beside it and applied again as far as it fits."""
