"""The sound of a clip as samples and files: its clock, channels, loudness and encoders."""
