"""Voice-books as files."""

import contextlib
import math
import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from pipeline.errors import ValidationError
from pipeline.speech.speakers.matching import VOICE_BOOK_VERSION, VoiceBook, check_name

MAX_VOICE_BOOK_BYTES: Final = 16 * 1024 * 1024


def read_book(path: Path) -> VoiceBook:
    """Read a voice-book.

    Raises:
        ValidationError: The file is not a voice-book of this version.
    """
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
            raise _invalid_book(path, "a name has characters that cannot be seen")
        if not abs(math.hypot(*voice.vector) - 1.0) < 0.01 or not 0.0 < voice.seconds < math.inf:
            raise _invalid_book(path, "a vector is not of length 1")
    return book


def write_book(book: VoiceBook, path: Path) -> None:
    """Write a voice-book atomically, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(book))
        Path(draft).replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()


def _invalid_book(path: Path, detail: str) -> ValidationError:
    return ValidationError(
        f"{path.name} is no voice-book: {detail}.",
        hint="Use one that `stemcord voices enrol` wrote.",
        detail=str(path),
    )
