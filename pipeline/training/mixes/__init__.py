"""Mixes made on the fly of the material."""
