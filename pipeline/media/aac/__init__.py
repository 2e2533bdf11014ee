"""AAC encoding, in pieces on all processors."""
