"""`/remix` and "Remix this"."""

from typing import Any

import discord
from discord import app_commands

from bot import texts
from bot.commands.choices import PRESETS, ROUTES, clips_of
from bot.desk import Desk
from bot.intake import clip_of, first_clip
from pipeline.catalog import MAX_GAIN
from pipeline.types import Task


def add_remix(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Put the commands into the tree."""

    @tree.command(name="remix", description=texts.REMIX)
    @app_commands.describe(
        clip=texts.OPTION_CLIP,
        voice=texts.OPTION_VOICE,
        background=texts.OPTION_BACKGROUND,
        route=texts.OPTION_ROUTE,
        preset=texts.OPTION_PRESET,
    )
    @app_commands.choices(route=ROUTES, preset=PRESETS)
    async def remix(
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        voice: app_commands.Range[float, 0.0, MAX_GAIN] | None = None,
        background: app_commands.Range[float, 0.0, MAX_GAIN] | None = None,
        route: str | None = None,
        preset: str | None = None,
    ) -> None:
        options = {"voice": voice, "background": background, "route": route, "preset": preset}
        await desk.take(interaction, clip_of(clip), Task.REMIX, options)

    @tree.context_menu(name=texts.REMIX_THIS)
    async def remix_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await desk.take(interaction, first_clip(clips_of(message)), Task.REMIX, {})
