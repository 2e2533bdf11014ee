"""Putting it all on machines: set-up, everything on one machine, the command line."""
