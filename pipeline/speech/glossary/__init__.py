"""Terms that matter to a team, put in place of what a recogniser wrote for them."""
