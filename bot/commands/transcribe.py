"""`/transcribe` and "Transcribe this"."""

from typing import Any

import discord
from discord import app_commands

from bot import texts
from bot.commands.choices import PRESETS, clips_of, offer_languages
from bot.desk import Desk
from bot.intake import clip_of, first_clip
from pipeline.catalog import MAX_SPEAKERS
from pipeline.types import Task


def add_transcribe(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Put the commands into the tree."""

    @tree.command(name="transcribe", description=texts.TRANSCRIBE)
    @app_commands.describe(
        clip=texts.OPTION_CLIP,
        language=texts.OPTION_LANGUAGE,
        speakers=texts.OPTION_SPEAKERS,
        preset=texts.OPTION_PRESET,
    )
    @app_commands.choices(preset=PRESETS)
    @app_commands.autocomplete(language=offer_languages)
    async def transcribe(
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        language: str | None = None,
        speakers: app_commands.Range[int, 1, MAX_SPEAKERS] | None = None,
        preset: str | None = None,
    ) -> None:
        options = {"language": language, "speakers": speakers, "preset": preset}
        await desk.take(interaction, clip_of(clip), Task.TRANSCRIBE, options)

    @tree.context_menu(name=texts.TRANSCRIBE_THIS)
    async def transcribe_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await desk.take(interaction, first_clip(clips_of(message)), Task.TRANSCRIBE, {})
