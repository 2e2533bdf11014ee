"""Discord in, Discord out: the bot talks and hands all work to the queue."""
