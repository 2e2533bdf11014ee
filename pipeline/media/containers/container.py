"""Reads containers with PyAV: tracks, time stamps, and the first frame of the sound.

Pictures are never decoded. libav would decode some to fill in what a header leaves out;
an allow list with sound decoders only keeps it from that.
"""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import av
import av.error
import av.logging
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from pipeline.errors import MediaError
from pipeline.media.containers.file_kinds import explain_refusal
from pipeline.media.containers.packet_clock import packet_start, read_packets
from pipeline.media.containers.tags import keep_tags
from pipeline.media.ffmpeg import CONTAINERS, SOUND_DECODERS

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 1_000, 768_000
"""Hz that recordings have; a header that names others is made to cost memory."""
MAX_CHANNELS = 64
_UNRELIABLE_DURATION = ("mp3", "aac", "loas", "amr", "ac3", "eac3", "dts", "mpeg")
"""Containers whose length libav guesses from the bit rate; only their packets tell it."""
_DURATION_FROM_ZERO = ("mov", "matroska")
"""Containers whose length counts from zero and not from the first packet."""
_END_TOLERANCE = (0.25, 0.1, 1.0)
"""What may be missing at the end before a file counts as cut off: at least so many seconds, such a part, at most."""
_LAYOUT_NAMES = MappingProxyType({"1 channels": "mono", "2 channels": "stereo"})
"""Names for the layouts of files that only count their channels."""
_MAX_UNDECODABLE_PACKETS = 200
"""Sound packets that may fail to decode before the first good one."""
UNKNOWN_CODEC = "unknown"
_HEAD_BYTES = 5
PROTECTED_CODECS = frozenset({"drms", "drmi", "enca", "encv"})
"""Tags of tracks with copy protection."""
_HEVC_FIRST_UNITS = (32, 33, 34, 35)
"""Types of the units that an HEVC begins with: parameter sets and a delimiter (ITU-T H.265, table 7-1)."""
_UNKNOWN_STREAM = re.compile(r"^ *Stream #\d+:(\d+)\S*: \w+: none \(([\w. -]{1,8}) / 0x", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipStart:
    """Where sound and picture of a clip begin; times are seconds on the container's own clock."""

    sound_start: float
    """The first sample."""
    picture_start: float | None
    """The first picture that is shown; None without a video track."""
    picture_head: bytes
    """Its first bytes."""
    sample_rate: int
    layout: str
    speakers: tuple[str, ...]
    """By channel; `NONE` in files that only count their channels."""
    continued: bool
    """Whether ffmpeg lets a clock that starts again go on, since such containers often have one."""
    over_full_scale: bool
    """Whether decoded samples can be higher than full scale."""

    @property
    def zero(self) -> float:
        """Return where the clip's clock begins."""
        return self.sound_start if self.picture_start is None else min(self.sound_start, self.picture_start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A stream of a clip."""

    index: int
    """Among all streams of the file."""
    kind: str
    """audio, video, subtitle, data or attachment."""
    codec: str
    tags: Mapping[str, str]
    """What it says about itself, such as its `language`, without places."""


@contextmanager
def open_container(path: Path) -> Generator[InputContainer]:
    """Open a container of an allowed kind.

    Raises:
        MediaError: The file is of another kind or damaged, also when that shows while it is read.
    """
    options = {
        "format_whitelist": ",".join(CONTAINERS),
        "codec_whitelist": ",".join(SOUND_DECODERS),
        "protocol_whitelist": "file",
    }
    try:
        with av.open(str(path.absolute()), options=options, metadata_errors="replace") as container:
            _check_forms(container)
            yield container
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        refusal = explain_refusal(path)
        if refusal is not None:
            raise MediaError(refusal.message, hint=refusal.hint, detail=str(error)) from error
        raise MediaError(
            "The file is no video or sound file, or it is damaged or cut off.", detail=str(error)
        ) from error


def _check_forms(container: InputContainer) -> None:
    """Raise `MediaError` when a sound track claims a rate or a number of channels that no recording has."""
    for stream in container.streams.audio:
        if stream.codec_context is None:  # pyright: ignore[reportUnnecessaryComparison] - None for an unknown codec
            continue
        # Zero: the header does not tell.
        rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
        if (rate and not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE) or channels > MAX_CHANNELS:
            raise MediaError(
                f"The sound claims {channels} channels at {rate} Hz, which cannot be worked on.",
                hint="Re-export the clip with another program and try again.",
            )


def container_format(container: InputContainer) -> str:
    """Return the short name of the container's format, such as `mov` or `matroska`."""
    return container.format.name.partition(",")[0]


def list_tracks(container: InputContainer) -> tuple[Track, ...]:
    """List all streams but cover pictures."""
    names = codec_names(container)
    return tuple(
        Track(index=stream.index, kind=stream.type, codec=names[stream.index], tags=stream_tags(stream))
        for stream in container.streams
        if not stream.disposition & Disposition.attached_pic
    )


def count_chapters(path: Path) -> int:
    """Count the chapters that a clip has itself. Raises `MediaError` for a file that is no clip."""
    with open_container(path) as container:
        return len(container.chapters())


def stream_tags(stream: Stream) -> dict[str, str]:
    """Return what a stream says about itself, without places."""
    return keep_tags(cast("Mapping[str, str]", stream.metadata))  # pyright: ignore[reportUnknownMemberType] - a bare dict


def codec_names(container: InputContainer) -> dict[int, str]:
    """Return the name of each stream's codec by its index; the file's own four letters for one that is not known."""
    names = {stream.index: codec_name(stream) for stream in container.streams}
    return names | (_codec_tags(container) if UNKNOWN_CODEC in names.values() else {})


def _codec_tags(container: InputContainer) -> dict[int, str]:
    """Read the tags of unknown codecs from libav's description of the file, which is where PyAV has them."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        described = str(cast("Any", container).dumps_format())
    finally:
        av.logging.set_level(level)
    return {int(index): tag.strip() for index, tag in _UNKNOWN_STREAM.findall(described)}


def codec_tag(stream: Stream) -> str:
    """Return the four letters by which the file names a codec; empty where they are none, as AVI's numbers."""
    if stream.codec_context is None:  # pyright: ignore[reportUnnecessaryComparison] - None for an unknown codec
        return ""
    try:
        return stream.codec_context.codec_tag
    except UnicodeDecodeError:
        return ""


def codec_name(stream: Stream) -> str:
    """Return the name of a stream's codec, independent of its decoder."""
    if stream.codec_context is None:  # pyright: ignore[reportUnnecessaryComparison] - None for an unknown codec
        return UNKNOWN_CODEC
    return stream.codec_context.codec.canonical_name


def find_start(container: InputContainer, sound: AudioStream, picture: VideoStream | None) -> ClipStart:
    """Read up to the first frame of both tracks.

    Raises:
        MediaError: The clip is protected, or its sound cannot be decoded.
    """
    seen: float | None = None
    head = b""
    first: AudioFrame | None = None
    failed = 0
    for packet in read_packets(container, *(stream for stream in (sound, picture) if stream is not None)):
        if packet.has_sidedata("encryption_info"):
            raise protected_error()
        if packet.stream.index != sound.index:
            # An edit list hides pictures that only serve to decode later ones.
            if seen is None and not packet.is_discard:
                seen, head = packet_start(packet), bytes(packet)[:_HEAD_BYTES]
        elif first is None:
            first = _decode_packet(sound, packet)
            failed += first is None
        if failed > _MAX_UNDECODABLE_PACKETS or (first is not None and (picture is None or seen is not None)):
            break
    if first is None:
        raise MediaError(
            "The sound of this clip cannot be decoded.", hint="Re-export the clip with another program and try again."
        )
    return ClipStart(
        sound_start=first.time or 0.0,
        picture_start=seen,
        picture_head=head,
        sample_rate=first.sample_rate,
        layout=_LAYOUT_NAMES.get(first.layout.name, first.layout.name),
        speakers=tuple(channel.name for channel in first.layout.channels),
        continued=bool(container.format.flags & Flags.ts_discont.value),
        over_full_scale=first.format.name.startswith(("flt", "dbl")),
    )


def find_first_picture(container: InputContainer, picture: VideoStream) -> tuple[float, bytes]:
    """Read up to the first picture that is shown.

    Returns:
        Its time on the container's own clock, seconds, and its first bytes.

    Raises:
        MediaError: The clip is protected, or has no picture with a time.
    """
    for packet in read_packets(container, picture):
        if packet.has_sidedata("encryption_info"):
            raise protected_error()
        start = packet_start(packet)
        # An edit list hides pictures that only serve to decode later ones.
        if start is not None and packet.size and not packet.is_discard:
            return start, bytes(packet)[:_HEAD_BYTES]
    raise MediaError("The clip holds no picture that can be read.", hint="Send the file again.")


def name_picture(container: InputContainer, picture: VideoStream, head: bytes) -> str:
    """Return the name of a picture's codec, also where an AVI calls an H.264 or HEVC raw, as ffmpeg writes the latter.

    Args:
        container: The clip.
        picture: Its picture.
        head: The first bytes of the first one.
    """
    named = codec_name(picture)
    if named != "rawvideo" or container_format(container) != "avi" or not head.startswith(b"\0\0\0\1"):
        return named
    return f"{'hevc' if head[4] >> 1 & 0x3F in _HEVC_FIRST_UNITS else 'h264'} called rawvideo"


def declared_end(container: InputContainer, zero: float) -> float | None:
    """Return where the header says that the clip ends, in seconds; None when it is unreliable."""
    if container_format(container) == "avi":
        # libav's own length is that of what is there.
        counted = (stream.frames * (stream.time_base or 0) for stream in container.streams)
        return max((float(length) for length in counted), default=0.0) or None
    if container.duration is None or container.duration <= 0 or container_format(container) in _UNRELIABLE_DURATION:
        return None
    return container.duration / av.time_base + (0.0 if container_format(container) in _DURATION_FROM_ZERO else zero)


def is_cut_off(found: float, declared: float) -> bool:
    """Tell whether too much is missing between the last packet and the declared end (seconds)."""
    least, part, most = _END_TOLERANCE
    return found < declared - max(least, min(part * declared, most))


def protected_error() -> MediaError:
    """Return the error for a clip with copy protection."""
    return MediaError(
        "The clip has copy protection and cannot be read.",
        hint="Send a clip without it, such as a recording of your own.",
    )


def _decode_packet(sound: AudioStream, packet: "Packet[Stream]") -> AudioFrame | None:
    """Decode the first frame of a packet; None when there is none or it is damaged."""
    try:
        return next(iter(sound.decode(packet)), None)  # pyright: ignore[reportUnknownMemberType] - Packet is generic
    except av.error.FFmpegError:
        return None
