"""`/separate` and "Separate this"."""

from typing import Any

import discord
from discord import app_commands

from bot.clips.attachments import MAX_LINK_CHARS, all_clips, clip_from_attachment, clip_from_link, clips_of
from bot.commands.localization import help_order, localized, options
from bot.commands.option_choices import PARTS, PRESETS, ROUTES
from bot.exceptions import RefusedError
from bot.jobs.origins import InteractionOrigin
from bot.services import Services
from pipeline.catalog import MAX_TRACKS
from pipeline.types import Task


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the commands."""
    if services.settings.link_hosts:
        _add_with_links(tree, services)
    else:
        _add(tree, services)

    @tree.context_menu(name=localized("menu-separate"))
    async def separate_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await services.batches.submit(InteractionOrigin(interaction), all_clips(clips_of(message)), Task.SEPARATE, {})


def _add(tree: app_commands.CommandTree[Any], services: Services) -> None:
    @tree.command(
        name=localized("command-separate"), description=localized("command-separate-description"), extras=help_order(20)
    )
    @options(clip="clip", parts="parts", speaker_stems="speaker_stems", track="track", route="route", preset="preset")
    @app_commands.choices(parts=PARTS, route=ROUTES, preset=PRESETS)
    async def separate(
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        parts: str | None = None,
        speaker_stems: bool | None = None,
        track: app_commands.Range[int, 1, MAX_TRACKS] | None = None,
        route: str | None = None,
        preset: str | None = None,
    ) -> None:
        given = {"parts": parts, "speaker_stems": speaker_stems, "track": track, "route": route, "preset": preset}
        await services.submitter.submit(interaction, clip_from_attachment(clip), Task.SEPARATE, given)


def _add_with_links(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command with a link as another way to name the clip."""

    @tree.command(
        name=localized("command-separate"), description=localized("command-separate-description"), extras=help_order(20)
    )
    @options(
        clip="clip",
        link="link",
        parts="parts",
        speaker_stems="speaker_stems",
        track="track",
        route="route",
        preset="preset",
    )
    @app_commands.choices(parts=PARTS, route=ROUTES, preset=PRESETS)
    async def separate(
        interaction: discord.Interaction[Any],
        clip: discord.Attachment | None = None,
        link: app_commands.Range[str, 1, MAX_LINK_CHARS] | None = None,
        parts: str | None = None,
        speaker_stems: bool | None = None,
        track: app_commands.Range[int, 1, MAX_TRACKS] | None = None,
        route: str | None = None,
        preset: str | None = None,
    ) -> None:
        if (clip is None) == (link is None):
            raise RefusedError("clip-or-link", "clip-or-link-hint")
        given = {"parts": parts, "speaker_stems": speaker_stems, "track": track, "route": route, "preset": preset}
        chosen = clip_from_attachment(clip) if link is None else clip_from_link(link)
        await services.submitter.submit(interaction, chosen, Task.SEPARATE, given)
