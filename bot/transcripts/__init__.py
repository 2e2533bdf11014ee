"""Transcripts that people correct: their state at each revision, and the files that follow it."""
