"""Subtitles: cues cut from a transcript, their lines, their look, and the formats that have them."""
