"""Where pages take their results from."""
