"""A transcript and its sound as files that people and other programs open."""
