"""The report picture."""
