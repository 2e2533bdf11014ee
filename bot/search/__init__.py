"""Search in transcripts: an index that follows them, what people ask, and what they may see."""
