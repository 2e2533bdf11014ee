"""`/process` and "Process this": all of it."""

from typing import Any

import discord
from discord import app_commands

from bot.clips.attachments import all_clips, clip_from_attachment, clips_of
from bot.commands.localization import help_order, localized, options
from bot.commands.option_choices import MIX_PRESETS, PARTS, PRESETS, ROUTES, offer_languages
from bot.jobs.origins import InteractionOrigin
from bot.services import Services
from pipeline.catalog import MAX_SPEAKERS, MAX_TRACKS
from pipeline.types import Task


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the commands."""

    @tree.command(
        name=localized("command-process"), description=localized("command-process-description"), extras=help_order(10)
    )
    @options(
        clip="clip",
        mix="mix",
        language="language",
        speakers="speakers",
        parts="parts",
        speaker_stems="speaker_stems",
        subtitles="subtitles",
        track="track",
        route="route",
        preset="preset",
    )
    @app_commands.choices(mix=MIX_PRESETS, parts=PARTS, route=ROUTES, preset=PRESETS)
    @app_commands.autocomplete(language=offer_languages)
    async def process(
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        mix: str | None = None,
        language: str | None = None,
        speakers: app_commands.Range[int, 1, MAX_SPEAKERS] | None = None,
        parts: str | None = None,
        speaker_stems: bool | None = None,
        subtitles: bool | None = None,
        track: app_commands.Range[int, 1, MAX_TRACKS] | None = None,
        route: str | None = None,
        preset: str | None = None,
    ) -> None:
        given = {
            "mix": mix,
            "language": language,
            "speakers": speakers,
            "parts": parts,
            "speaker_stems": speaker_stems,
            "soft_subtitles": subtitles,
            "track": track,
            "route": route,
            "preset": preset,
        }
        await services.submitter.submit(interaction, clip_from_attachment(clip), Task.ALL, given)

    @tree.context_menu(name=localized("menu-process"))
    async def process_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await services.batches.submit(InteractionOrigin(interaction), all_clips(clips_of(message)), Task.ALL, {})
