"""Voice-books as files, and the stage that names a clip's speakers by one."""

import contextlib
import math
import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from pipeline.errors import ValidationError
from pipeline.graph.stage import StageContext, StageMetadata
from pipeline.speech.speakers.matching import VOICE_BOOK_VERSION, VoiceBook, check_name, match_speakers

MAX_VOICE_BOOK_BYTES: Final = 16 * 1024 * 1024
"""Bytes."""


def identify_stage(work: StageContext) -> StageMetadata:
    """Name the voices of `embeddings` that `book` knows; facts: `names` by speaker's id, `notes` on how sure.

    Raises `ValidationError` for a broken book and for one of another model.
    """
    clip, book = read_book(work.inputs["embeddings"]), read_book(work.inputs["book"])
    matches = match_speakers(clip, book)
    names = {speaker: found.name for speaker, found in matches.items() if found.name is not None}
    notes = [f"{speaker} is {name} ({matches[speaker].confidence:.0%} sure)." for speaker, name in names.items()]
    notes += [
        f"{speaker} may be {found.nearest} ({found.confidence:.0%} sure), too little to say so."
        for speaker, found in matches.items()
        if found.name is None and found.nearest is not None and found.confidence >= 0.5
    ]
    return {"names": msgspec.to_builtins(names), "notes": msgspec.to_builtins(notes)}


def read_book(path: Path) -> VoiceBook:
    """A voice-book; raises `ValidationError` when the file is none."""
    try:
        if path.stat().st_size > MAX_VOICE_BOOK_BYTES:
            raise _invalid_book(path, "it is too large")
        book = msgspec.json.decode(path.read_bytes(), type=VoiceBook)
    except OSError as error:
        raise ValidationError(
            f"The voice-book {path.name} cannot be read.",
            hint="Make one with `stemcord voices enrol`.",
            detail=str(error),
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid_book(path, str(error)) from error
    if book.version != VOICE_BOOK_VERSION:
        raise _invalid_book(path, f"it has version {book.version}, not {VOICE_BOOK_VERSION}")
    lengths = {len(voice.vector) for voice in book.voices}
    if len(lengths) > 1 or 0 in lengths:
        raise _invalid_book(path, "its vectors differ in length")
    for voice in book.voices:
        if check_name(voice.name) != voice.name:
            raise _invalid_book(path, "a name has signs that cannot be seen")
        if not abs(math.hypot(*voice.vector) - 1.0) < 0.01 or not 0.0 < voice.seconds < math.inf:
            raise _invalid_book(path, "a vector is none")
    return book


def write_book(book: VoiceBook, path: Path) -> None:
    """Write the book, whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, part = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(msgspec.json.encode(book))
        Path(part).replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(part).unlink()


def _invalid_book(path: Path, detail: str) -> ValidationError:
    return ValidationError(
        f"{path.name} is no voice-book: {detail}.",
        hint="Use one that `stemcord voices enrol` wrote.",
        detail=str(path),
    )
