"""`/transcribe` and "Transcribe this"."""

from typing import Any

import discord
from discord import app_commands

from bot.clips.attachments import all_clips, clip_from_attachment, clips_of
from bot.commands.localization import help_order, localized, options
from bot.commands.option_choices import PRESETS, offer_languages
from bot.jobs.origins import InteractionOrigin
from bot.services import Services
from pipeline.catalog import MAX_SPEAKERS, MAX_TRACKS
from pipeline.types import Task


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the commands."""

    @tree.command(
        name=localized("command-transcribe"),
        description=localized("command-transcribe-description"),
        extras=help_order(30),
    )
    @options(clip="clip", language="language", speakers="speakers", track="track", preset="preset")
    @app_commands.choices(preset=PRESETS)
    @app_commands.autocomplete(language=offer_languages)
    async def transcribe(
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        language: str | None = None,
        speakers: app_commands.Range[int, 1, MAX_SPEAKERS] | None = None,
        track: app_commands.Range[int, 1, MAX_TRACKS] | None = None,
        preset: str | None = None,
    ) -> None:
        given = {"language": language, "speakers": speakers, "track": track, "preset": preset}
        await services.submitter.submit(interaction, clip_from_attachment(clip), Task.TRANSCRIBE, given)

    @tree.context_menu(name=localized("menu-transcribe"))
    async def transcribe_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await services.batches.submit(InteractionOrigin(interaction), all_clips(clips_of(message)), Task.TRANSCRIBE, {})
