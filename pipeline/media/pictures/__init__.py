"""Pictures of a clip: which are a video, and when each one is shown."""
