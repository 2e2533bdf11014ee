"""Speaker embeddings and the voice-book of known voices."""
