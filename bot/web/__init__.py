"""The page of a result: player, mixer, transcript, downloads; on the team's server or on one's own machine."""
