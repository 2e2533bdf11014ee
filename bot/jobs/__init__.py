"""Jobs from a person's clip to the delivered result."""
