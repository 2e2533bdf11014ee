"""`/separate` and "Separate this"."""

from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import help_order, localized, options
from bot.commands.option_choices import PARTS, PRESETS, ROUTES
from bot.jobs.attachments import all_clips, clip_from_attachment, clips_of
from bot.jobs.origins import InteractionOrigin
from bot.services import Services
from pipeline.catalog import MAX_TRACKS
from pipeline.types import Task


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the commands."""

    @tree.command(
        name=localized("command-separate"), description=localized("command-separate-description"), extras=help_order(20)
    )
    @options(clip="clip", parts="parts", track="track", route="route", preset="preset")
    @app_commands.choices(parts=PARTS, route=ROUTES, preset=PRESETS)
    async def separate(
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        parts: str | None = None,
        track: app_commands.Range[int, 1, MAX_TRACKS] | None = None,
        route: str | None = None,
        preset: str | None = None,
    ) -> None:
        given = {"parts": parts, "track": track, "route": route, "preset": preset}
        await services.submitter.submit(interaction, clip_from_attachment(clip), Task.SEPARATE, given)

    @tree.context_menu(name=localized("menu-separate"))
    async def separate_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await services.batches.submit(InteractionOrigin(interaction), all_clips(clips_of(message)), Task.SEPARATE, {})
