"""Names speakers: a private list with a sample of each, “This is me”, and forms with the members of the server."""
