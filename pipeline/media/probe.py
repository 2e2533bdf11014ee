"""What a clip is: tracks, length, where its sound begins, and whether it is whole.

The clip's clock begins with the first picture or the first sample, whichever is earlier.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from av.video.stream import VideoStream as PictureTrack

from pipeline.errors import LimitError, MediaError
from pipeline.graph.stage import ProgressCallback
from pipeline.media import container as containers
from pipeline.media.container import ClipStart, Track
from pipeline.media.pictures import find_picture
from pipeline.media.sound_tracks import choose_track
from pipeline.media.tags import keep_tags
from pipeline.types import AudioStream, MediaInfo, VideoStream


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The description of a clip for people, and what ffmpeg needs to know of it."""

    media: MediaInfo
    sound_index: int
    """Index of the sound track among all streams of the file."""
    picture_index: int | None
    zero: float
    """Where the clip's clock begins on the container's own clock, seconds."""
    speakers: tuple[str, ...]
    """The speaker of each channel by ffmpeg's name; `NONE` where the file does not tell."""
    notes: tuple[str, ...] = ()
    tracks: tuple[Track, ...] = ()
    """All of them, but for cover pictures."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the container says about itself, such as its `title`, without places."""


def check_size(path: Path, max_size: float) -> None:
    """Raise `MediaError` for an empty file, `LimitError` for one over `max_size` bytes."""
    size = path.stat().st_size
    if size == 0:
        raise MediaError("The file is empty.", hint="Send the file again.")
    if size > max_size:
        raise LimitError(
            f"The file has {size / 2**20:.1f} MiB and at most {max_size / 2**20:.1f} MiB are allowed.",
            hint="Send a smaller file, such as the sound alone or a shorter clip.",
        )


def check_duration(duration: float, max_duration: float) -> None:
    """Raise `LimitError` for a clip longer than `max_duration` seconds."""
    if duration > max_duration:
        raise LimitError(
            f"The clip lasts {format_duration(duration)} and at most {format_duration(max_duration)} are allowed.",
            hint="Send a shorter clip.",
        )


def probe(path: Path, report: ProgressCallback | None = None, *, track: int | None = None) -> Probe:
    """Find the tracks of a clip, where they start and how long it is.

    Args:
        path: The clip.
        report: Called now and then.
        track: Number of the sound track to hear, from 1; None: the first one that can be read and is not silent.

    Raises:
        MediaError: The file is no clip, has no sound, or nothing of it can be decoded.
        ValidationError: The sound track that was asked for does not exist or cannot be read.
    """
    with containers.open_container(path) as container:
        chosen = choose_track(path, container, track)
        sound, picture = container.streams.audio[chosen.number - 1], find_picture(container)
        begin = containers.find_start(container, sound, picture)
        declared = containers.declared_end(container, begin.zero)
        audio = _audio_stream(containers.codec_name(sound), begin)
        video = None if picture is None else _video_stream(picture)
        whole = declared is not None and containers.has_packets_until(container, declared)
        name, indices = (
            containers.container_format(container),
            (sound.index, None if picture is None else picture.index),
        )
        tracks, tags = containers.list_tracks(container), keep_tags(container.metadata)
    end = declared if whole and declared is not None else _measured_end(path, report)
    if end <= begin.zero:
        raise MediaError("The clip holds no sound that can be read.", hint="Send the file again.")
    return Probe(
        media=MediaInfo(
            container=name,
            duration=end - begin.zero,
            audio=audio,
            video=video,
            track=chosen.number,
            tracks=chosen.tracks,
        ),
        sound_index=indices[0],
        picture_index=indices[1],
        zero=begin.zero,
        speakers=begin.speakers,
        notes=() if declared is None or whole else (_truncation_note(end - begin.zero, declared - begin.zero),),
        tracks=tracks,
        tags=tags,
    )


def format_duration(seconds: float) -> str:
    """Format seconds for people: `45 s`, `12 min`, `1 h 5 min`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _measured_end(path: Path, report: ProgressCallback | None) -> float:
    with containers.open_container(path) as container:
        return containers.last_packet_end(container, report)


def _truncation_note(found: float, declared: float) -> str:
    return f"The file is cut off: {format_duration(found)} of {format_duration(declared)} could be read."


def _audio_stream(codec: str, begin: ClipStart) -> AudioStream:
    return AudioStream(
        codec=codec,
        sample_rate=begin.sample_rate,
        channels=len(begin.speakers),
        layout=begin.layout,
        start=begin.sound_start - begin.zero,
    )


def _video_stream(picture: PictureTrack) -> VideoStream:
    return VideoStream(
        codec=containers.codec_name(picture),
        width=picture.width,
        height=picture.height,
        frame_rate=float(picture.average_rate or 0),
    )
