"""Jobs and stages as a worker runs them."""
