"""What containers hold: tracks, tags, lengths and time stamps."""
