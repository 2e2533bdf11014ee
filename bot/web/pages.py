"""The page as HTML; Jinja escapes every value."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

import jinja2

from bot.i18n.translator import Translator
from bot.messages.errors import describe_failure, stage_name
from bot.messages.formatting import format_duration, format_size
from bot.web.sources.base import MAX_NAME_CHARS, PageData
from pipeline.languages import main_language
from pipeline.types import Turn

MIXER_STEMS: Final = ("vocals", "background", "music", "sfx", "ambient")
"""Stems in the order of the mixer; the last three are parts of the background."""
MIX_FILES: Final = ("final.mp4", "final.m4a", "final.mp3", "final.opus", "final.flac", "final.wav")
SPEAKER_COLOURS: Final = 6
"""Colours of speakers in the style sheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """Who looks at the page, and with which rights."""

    translator: Translator
    base: str
    """Path of the site, with no slash at its end."""
    nonce: str
    edit: bool = False
    view_only: str = ""
    """The address to give to others; empty where there is none."""
    operator: bool = False
    """Whether it is who runs Stemcord."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A stem on the mixer."""

    part: str
    label: str
    """Key of what it is called."""
    name: str
    url: str
    waveform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSpeaker:
    """A speaker."""

    id: str
    name: str
    colour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file to save."""

    name: str
    url: str
    size: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWord:
    """A word in its place."""

    gap: str
    """What stands before it."""
    text: str
    start: float
    end: float


class PageRenderer:
    """Renders them."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("bot.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def result(self, data: PageData, context: PageContext) -> str:
        """The page of a result."""
        names = data.speakers()
        voices = {
            speaker: PageSpeaker(id=speaker, name=name, colour=number % SPEAKER_COLOURS)
            for number, (speaker, name) in enumerate(names.items())
        }
        return self._templates.get_template("result.html").render(
            context=context,
            translate=context.translator.format,
            clock=format_duration,
            data=data,
            result=data.result,
            failures=[
                (
                    stage_name(failure.stage, context.translator),
                    describe_failure(failure, context.translator, to_operator=context.operator),
                )
                for failure in data.result.failures
            ],
            tracks=mixer_tracks(data),
            video=player_media(data),
            captions=data.result.artefact("transcript.vtt") is not None,
            voices=voices,
            turns=() if data.transcript is None else data.transcript.turns,
            words=turn_words,
            downloads=downloads(data),
            longest=MAX_NAME_CHARS,
            spoken=context.translator.language_name(data.result.language or ""),
            tongue=main_language(data.result.language) or "",
        )

    def failure(self, context: PageContext, status: HTTPStatus, key: str) -> str:
        """A page that says why there is none."""
        return self._templates.get_template("failure.html").render(
            context=context, translate=context.translator.format, status=int(status), key=key
        )


def mixer_tracks(data: PageData) -> list[Track]:
    """The stems that there are; a background alone or vocals alone are no mixer, but can be heard."""
    files = {
        part: artefact
        for part in MIXER_STEMS
        for artefact in data.result.artefacts
        if PurePosixPath(artefact.name).with_suffix("") == PurePosixPath("stems") / part
    }
    return [
        Track(
            part=part,
            label="part-voice" if part == "vocals" else f"part-{part}",
            name=artefact.name,
            url=f"files/{quote(artefact.name)}",
            waveform=f"waveform/{quote(artefact.name)}",
        )
        for part, artefact in files.items()
    ]


def player_media(data: PageData) -> tuple[str, str] | None:
    """URL and kind (`video` or `audio`) of what the player shows: the finished mix, or else the clip."""
    names = [name for name in MIX_FILES if data.result.artefact(name) is not None]
    if not names and data.clip is not None:
        names = [data.clip.name]
    if not names:
        return None
    media_type = data.files()[names[0]].media_type
    kind = "video" if media_type.startswith("video/") and data.result.media.video is not None else "audio"
    return f"files/{quote(names[0])}", kind


def turn_words(turn: Turn) -> list[PageWord]:
    """The words of a turn, with what the turn's own text has between them."""
    found: list[PageWord] = []
    at = 0
    for word in turn.words:
        place = turn.text.find(word.text, at)
        gap = turn.text[at:place] if place >= 0 else " "
        found.append(PageWord(gap=gap, text=word.text, start=word.start, end=word.end))
        at = at if place < 0 else place + len(word.text)
    return found


def downloads(data: PageData) -> list[Download]:
    """All files, the largest group of uses first: mix, stems, transcript, the rest."""

    def place(name: str) -> tuple[int, str]:
        groups = ("final.", "stems/", "transcript.")
        return next((n for n, start in enumerate(groups) if name.startswith(start)), len(groups)), name.lower()

    files: Mapping[str, int] = {name: artefact.size for name, artefact in data.files().items()}
    return [
        Download(name=name, url=f"files/{quote(name)}?save", size=format_size(files[name]))
        for name in sorted(files, key=place)
    ]
