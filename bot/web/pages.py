"""Renders pages as HTML; Jinja escapes every value."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from bot.i18n.translator import Translator
from bot.messages.errors import describe_failure, stage_name
from bot.messages.formatting import format_duration, format_size
from bot.messages.job_progress import JobProgress
from bot.transcripts.naming import MAX_SPEAKER_NAME_CHARS
from bot.web.sources.base import PageData
from pipeline.languages import main_language, reads_right_to_left
from pipeline.types import Turn

MIXER_STEMS: Final = ("vocals", "background", "music", "sfx", "ambient")
"""In the order of the mixer; the last three are parts of the background."""
MIX_FILES: Final = ("final.mp4", "final.m4a", "final.mp3", "final.opus", "final.flac", "final.wav")
SHARES_FILE: Final = "speaker-stems.json"
"""Who has which share of the vocals when."""
SPEAKER_COLOURS: Final = 6
"""Number of colours of speakers in the style sheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """How and for whom a page is rendered."""

    translator: Translator
    base: str
    """Path of the site, without a slash at its end."""
    nonce: str
    edit: bool = False
    view_only: str = ""
    """Address to share; empty for none."""
    operator: bool = False
    """Whether the reader runs Stemcord."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A stem of the mixer."""

    part: str
    label: str
    """Key of its name."""
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
class SpeakerTrack:
    """A speaker of the mixer."""

    speaker: str
    name: str
    colour: int
    waveform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file to save."""

    name: str
    url: str
    size: str
    speaker: str = ""
    """Whose track it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWord:
    """A word of a turn."""

    gap: str
    """Text before the word."""
    text: str
    start: float
    end: float


class PageRenderer:
    """Renders the pages of results and errors."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("bot.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def result(self, data: PageData, context: PageContext) -> str:
        """Render the page of a result."""
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
                    describe_failure(failure, context.translator, for_operator=context.operator),
                )
                for failure in data.result.failures
            ],
            tracks=mixer_tracks(data),
            speaker_tracks=speaker_tracks(data),
            shares=f"files/{SHARES_FILE}",
            video=player_media(data),
            captions=data.result.artefact("transcript.vtt") is not None,
            voices=voices,
            chapters=() if data.state is None else data.state.chapters,
            turns=() if data.transcript is None else data.transcript.turns,
            words=turn_words,
            reads_right_to_left=reads_right_to_left,
            downloads=downloads(data),
            longest=MAX_SPEAKER_NAME_CHARS,
            spoken=context.translator.language_name(data.result.language or ""),
            tongue=main_language(data.result.language) or "",
        )

    def pending(self, context: PageContext, title: str, progress: JobProgress) -> str:
        """Render the page of a job that still runs."""
        stems = [
            (f"part-{'voice' if part == 'vocals' else part}", f"files/{quote(file.name)}")
            for part in MIXER_STEMS
            for file in progress.files
            if PurePosixPath(file.name).stem == part
        ]
        stages = [(stage_name(stage, context.translator), done) for stage, done in progress.fractions.items()]
        return self._templates.get_template("pending.html").render(
            context=context,
            translate=context.translator.format,
            clock=format_duration,
            title=title,
            stages=stages,
            draft=progress.draft,
            stems=stems,
        )

    def upload(self, context: PageContext, limit: str) -> str:
        """Render the page that takes a clip; `limit`: how large it may be, as text."""
        translate = context.translator.format
        return self._templates.get_template("upload.html").render(context=context, translate=translate, limit=limit)

    def document(self, context: PageContext, html: str) -> str:
        """Render the terms or the privacy policy; `html`: made from Markdown without HTML of its own."""
        return self._templates.get_template("document.html").render(context=context, document=Markup(html))  # noqa: S704

    def failure(self, context: PageContext, status: HTTPStatus, key: str) -> str:
        """Render a page that says why there is no result."""
        return self._templates.get_template("failure.html").render(
            context=context, translate=context.translator.format, status=int(status), key=key
        )


def mixer_tracks(data: PageData) -> list[Track]:
    """Return the stems of a result."""
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


def speaker_tracks(data: PageData) -> list[SpeakerTrack]:
    """Return the speakers whom the vocals were shared out to."""
    result = data.result
    if result.artefact(SHARES_FILE) is None:
        return []
    order = list(data.speakers())
    names = names_of_stems(data)
    return [
        SpeakerTrack(
            speaker=stem.speaker,
            name=names[stem.file],
            colour=(order.index(stem.speaker) if stem.speaker in order else place) % SPEAKER_COLOURS,
            waveform=f"waveform/{quote(stem.file)}",
        )
        for place, stem in enumerate(result.speaker_stems)
        if result.artefact(stem.file) is not None
    ]


def files_with_waveform(data: PageData) -> set[str]:
    """Return the names of the files that the mixer draws."""
    return {track.name for track in mixer_tracks(data)} | {stem.file for stem in data.result.speaker_stems}


def names_of_stems(data: PageData) -> dict[str, str]:
    """Return who speaks in each track of a speaker, by file; who left the transcript is called as the file."""
    names = data.speakers()
    return {stem.file: names.get(stem.speaker) or PurePosixPath(stem.file).stem for stem in data.result.speaker_stems}


def player_media(data: PageData) -> tuple[str, str] | None:
    """Return URL and kind (`video` or `audio`) of what the player plays: what was made, or else the clip."""
    names = [name for name in MIX_FILES if data.result.artefact(name) is not None]
    if data.result.request.clip_tool is not None:
        made = data.result.artefacts[0]
        names = [made.name] if made.media_type.startswith(("video/", "audio/")) else []
    if not names and data.clip is not None:
        names = [data.clip.name]
    if not names:
        return None
    media_type = data.files()[names[0]].media_type
    kind = "video" if media_type.startswith("video/") and data.result.media.video is not None else "audio"
    return f"files/{quote(names[0])}", kind


def turn_words(turn: Turn) -> list[PageWord]:
    """Return the words of a turn, with the text between them."""
    found: list[PageWord] = []
    at = 0
    for word in turn.words:
        place = turn.text.find(word.text, at)
        gap = turn.text[at:place] if place >= 0 else " "
        found.append(PageWord(gap=gap, text=word.text, start=word.start, end=word.end))
        at = at if place < 0 else place + len(word.text)
    return found


def downloads(data: PageData) -> list[Download]:
    """Return all files: mixes, stems, transcripts, then the rest."""

    def place(name: str) -> tuple[int, str]:
        groups = ("final.", "stems/", "transcript.")
        return next((n for n, start in enumerate(groups) if name.startswith(start)), len(groups)), name.lower()

    files: Mapping[str, int] = {name: artefact.size for name, artefact in data.files().items()}
    whose = names_of_stems(data)
    return [
        Download(name=name, url=f"files/{quote(name)}?save", size=format_size(files[name]), speaker=whose.get(name, ""))
        for name in sorted(files, key=place)
    ]
