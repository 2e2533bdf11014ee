"""Run broker and workers on one machine."""
