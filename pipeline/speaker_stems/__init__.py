"""The vocals shared out by who speaks, a track for each speaker."""
