"""Networks that give masks, their spectra and their weights on disk."""
