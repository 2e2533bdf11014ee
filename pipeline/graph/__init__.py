"""The graph of stages, and what a stage is."""
