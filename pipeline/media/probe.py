"""What a clip is: tracks, length, where its sound begins, and whether it is whole.

The clip's clock begins with the first picture or the first sample, whichever is earlier.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from av.video.stream import VideoStream as PictureTrack

from pipeline.catalog import MAX_DURATION
from pipeline.errors import LimitError, MediaError
from pipeline.graph.stage import ProgressCallback
from pipeline.media.containers import container as containers
from pipeline.media.containers.container import ClipStart, Track
from pipeline.media.containers.joined_files import find_second_movie, may_restart
from pipeline.media.containers.loose_samples import count_loose_bytes
from pipeline.media.containers.packet_clock import PacketEnds, read_ends, tail_ends
from pipeline.media.containers.raw_frames import RAW_CONTAINERS, RawDamage, find_damage
from pipeline.media.containers.sound_tracks import choose_track, list_sound_tracks
from pipeline.media.containers.tags import keep_tags
from pipeline.media.pictures.covers import find_picture
from pipeline.types import NO_SOUND, AudioStream, MediaInfo, VideoStream

MAX_SAMPLES = int(MAX_DURATION * 8 * 96_000)
"""Samples of all channels that may be decoded: the longest clip with eight channels at 96 kHz."""
NO_STREAM = -1
"""Index of the sound track of a clip without one."""
_INDEXED_CONTAINERS = ("matroska", "avi")
"""Containers that may hold much else after the last packet: an index, fonts, pictures."""
_MIN_UNREAD_BYTES = 1 << 15
"""Bytes after the last packet from which they are told of, ..."""
_MIN_UNREAD_SHARE = 0.05
"""... if they are more than this part of what comes before: tags and covers are less."""
_MIN_TAIL_PACKETS = 5
"""Fewer packets near the end may be stamps that lie far off rather than sound or pictures."""
_CUT_PADDING_S = 0.5
"""Seconds of pictures that an mp4 may hold beyond its end: a cut without encoding keeps what others are made from."""
_END_PADDING_S = 0.1
"""Seconds by which a declared end may differ from that of the last packet: an encoder fills that up with silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The description of a clip for people, and what ffmpeg needs to know of it."""

    media: MediaInfo
    sound_index: int
    """Index of the sound track among all streams of the file; `NO_STREAM` for a clip without one."""
    picture_index: int | None
    zero: float
    """Where the clip's clock begins on the container's own clock, seconds."""
    speakers: tuple[str, ...]
    """The speaker of each channel by ffmpeg's name; `NONE` where the file does not tell."""
    sound_end: float
    """Where the last packet of the sound ends on the clip's clock, seconds; 0 where that is not known."""
    over_full_scale: bool = False
    """Whether decoded samples can be higher than full scale."""
    continued: bool = False
    """Whether ffmpeg lets the clock of such a container go on where it starts again."""
    restarts: tuple[float, ...] = ()
    """Where the container's clock starts again, seconds on the clip's clock; no place can be sought then."""
    strays: tuple[float, ...] = ()
    """Time stamps of the sound that are wrong, seconds on the container's own clock."""
    damage: RawDamage | None = None
    """What is no frame between the frames of a sound without time stamps."""
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


def check_samples(audio: AudioStream, duration: float) -> None:
    """Raise `LimitError` for a sound of more samples than may be decoded, all channels together."""
    if audio.channels * audio.sample_rate * duration > MAX_SAMPLES:
        form = f"{audio.channels} channels at {audio.sample_rate / 1000:g} kHz"
        raise LimitError(f"{format_duration(duration)} of {form} are too much sound.", hint="Send a shorter clip.")


def probe(path: Path, report: ProgressCallback | None = None, *, track: int | None = None) -> Probe:
    """Find the tracks of a clip, where they start and how long it is.

    Args:
        path: The clip.
        report: Called now and then.
        track: Number of the sound track to hear, from 1; None: the first one that can be read and is not silent.

    Raises:
        MediaError: The file is no clip, has no sound, or nothing of it can be decoded.
        LimitError: It holds more samples than may be decoded.
        ValidationError: The sound track that was asked for does not exist or cannot be read.
    """
    with containers.open_container(path) as container:
        chosen = choose_track(path, container, track)
        sound, picture = container.streams.audio[chosen.number - 1], find_picture(container)
        begin = containers.find_start(container, sound, picture)
        declared = containers.declared_end(container, begin.zero)
        audio = _audio_stream(containers.codec_name(sound), begin)
        codec = "" if picture is None else containers.name_picture(container, picture, begin.picture_head)
        video = None if picture is None else _video_stream(picture, codec)
        name = containers.container_format(container)
        sound_index, picture_index = sound.index, None if picture is None else picture.index
        tracks, tags = containers.list_tracks(container), keep_tags(container.metadata)
        ends = None if declared is None or may_restart(path, name) else tail_ends(container, sound.index, declared)
    if ends is None or declared is None or _is_doubtful(ends, declared):
        ends = _read_all_ends(path, sound_index, report)
    ends, damage = _look_for_damage(path, name, ends)
    duration = _choose_end(ends, declared, begin.zero, indexed=name == "mov") - begin.zero
    check_samples(audio, duration)
    return Probe(
        media=MediaInfo(
            container=name, duration=duration, audio=audio, video=video, track=chosen.number, tracks=chosen.tracks
        ),
        sound_index=sound_index,
        picture_index=picture_index,
        zero=begin.zero,
        speakers=begin.speakers,
        sound_end=max(0.0, ends.sound - begin.zero),
        over_full_scale=begin.over_full_scale,
        continued=begin.continued,
        restarts=tuple(restart - begin.zero for restart in ends.restarts),
        strays=ends.strays,
        damage=damage,
        notes=_notes(path, name, ends, zero=begin.zero, declared=declared),
        tracks=tracks,
        tags=tags,
    )


def probe_any(path: Path, report: ProgressCallback | None = None, *, track: int | None = None) -> Probe:
    """Probe a clip as `probe` does, also one without a sound that can be read: its `media.audio` is `NO_SOUND`.

    Raises:
        MediaError: The file is no clip, or has neither sound nor picture.
        LimitError: It holds more samples than may be decoded.
        ValidationError: The sound track that was asked for does not exist or cannot be read.
    """
    with containers.open_container(path) as container:
        tracks = list_sound_tracks(container)
        protected = any(each.codec in containers.PROTECTED_CODECS for each in tracks)
        if track is not None or protected or any(each.readable for each in tracks):
            return probe(path, report, track=track)
        picture = find_picture(container)
        if picture is None:
            raise MediaError("The file has neither a sound nor a picture that can be read.", hint="Send another clip.")
        zero, head = containers.find_first_picture(container, picture)
        declared = containers.declared_end(container, zero)
        video = _video_stream(picture, containers.name_picture(container, picture, head))
        name, index = containers.container_format(container), picture.index
        others, tags = containers.list_tracks(container), keep_tags(container.metadata)
    ends = _read_all_ends(path, NO_STREAM, report)
    duration = _choose_end(ends, declared, zero, indexed=name == "mov") - zero
    lost = ", ".join(dict.fromkeys(each.codec for each in tracks))
    return Probe(
        media=MediaInfo(container=name, duration=duration, audio=NO_SOUND, video=video, tracks=tracks),
        sound_index=NO_STREAM,
        picture_index=index,
        zero=zero,
        speakers=(),
        sound_end=0.0,
        restarts=tuple(restart - zero for restart in ends.restarts),
        notes=(f"The sound is in a format that cannot be read ({lost}); it is left out.",) if lost else (),
        tracks=others,
        tags=tags,
    )


def format_duration(seconds: float) -> str:
    """Format seconds for people: `45 s`, `12 min`, `1 h 5 min`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _read_all_ends(path: Path, sound_index: int, report: ProgressCallback | None) -> PacketEnds:
    with containers.open_container(path) as container:
        return read_ends(container, sound_index, report)


def _look_for_damage(path: Path, container: str, ends: PacketEnds) -> tuple[PacketEnds, RawDamage | None]:
    """Look for damage where stamps do not tell it, and correct the ends by it."""
    if container not in RAW_CONTAINERS or ends.first_byte is None:
        return ends, None
    damage = find_damage(path, ends.first_byte)
    if damage is None:
        return ends, None
    return replace(ends, clip=damage.whole_duration, sound=damage.whole_duration), damage


def _choose_end(ends: PacketEnds, declared: float | None, zero: float, *, indexed: bool) -> float:
    padding = _CUT_PADDING_S if indexed else _END_PADDING_S
    agrees = declared is not None and -_END_PADDING_S <= ends.clip - declared <= padding
    end = declared if declared is not None and agrees else ends.clip
    if end <= zero:
        raise MediaError("The clip holds no sound that can be read.", hint="Send the file again.")
    return end


def _is_doubtful(ends: PacketEnds, declared: float) -> bool:
    """Tell whether a file must be read from its beginning, since its end is not as its header says."""
    few = ends.packets < _MIN_TAIL_PACKETS
    return bool(ends.restarts) or bool(ends.strays) or few or ends.broken or containers.is_cut_off(ends.clip, declared)


def _notes(path: Path, container: str, ends: PacketEnds, *, zero: float, declared: float | None) -> tuple[str, ...]:
    """Say in sentences for people what is unusual about the file, and what of it is left out."""
    notes: list[str] = []
    if ends.restarts:
        notes.append("The clip is several recordings put together; they are taken one after the other.")
    unread = _unread_bytes(path, container, ends)
    if unread:
        size = f"{unread / 2**20:.1f} MiB"
        notes.append(f"The last {size} of the file hold no sound that can be read; they are left out.")
    elif (loose := _loose_seconds(path, container, ends)) >= _END_PADDING_S:
        notes.append(f"The last {loose:.1f} s lie behind the end that the file declares; they are left out.")
    elif declared is not None and not ends.restarts and not ends.strays and containers.is_cut_off(ends.clip, declared):
        found, whole = format_duration(ends.clip - zero), format_duration(declared - zero)
        notes.append(f"The file is cut off: {found} of {whole} could be read.")
    return tuple(notes)


def _unread_bytes(path: Path, container: str, ends: PacketEnds) -> int:
    """Count the bytes at the end of a file that hold something and are not read."""
    size = path.stat().st_size
    if container == "mov":
        second = find_second_movie(path)
        return size - second if second is not None and second >= ends.read_bytes else 0
    unread = size - ends.read_bytes
    told = max(_MIN_UNREAD_BYTES, _MIN_UNREAD_SHARE * ends.read_bytes)
    return unread if container not in _INDEXED_CONTAINERS and unread > told else 0


def _loose_seconds(path: Path, container: str, ends: PacketEnds) -> float:
    """Return the seconds of samples behind the declared end of a sound."""
    return count_loose_bytes(path, container, ends.read_bytes) * ends.sound / max(1, ends.read_bytes)


def _audio_stream(codec: str, begin: ClipStart) -> AudioStream:
    return AudioStream(
        codec=codec,
        sample_rate=begin.sample_rate,
        channels=len(begin.speakers),
        layout=begin.layout,
        lead_in=begin.sound_start - begin.zero,
    )


def _video_stream(picture: PictureTrack, codec: str) -> VideoStream:
    return VideoStream(
        codec=codec,
        width=picture.width,
        height=picture.height,
        frame_rate=float(picture.average_rate or 0),
    )
