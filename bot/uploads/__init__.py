"""Clips that Discord does not take: a page behind a signed link to which they are uploaded, piece by piece."""
