"""`/separate` and "Separate this"."""

from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import localised, options
from bot.commands.option_choices import PRESETS, ROUTES, clips_of
from bot.jobs.attachments import clip_of, first_clip
from bot.jobs.submission import Desk
from pipeline.types import Task


def add_separate(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Put the commands into the tree."""

    @tree.command(name=localised("command-separate"), description=localised("command-separate-description"))
    @options(clip="clip", route="route", preset="preset")
    @app_commands.choices(route=ROUTES, preset=PRESETS)
    async def separate(
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        route: str | None = None,
        preset: str | None = None,
    ) -> None:
        await desk.take(interaction, clip_of(clip), Task.SEPARATE, {"route": route, "preset": preset})

    @tree.context_menu(name=localised("menu-separate"))
    async def separate_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await desk.take(interaction, first_clip(clips_of(message)), Task.SEPARATE, {})
