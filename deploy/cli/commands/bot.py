"""`stemcord bot`: start the Discord bot alone; broker and workers run elsewhere."""

import typer


def bot() -> None:
    """Start the Discord bot; DISCORD_TOKEN and STEMCORD_REDIS_URL must be set."""
    from bot.__main__ import main

    raise typer.Exit(main())
