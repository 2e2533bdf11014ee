"""`/remix` and "Remix this"."""

from typing import Any

import discord
from discord import app_commands

from bot.clips.attachments import all_clips, clip_from_attachment, clips_of
from bot.commands.localization import help_order, localized, options
from bot.commands.option_choices import LOUDNESS, MIX_PRESETS, PRESETS, ROUTES
from bot.jobs.origins import InteractionOrigin
from bot.services import Services
from pipeline.catalog import MAX_GAIN, MAX_TRACKS
from pipeline.types import Task


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the commands."""

    @tree.command(
        name=localized("command-remix"), description=localized("command-remix-description"), extras=help_order(40)
    )
    @options(
        clip="clip",
        mix="mix",
        loudness="loudness",
        voice="voice",
        background="background",
        music="music",
        sfx="sfx",
        ambient="ambient",
        subtitles="subtitles",
        track="track",
        route="route",
        preset="preset",
    )
    @app_commands.choices(mix=MIX_PRESETS, loudness=LOUDNESS, route=ROUTES, preset=PRESETS)
    async def remix(
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        mix: str | None = None,
        loudness: str | None = None,
        voice: app_commands.Range[float, 0.0, MAX_GAIN] | None = None,
        background: app_commands.Range[float, 0.0, MAX_GAIN] | None = None,
        music: app_commands.Range[float, 0.0, MAX_GAIN] | None = None,
        sfx: app_commands.Range[float, 0.0, MAX_GAIN] | None = None,
        ambient: app_commands.Range[float, 0.0, MAX_GAIN] | None = None,
        subtitles: bool | None = None,
        track: app_commands.Range[int, 1, MAX_TRACKS] | None = None,
        route: str | None = None,
        preset: str | None = None,
    ) -> None:
        faders = {"voice": voice, "background": background, "music": music, "sfx": sfx, "ambient": ambient}
        chosen = {"mix": mix, "loudness": loudness, "track": track, "route": route, "preset": preset}
        given = {**chosen, **faders, "soft_subtitles": subtitles}
        await services.submitter.submit(interaction, clip_from_attachment(clip), Task.REMIX, given)

    @tree.context_menu(name=localized("menu-remix"))
    async def remix_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await services.batches.submit(InteractionOrigin(interaction), all_clips(clips_of(message)), Task.REMIX, {})
