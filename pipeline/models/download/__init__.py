"""Download weights from hubs."""
