"""Replaces the soft subtitles in a video that `mux` wrote; picture and sound are copied as they are."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast

from av.stream import Disposition

from pipeline.media.containers.container import Track, open_container
from pipeline.media.containers.tags import write_tags
from pipeline.media.ffmpeg import input_arguments, run_ffmpeg
from pipeline.media.mux import TEXT_SUBTITLE_CODECS, Suffix, container_arguments, header_decoders, subtitle_codec
from pipeline.media.probe import Probe, probe
from pipeline.media.sound.extract import ffmpeg_timeout

_WORD_DECODERS: Final = tuple(dict.fromkeys(name for names in TEXT_SUBTITLE_CODECS.values() for name in names))


def replace_subtitles(
    video: Path, subtitles: Path, target: Path, *, is_ours: Callable[[Sequence[float]], bool]
) -> bool:
    """Write a video again with another text in its first track of subtitles.

    Args:
        video: An mp4 or mkv that `mux` wrote.
        subtitles: An SRT.
        target: The file to write, with the suffix of `video`.
        is_ours: Tells by the times (seconds) at which the cues of the track begin whether it is of the transcript, and
            not a track that the clip had.

    Returns:
        Whether it was written; False for a video that has no subtitles of ours.

    Raises:
        MediaError: The video cannot be read.
        FFmpegError: ffmpeg failed or took too long.
    """
    clip = probe(video)
    suffix: Suffix = "mkv" if video.suffix.lower() == ".mkv" else "mp4"
    old = next((track for track in clip.tracks if track.kind == "subtitle"), None)
    if old is None or old.codec not in TEXT_SUBTITLE_CODECS or not is_ours(_cue_starts(video, clip, old)):
        return False
    inputs = ["-copyts", *input_arguments(video, decoders=(*header_decoders(clip), *_WORD_DECODERS))]
    inputs += ["-protocol_whitelist", "file", "-codec_whitelist", "srt,subrip"]
    inputs += ["-f", "srt", "-i", str(subtitles.absolute())]
    kept = [track for track in clip.tracks if track.kind in ("video", "audio", "subtitle")]
    chosen: list[str] = []
    for track in kept:
        chosen += ["-map", "1:s:0" if track is old else f"0:{track.index}"]
    chosen += ["-c", "copy", "-c:s:0", subtitle_codec("subrip", suffix), "-map_chapters", "0", "-map_metadata:g", "2:g"]
    for index in range(len(kept)):
        chosen += [f"-map_metadata:s:{index}", f"2:s:{index}"]
    chosen += ["-disposition:s:0", "default" if _is_default(video, old) else "0"]
    with tempfile.TemporaryDirectory(prefix="tags-") as folder:
        tags = Path(folder) / "tags"
        write_tags(tags, clip.tags, [track.tags for track in kept])
        inputs += ["-protocol_whitelist", "file", "-f", "ffmetadata", "-i", str(tags)]
        run_ffmpeg(
            [*inputs, *chosen, *container_arguments(clip, suffix), str(target.absolute())],
            timeout=ffmpeg_timeout(clip.media.duration),
        )
    return True


def _is_default(video: Path, track: Track) -> bool:
    with open_container(video) as container:
        return bool(container.streams[track.index].disposition & Disposition.default)


def _cue_starts(video: Path, clip: Probe, track: Track) -> list[float]:
    """Read when the cues of a track begin, in seconds."""
    import pysubs2

    with tempfile.TemporaryDirectory(prefix="cues-") as folder:
        cues = Path(folder) / "cues.srt"
        run_ffmpeg(
            [
                *("-copyts", *input_arguments(video, decoders=_WORD_DECODERS)),
                *("-map", f"0:{track.index}", "-f", "srt", str(cues)),
            ],
            timeout=ffmpeg_timeout(clip.media.duration),
        )
        events = cast("Any", pysubs2).load(str(cues), encoding="utf-8", format_="srt")
    return [float(event.start) / 1000 for event in events]
