"""One module or folder per separation engine."""
