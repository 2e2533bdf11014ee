"""`/clip`: tools that make one file out of a clip; their options are numbers, times and choices."""

from collections.abc import Mapping
from typing import Any

import discord
from discord import app_commands

from bot.clips.attachments import clip_from_attachment
from bot.commands.localization import help_order, localized, options
from bot.commands.option_choices import (
    CAPTION_PLACES,
    CAPTION_SIZES,
    FITS,
    LOOP_FORMATS,
    PICTURE_FORMATS,
    SOUND_FORMATS,
    TURNS,
    offer_languages,
)
from bot.services import Services
from pipeline.catalog import MAX_TRACKS
from pipeline.clip_options import parse_tool
from pipeline.types import Task

TrackNumber = app_commands.Range[int, 1, MAX_TRACKS]
Width = app_commands.Range[int, 16, 4096]
Time = app_commands.Range[str, 1, 16]
"""As people write it; it is read as a number, or refused."""


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""
    tree.add_command(ClipCommands(services))


class ClipCommands(app_commands.Group):
    """`/clip cut`, `resize`, `fps`, `turn`, `audio`, `frame`, `sheet`, `gif` and `captions`."""

    def __init__(self, services: Services) -> None:
        super().__init__(
            name=localized("command-clip"),
            description=localized("command-clip-description"),
            extras=help_order(60),
        )
        self._services = services

    async def _use(
        self,
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        name: str,
        given: Mapping[str, object],
        *,
        track: int | None = None,
        language: str | None = None,
    ) -> None:
        tool = parse_tool(name, given)
        usual = {"track": track, "language": language}
        await self._services.submitter.submit(interaction, clip_from_attachment(clip), Task.CLIP, usual, tool=tool)

    @app_commands.command(name=localized("command-cut"), description=localized("command-cut-description"))
    @options(clip="clip", start="from", end="until", quick="quick", track="track")
    async def cut(
        self,
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        start: Time | None = None,
        end: Time | None = None,
        quick: bool | None = None,
        track: TrackNumber | None = None,
    ) -> None:
        """Keep a stretch."""
        await self._use(interaction, clip, "cut", {"from": start, "to": end, "quick": quick}, track=track)

    @app_commands.command(name=localized("command-resize"), description=localized("command-resize-description"))
    @options(clip="clip", width="width", height="height", fit="fit", track="track")
    @app_commands.choices(fit=FITS)
    async def resize(
        self,
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        width: Width | None = None,
        height: Width | None = None,
        fit: str | None = None,
        track: TrackNumber | None = None,
    ) -> None:
        """Give the picture another size."""
        await self._use(interaction, clip, "resize", {"width": width, "height": height, "fit": fit}, track=track)

    @app_commands.command(name=localized("command-fps"), description=localized("command-fps-description"))
    @options(clip="clip", rate="rate", track="track")
    async def change_rate(
        self,
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        rate: app_commands.Range[float, 1, 120],
        track: TrackNumber | None = None,
    ) -> None:
        """Show another number of pictures a second."""
        await self._use(interaction, clip, "fps", {"fps": rate}, track=track)

    @app_commands.command(name=localized("command-turn"), description=localized("command-turn-description"))
    @options(clip="clip", turn="turn", track="track")
    @app_commands.choices(turn=TURNS)
    async def turn(
        self,
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        turn: str,
        track: TrackNumber | None = None,
    ) -> None:
        """Turn or mirror the picture."""
        await self._use(interaction, clip, "turn", {"turn": turn}, track=track)

    @app_commands.command(name=localized("command-audio"), description=localized("command-audio-description"))
    @options(clip="clip", form="sound_format", start="from", end="until", track="track")
    @app_commands.choices(form=SOUND_FORMATS)
    async def take_sound(
        self,
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        form: str | None = None,
        start: Time | None = None,
        end: Time | None = None,
        track: TrackNumber | None = None,
    ) -> None:
        """Keep the sound alone."""
        await self._use(interaction, clip, "audio", {"from": start, "to": end, "format": form}, track=track)

    @app_commands.command(name=localized("command-frame"), description=localized("command-frame-description"))
    @options(clip="clip", at="at", form="picture_format")
    @app_commands.choices(form=PICTURE_FORMATS)
    async def take_frame(
        self,
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        at: Time | None = None,
        form: str | None = None,
    ) -> None:
        """Keep the picture that is shown at a time."""
        await self._use(interaction, clip, "frame", {"at": at, "format": form})

    @app_commands.command(name=localized("command-sheet"), description=localized("command-sheet-description"))
    @options(clip="clip", columns="columns", rows="rows", form="picture_format")
    @app_commands.choices(form=PICTURE_FORMATS)
    async def draw_sheet(
        self,
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        columns: app_commands.Range[int, 1, 8] | None = None,
        rows: app_commands.Range[int, 1, 10] | None = None,
        form: str | None = None,
    ) -> None:
        """Put pictures from all over the clip into one."""
        await self._use(interaction, clip, "sheet", {"columns": columns, "rows": rows, "format": form})

    @app_commands.command(name=localized("command-gif"), description=localized("command-gif-description"))
    @options(clip="clip", start="from", end="until_loop", width="loop_width", rate="loop_rate", form="loop_format")
    @app_commands.choices(form=LOOP_FORMATS)
    async def make_loop(
        self,
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        start: Time | None = None,
        end: Time | None = None,
        width: app_commands.Range[int, 32, 1080] | None = None,
        rate: app_commands.Range[float, 1, 30] | None = None,
        form: str | None = None,
    ) -> None:
        """Make a picture that moves and plays by itself."""
        given = {"from": start, "to": end, "width": width, "fps": rate, "format": form}
        await self._use(interaction, clip, "gif", given)

    @app_commands.command(name=localized("command-captions"), description=localized("command-captions-description"))
    @options(clip="clip", language="language", highlight="highlight", place="place", size="caption_size", track="track")
    @app_commands.choices(place=CAPTION_PLACES, size=CAPTION_SIZES)
    @app_commands.autocomplete(language=offer_languages)
    async def burn_captions(
        self,
        interaction: discord.Interaction[Any],
        clip: discord.Attachment,
        language: str | None = None,
        highlight: bool | None = None,
        place: str | None = None,
        size: str | None = None,
        track: TrackNumber | None = None,
    ) -> None:
        """Write what is said into the picture."""
        given = {"highlight": highlight, "place": place, "size": size}
        await self._use(interaction, clip, "captions", given, track=track, language=language)
