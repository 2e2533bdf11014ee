"""Who speaks when in a long clip, found in parts by several workers."""
