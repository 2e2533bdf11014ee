"""The commands people type or choose, one group a module."""
