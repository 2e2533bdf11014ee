"""What goes with a server's clips so that names and terms are spelled right."""
