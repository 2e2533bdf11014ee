"""`/transcribe` and "Transcribe this"."""

from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import localised, options
from bot.commands.option_choices import PRESETS, clips_of, offer_languages
from bot.jobs.attachments import clip_of, first_clip
from bot.jobs.submission import Desk
from pipeline.catalog import MAX_SPEAKERS
from pipeline.types import Task


def add_transcribe(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Put the commands into the tree."""

    @tree.command(name=localised("command-transcribe"), description=localised("command-transcribe-description"))
    @options(clip="clip", language="language", speakers="speakers", preset="preset")
    @app_commands.choices(preset=PRESETS)
    @app_commands.autocomplete(language=offer_languages)
    async def transcribe(
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        language: str | None = None,
        speakers: app_commands.Range[int, 1, MAX_SPEAKERS] | None = None,
        preset: str | None = None,
    ) -> None:
        given = {"language": language, "speakers": speakers, "preset": preset}
        await desk.take(interaction, clip_of(clip), Task.TRANSCRIBE, given)

    @tree.context_menu(name=localised("menu-transcribe"))
    async def transcribe_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await desk.take(interaction, first_clip(clips_of(message)), Task.TRANSCRIBE, {})
