"""Points an unmodified discord.py at the server that the environment names.

Python imports this module at start when its folder is on PYTHONPATH, so the program under test
needs no switch for tests. Three addresses: FAKE_DISCORD_API, FAKE_DISCORD_GATEWAY, FAKE_DISCORD_CDN.
"""

import os

if "FAKE_DISCORD_API" in os.environ:
    import discord.asset
    import discord.gateway
    import discord.http
    import yarl

    discord.http.Route.BASE = os.environ["FAKE_DISCORD_API"]
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["FAKE_DISCORD_GATEWAY"])
    setattr(discord.asset.Asset, "BASE", os.environ["FAKE_DISCORD_CDN"])  # noqa: B010 - typed as one literal
