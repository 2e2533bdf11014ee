"""Builds the card of a result: what Discord shows of it, part by part; `bot.components.layouts` lays it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

import discord

from bot.i18n.translator import Translator
from bot.messages.embeds import (
    COLOUR_DONE,
    COLOUR_PARTIAL,
    ResultButtons,
    describe_failed_stage,
    loudness_change,
    made_for,
    transcript_lines,
)
from bot.messages.features import NO_FEATURES, Features
from bot.messages.formatting import escape, fit_lines, format_duration, shorten
from pipeline.types import Result, Transcript

MAX_NAME_CHARS: Final = 200
MAX_TRANSCRIPT_LINES: Final = 6
MAX_LINE_CHARS: Final = 220
MAX_TRANSCRIPT_CHARS: Final = 1500
MAX_WARNING_CHARS: Final = 700
"""For what failed, and for what is too large. All texts together stay below the 4,000 characters of a message."""
_VIDEOS: Final = (".mp4", ".webm", ".mov")
_PICTURES: Final = (".png", ".jpg", ".gif", ".webp")
"""Files that Discord shows by itself."""
_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "vocals": "part-voice",
        "background": "part-background",
        "music": "part-music",
        "sfx": "part-sfx",
        "ambient": "part-ambient",
        "audio": "file-audio",
        "final": "file-final",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFile:
    """A file of the message and what it is, in the reader's language; empty for one whose name says it."""

    name: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreOption:
    """Something that is shown in private when it is chosen."""

    value: str
    label: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardMessage:
    """A result as it is shown, without layout."""

    headline: str
    transcript: str
    warnings: str
    galleries: tuple[tuple[str, ...], ...]
    """Names of videos and of pictures; Discord crops what shares a gallery with others."""
    files: tuple[CardFile, ...]
    buttons: ResultButtons
    more: tuple[MoreOption, ...]
    colour: discord.Colour


def result_card(
    translator: Translator,
    name: str,
    user_id: str,
    result: Result,
    *,
    buttons: ResultButtons,
    dubbed: bool = False,
    transcript: Transcript | None = None,
    files: Sequence[str] = (),
    replaced: Sequence[str] = (),
    left_out: Sequence[str] = (),
    no_room: Sequence[str] = (),
    features: Features = NO_FEATURES,
) -> CardMessage:
    """Build the card.

    Args:
        translator: Language of the message.
        name: Name of the clip.
        user_id: Who asked for the job.
        result: The result.
        buttons: Its buttons.
        dubbed: Whether the voices were replaced.
        transcript: Its first lines are shown.
        files: Names of the attached files.
        replaced: Texts about files that are attached as a smaller copy.
        left_out: Texts about files that are too large to be attached.
        no_room: Names of files that are one too many for a message.
        features: What this bot has beside its commands.

    """
    galleries = [[file for file in files if PurePosixPath(file).suffix in kind] for kind in (_VIDEOS, _PICTURES)]
    shown = {file for gallery in galleries for file in gallery}
    listed = [
        CardFile(name=file, label=escape(label_of(translator, file, buttons.speakers)))
        for file in files
        if file not in shown
    ]
    return CardMessage(
        headline=_headline(translator, name, user_id, result, dubbed=dubbed),
        transcript="" if transcript is None else _first_lines(translator, transcript, result),
        warnings=_warnings(translator, result, replaced, left_out, no_room, pages=features.pages),
        galleries=tuple(tuple(gallery) for gallery in galleries if gallery),
        # Sounds, which have a label, before texts.
        files=tuple(sorted(listed, key=lambda file: not file.label)),
        buttons=buttons,
        more=_more(translator, result, features.summarizer if buttons.formats else ""),
        colour=COLOUR_PARTIAL if result.failures else COLOUR_DONE,
    )


def _headline(translator: Translator, name: str, user_id: str, result: Result, *, dubbed: bool) -> str:
    facts = [format_duration(result.media.duration)]
    if result.language is not None:
        # Without speech there is no language.
        facts.append(translator.format("page-speakers", count=len(result.speakers)))
        facts.append(translator.language_name(result.language))
    facts.append(loudness_change(translator, result))
    title = f"### {shorten(escape(name), MAX_NAME_CHARS)}"
    done = made_for(translator, result, user_id, dubbed=dubbed)
    return "\n".join([title, done, f"-# {' · '.join(fact for fact in facts if fact)}"])


def _first_lines(translator: Translator, transcript: Transcript, result: Result) -> str:
    # A result knows the latest names.
    named = replace(transcript, speakers=result.speakers)
    lines = [shorten(line, MAX_LINE_CHARS) for line in transcript_lines(named)]
    text = fit_lines(lines[:MAX_TRANSCRIPT_LINES], MAX_TRANSCRIPT_CHARS)
    left = len(lines) - MAX_TRANSCRIPT_LINES
    return f"{text}\n-# {translator.format('lines-left', count=left)}" if left > 0 else text


def _warnings(
    translator: Translator,
    result: Result,
    replaced: Sequence[str],
    left_out: Sequence[str],
    no_room: Sequence[str],
    *,
    pages: bool,
) -> str:
    lines = [
        f"**{translator.format('field-failed')}:** {describe_failed_stage(translator, f)}" for f in result.failures
    ]
    for key, texts in (("field-smaller", replaced), ("field-large", left_out)):
        lines += [f"**{translator.format(key)}:** {escape(text)}" for text in texts]
    if no_room:
        lines.append(f"**{translator.format('field-no-room')}:** {escape(', '.join(no_room))}")
    if replaced or left_out or no_room:
        lines.append(f"-# {translator.format('whole-on-page' if pages else 'whole-elsewhere')}")
    return fit_lines(lines, MAX_WARNING_CHARS) if lines else ""


def label_of(translator: Translator, file: str, speakers: Mapping[str, str]) -> str:
    """Return what a file or part of a result is; empty for one whose name says it.

    Args:
        translator: Language of the text.
        file: Name of the file or part.
        speakers: Who speaks in each track of a speaker, by its name.

    """
    part = PurePosixPath(file).stem
    key = _LABELS.get(part)
    return speakers.get(part, "") if key is None else translator.format(key)


def _more(translator: Translator, result: Result, summarizer: str) -> tuple[MoreOption, ...]:
    options: list[MoreOption] = []
    if result.notes:
        label = translator.format("more-notes", count=len(result.notes))
        options.append(MoreOption(value="notes", label=label, description=shorten(result.notes[0], 100)))
    if summarizer:
        label, about = translator.format("more-summary"), translator.format("more-summary-about", host=summarizer)
        options.append(MoreOption(value="summary", label=label, description=shorten(about, 100)))
    if result.request.clip_tool is None:
        about = translator.format("more-facts-about")
        options.append(MoreOption(value="facts", label=translator.format("more-facts"), description=about))
    return tuple(options)
