"""`/dub`."""

from typing import Any

import discord
from discord import app_commands

from bot.clips.attachments import clip_from_attachment
from bot.commands.localization import help_order, localized, options
from bot.commands.option_choices import PRESETS, ROUTES
from bot.services import Services
from pipeline.catalog import MAX_GAIN, MAX_TRACKS
from pipeline.types import Task


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""

    @tree.command(
        name=localized("command-dub"), description=localized("command-dub-description"), extras=help_order(50)
    )
    @options(clip="clip", dub="dub", background="background", track="track", route="route", preset="preset")
    @app_commands.choices(route=ROUTES, preset=PRESETS)
    async def dub_clip(
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        dub: discord.Attachment,
        background: app_commands.Range[float, 0.0, MAX_GAIN] | None = None,
        track: app_commands.Range[int, 1, MAX_TRACKS] | None = None,
        route: str | None = None,
        preset: str | None = None,
    ) -> None:
        given = {"background": background, "track": track, "route": route, "preset": preset}
        await services.submitter.submit(
            interaction, clip_from_attachment(clip), Task.REMIX, given, clip_from_attachment(dub)
        )
