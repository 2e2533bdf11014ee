"""Chooses the route of a clip: what is measured of its sound, and the rule that decides."""
