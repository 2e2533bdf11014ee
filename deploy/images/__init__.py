"""Builds the container images with buildah, with the standard library alone."""
