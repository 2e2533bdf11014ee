"""The subcommands of `stemcord`, one module each."""
