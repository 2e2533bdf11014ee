"""The page of a result: player, mixer, transcript, downloads."""
