"""A small Discord over real sockets, and the tests that run the bot and its workers against it."""
