"""A dub in place of the vocals: placed, fitted, matched in loudness, reported."""
