"""Transcripts read from files and checked, and their speakers renamed."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from pipeline.errors import ValidationError
from pipeline.export.escaping import clean, rttm_label
from pipeline.types import Diarization, Speaker, SpeakerSegment, Transcript
from pipeline.types.edited import EditedTranscript

MAX_TRANSCRIPT_BYTES: Final = 64 * 1024 * 1024
"""Bytes; a day of talk has about 30 MB."""
MAX_TIME_SECONDS: Final = 100 * 3600.0
"""Seconds."""
MAX_NAME_CHARS: Final = 100
"""Characters."""
T = TypeVar("T")


def read_transcript(path: Path) -> Transcript:
    """Read and check a `transcript.json`.

    Raises:
        ValidationError: The file is no transcript, or its times or speakers make no sense.
    """
    transcript = _read(path, Transcript)
    _check_transcript(transcript, path)
    return transcript


def read_edited(path: Path) -> EditedTranscript:
    """Read and check a `transcript.json` with what it was before edits, where it has that.

    Raises:
        ValidationError: As `read_transcript`, also of the original.
    """
    edited = _read(path, EditedTranscript)
    _check_transcript(edited.current(), path)
    if edited.original is not None:
        _check_transcript(edited.before(), path)
        speakers = {speaker.id for speaker in edited.original.speakers}
        if any(each.speaker not in speakers or not _is_span(each.start, each.end) for each in edited.original.voices):
            raise _invalid_transcript(path, "the voices of the original do not fit it")
    return edited


def read_voices(path: Path, transcript: Transcript) -> Diarization:
    """Read the `voices.json` that belongs to a transcript.

    Raises:
        ValidationError: The file is no diarization, or does not fit the transcript.
    """
    voices = _read(path, Diarization)
    speakers = {speaker.id for speaker in transcript.speakers}
    if any(each.speaker not in speakers or not _is_span(each.start, each.end) for each in voices.segments):
        raise _invalid_transcript(path, "it does not fit its transcript")
    return voices


def read_voices_beside(transcript: Transcript, folder: Path) -> Diarization:
    """Find when each speaker is heard, for a transcript in a folder.

    The times are those of the folder's `transcript.rttm`, or those of the turns where that does not fit.
    """
    ids = {label: speaker for speaker, label in rttm_labels(transcript).items()}
    path = folder / "transcript.rttm"
    try:
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
        segments = tuple(
            SpeakerSegment(start=float(row[3]), end=round(float(row[3]) + float(row[4]), 3), speaker=ids[row[7]])
            for row in rows
        )
    except (UnicodeDecodeError, LookupError, ValueError):
        segments = ()
    if not segments or not all(_is_span(each.start, each.end) for each in segments):
        segments = tuple(
            SpeakerSegment(start=turn.start, end=turn.end, speaker=turn.speaker) for turn in transcript.turns
        )
    return Diarization(speakers=tuple(ids.values()), segments=segments, exclusive=())


def rttm_labels(transcript: Transcript) -> dict[str, str]:
    """Return the RTTM label of each speaker, by id; speakers of the same name get different labels."""
    labels = {speaker.id: rttm_label(speaker.name) for speaker in transcript.speakers}
    taken = list(labels.values())
    return {key: label if taken.count(label) == 1 else f"{label}_{rttm_label(key)}" for key, label in labels.items()}


def rename_speakers(transcript: Transcript, names: Mapping[str, str]) -> Transcript:
    """Give speakers other names.

    Args:
        transcript: The transcript.
        names: New names by the id or the name of a speaker.

    Raises:
        ValidationError: There is no such speaker, or a name cannot be used.
    """
    given = {_find_speaker(transcript, key).id: check_name(name) for key, name in names.items()}
    speakers = tuple(replace(each, name=given.get(each.id, each.name)) for each in transcript.speakers)
    return replace(transcript, speakers=speakers)


def check_name(name: str) -> str:
    """Return a name as one clean line.

    Raises:
        ValidationError: The name is empty or too long.
    """
    cleaned = clean(name)
    if not cleaned or len(cleaned) > MAX_NAME_CHARS:
        raise ValidationError(
            "A speaker's name has no letters." if not cleaned else f"A speaker's name has {len(cleaned)} characters.",
            hint=f"Give each name 1 to {MAX_NAME_CHARS} characters.",
        )
    return cleaned


def _find_speaker(transcript: Transcript, key: str) -> Speaker:
    """Find a speaker by id, or else by a name that only one has."""
    found = [each for each in transcript.speakers if each.id == key]
    found = found or [each for each in transcript.speakers if each.name == key]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{each.id} ({clean(each.name)})" for each in transcript.speakers) or "nobody"
    reason = "is not one speaker's name alone" if found else "is no speaker of this transcript"
    raise ValidationError(f"{clean(key)!r} {reason}.", hint=f"It has {known}.")


def _check_transcript(transcript: Transcript, path: Path) -> None:
    speakers = {speaker.id for speaker in transcript.speakers}
    if len(speakers) < len(transcript.speakers):
        raise _invalid_transcript(path, "two speakers have the same id")
    if any(turn.speaker not in speakers for turn in transcript.turns):
        raise _invalid_transcript(path, "a turn belongs to nobody")
    if any(not _is_span(start, end) for start, end in _all_spans(transcript)):
        raise _invalid_transcript(path, "a time is impossible")


def _read(path: Path, kind: type[T]) -> T:
    try:
        if path.stat().st_size > MAX_TRANSCRIPT_BYTES:
            raise _invalid_transcript(path, f"it has more than {MAX_TRANSCRIPT_BYTES // 1024**2} MB")
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise ValidationError(
            f"{path.name} cannot be read.", hint="Name a result's folder or its transcript.json.", detail=str(error)
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid_transcript(path, str(error)) from error


def _invalid_transcript(path: Path, detail: str) -> ValidationError:
    return ValidationError(
        f"{path.name} is not a whole transcript: {detail}.",
        hint="Make it again with `stemcord run`, or undo the changes made by hand.",
        detail=str(path),
    )


def _all_spans(transcript: Transcript) -> Iterator[tuple[float, float]]:
    yield 0.0, transcript.duration
    for turn in transcript.turns:
        yield turn.start, turn.end
        yield from ((word.start, word.end) for word in turn.words)


def _is_span(start: float, end: float) -> bool:
    return math.isfinite(start) and math.isfinite(end) and -1.0 <= start <= end <= MAX_TIME_SECONDS
