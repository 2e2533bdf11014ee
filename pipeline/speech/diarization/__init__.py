"""Find out who speaks when."""
