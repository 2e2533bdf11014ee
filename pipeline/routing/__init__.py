"""Choose the separation route by what a clip sounds like."""
