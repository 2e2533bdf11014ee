"""Join words and speakers into turns."""
