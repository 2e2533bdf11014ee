"""What follows an edited transcript in a result's folder: the subtitles in the video, and `result.json`."""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from pipeline.errors import ValidationError
from pipeline.types import Artefact, MediaInfo
from pipeline.types.edited import EditedResult, EditedTranscript, OriginalResult

VIDEO_NAMES: Final = ("final.mp4", "final.mkv")
_CUE_TOLERANCE_S: Final = 0.005
"""Seconds; subtitles in a video have whole milliseconds."""


class _ResultMedia(msgspec.Struct, frozen=True):
    """Of a `result.json`, what tells of the clip."""

    media: MediaInfo


def write_videos(folder: Path, made: Path, transcript: EditedTranscript) -> tuple[str, ...]:
    """Write the videos of a result again with the subtitles `transcript.srt` that were made.

    Args:
        folder: Of the result.
        made: Folder with the new SRT, in which the videos are written.
        transcript: The edited one.

    Returns:
        Notes for people.

    Raises:
        MediaError: A video cannot be read.
        FFmpegError: ffmpeg failed or took too long.
    """
    from pipeline.media.subtitle_track import replace_subtitles

    return tuple(
        f"{name} has no subtitles of this transcript, so it is as it was."
        for name in VIDEO_NAMES
        if (folder / name).is_file()
        and not replace_subtitles(folder / name, made / "transcript.srt", made / name, is_ours=_cues_of(transcript))
    )


def read_frame_rate(folder: Path) -> float | None:
    """Return the frame rate of the clip of a result; None where it has no picture or nothing tells it."""
    path = folder / "result.json"
    try:
        result = msgspec.json.decode(path.read_bytes(), type=_ResultMedia)
    except (OSError, msgspec.DecodeError):
        return None
    return None if result.media.video is None else result.media.video.frame_rate


def write_result_json(folder: Path, made: Path, out: Path, transcript: EditedTranscript) -> None:
    """Write `result.json` with the speakers and files as they are now, and what they were.

    Args:
        folder: Of the result; without a `result.json` nothing is written.
        made: Folder with all other new files, in which it is written.
        out: Where the new files go.
        transcript: The edited one.

    Raises:
        ValidationError: The file is no result.
    """
    path = folder / "result.json"
    if not path.is_file():
        return
    try:
        result = msgspec.json.decode(path.read_bytes(), type=EditedResult)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValidationError(
            f"{path.name} is not whole: {error}.", hint="Make it again with `stemcord run`, or take it away."
        ) from error
    written = {each.name: each for each in made.iterdir()}
    now = tuple(
        _measure(artefact, written[artefact.name]) if artefact.name in written else artefact
        for artefact in result.artefacts
        if artefact.name in written or (out / artefact.name).is_file()
    )
    changed = {artefact.name for artefact in now} - {artefact.name for artefact in result.artefacts if artefact in now}
    earlier = () if result.original is None else result.original.artefacts
    known = {artefact.name for artefact in earlier}
    replaced = tuple(each for each in result.artefacts if each.name in changed - known)
    original = OriginalResult(speakers=transcript.before().speakers, artefacts=(*earlier, *replaced))
    there = {artefact.name for artefact in now}
    stems = tuple(stem for stem in result.speaker_stems if stem.file in there)
    edited = replace(result, speakers=transcript.speakers, artefacts=now, speaker_stems=stems, original=original)
    (made / path.name).write_bytes(msgspec.json.format(msgspec.json.encode(edited), indent=2))


def _measure(artefact: Artefact, path: Path) -> Artefact:
    """Return what an artefact is that was written again."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return replace(artefact, digest=digest, size=path.stat().st_size)


def _cues_of(transcript: EditedTranscript) -> Callable[[Sequence[float]], bool]:
    """Make a test for a track of subtitles: at least half of its cues begin where a word of the transcript does."""
    turns = (*transcript.turns, *transcript.before().turns)
    known = sorted({word.start for turn in turns for word in turn.words})
    silent = not transcript.before().turns

    def is_ours(starts: Sequence[float]) -> bool:
        if silent and list(starts) == [0.0]:
            return True
        near = sum(_is_near(start, known) for start in starts)
        return bool(starts) and 2 * near >= len(starts)

    return is_ours


def _is_near(time: float, known: Sequence[float]) -> bool:
    index = bisect_left(known, time - _CUE_TOLERANCE_S)
    return index < len(known) and known[index] <= time + _CUE_TOLERANCE_S
