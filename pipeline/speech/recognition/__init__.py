"""Find out what is said, with a time for each word."""
