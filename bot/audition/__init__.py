"""Short samples of the parts of a result, as voice messages that phones play at once."""
