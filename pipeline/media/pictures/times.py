"""When each picture is shown, where the container does not say so.

AVI, and Matroska in its compatibility mode for it, keep pictures in the order in which they are decoded, without
the times at which they are shown. Where pictures are shown in another order (B-frames), the times are worked out:
the picture that is shown as the nth one is shown when the nth one is decoded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from pipeline.errors import MediaError
from pipeline.media.containers.container import codec_tag, container_format, open_container
from pipeline.media.containers.packet_clock import packet_start, read_packets
from pipeline.media.ffmpeg import input_arguments, run_ffmpeg
from pipeline.media.pictures.order import SHOW_ORDERS, clear_packed_mark, is_mpeg4_key, unpack_pictures
from pipeline.media.probe import Probe
from pipeline.media.sound.extract import ffmpeg_timeout

_NATIVE_TAG = "\0\0\0\0"
"""The codec tag of Matroska's own modes, where a time is that at which a picture is shown."""


TICK_S = 0.0005
"""Seconds by which two times may differ that are the same."""
_MAX_LATE_PACKETS = 64
"""Packets after a time before which one of an earlier time may still come, where they have no decoding times."""
_UNINDEXED_CONTAINERS = ("mpegts", "flv")
"""Containers in which libav finds a time but not the key frame before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSource:
    """Where ffmpeg reads a picture from, so that each one has the time at which it is shown."""

    path: Path
    """The clip, or a file with its picture alone."""
    index: int
    """Of the picture among the streams of that file."""
    output_arguments: tuple[str, ...] = ()
    zero: float = 0.0
    """Where the clip's clock begins on that of the file, seconds."""


def restore_times(source: Path, clip: Probe, folder: Path) -> PictureSource:
    """Choose how the picture of a clip is read.

    Args:
        source: The clip.
        clip: What `probe` found; it has a picture.
        folder: For a copy, where one is needed.

    Raises:
        MediaError: The picture is damaged.
    """
    codec = "" if clip.media.video is None else clip.media.video.codec
    index = clip.picture_index or 0
    # In Matroska no picture of a GIF is marked as one to begin with.
    keep = ("-copyinkf:v",) if codec == "gif" else ()
    plain = PictureSource(path=source, index=index, output_arguments=keep, zero=clip.zero)
    if codec not in SHOW_ORDERS or clip.media.container not in ("avi", "matroska"):
        return plain
    with open_container(source) as container:
        picture = container.streams[index]
        if not isinstance(picture, VideoStream) or has_show_times(container, picture):
            return plain
    _reorder(source, index, codec, folder / "picture.mp4")
    return PictureSource(path=folder / "picture.mp4", index=0, zero=clip.zero)


def index_pictures(source: Path, clip: Probe, folder: Path, decoders: Iterable[str]) -> PictureSource:
    """Choose how the picture of a clip is read from any time on.

    Without the key frame before a time no picture of that time can be decoded.

    Args:
        source: The clip.
        clip: What `probe` found; it has a picture.
        folder: For a copy, where one is needed.
        decoders: Those of the picture.

    Raises:
        MediaError: The picture is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    if clip.media.container not in _UNINDEXED_CONTAINERS:
        return restore_times(source, clip, folder)
    target = folder / "picture.mkv"
    run_ffmpeg(
        [
            # Matroska knows no times before 0, which a transport stream has whose clock runs over.
            *("-copyts", *input_arguments(source, offset=-clip.zero, decoders=decoders)),
            *("-map", f"0:{clip.picture_index}", "-c", "copy", "-avoid_negative_ts", "disabled"),
            *("-f", "matroska", str(target)),
        ],
        timeout=ffmpeg_timeout(clip.media.duration),
    )
    return PictureSource(path=target, index=0)


def shown_at(picture: PictureSource, time: float) -> float | None:
    """Return when the picture begins that is shown at a time; None where none has begun by then.

    Args:
        picture: As `index_pictures` gives it.
        time: Seconds on the clip's clock, as what is returned.

    Raises:
        MediaError: The file is damaged.
    """
    with open_container(picture.path) as container:
        place = picture.zero + time + TICK_S
        if time > 0:
            try:
                container.seek(int((picture.zero + time) * av.time_base), backward=True)
            except av.error.FFmpegError:
                container.seek(0)
        latest, late = None, 0
        for packet in read_packets(container, container.streams[picture.index]):
            start = packet_start(packet)
            if start is None or packet.is_discard:
                continue
            if start <= place:
                latest = start if latest is None else max(latest, start)
            decoded = None if packet.dts is None else float(packet.dts * (packet.time_base or 0))
            late += start > place
            if late > _MAX_LATE_PACKETS or (decoded is not None and late and decoded > place):
                break
    return None if latest is None else latest - picture.zero


def has_show_times(container: InputContainer, picture: VideoStream) -> bool:
    """Tell whether a container says when each picture is shown, and not only when it is decoded."""
    name = container_format(container)
    return name != "avi" and not (name == "matroska" and codec_tag(picture) != _NATIVE_TAG)


def _reorder(source: Path, index: int, codec: str, target: Path) -> None:
    """Write the picture alone: the one that is shown as the nth, when the nth one is decoded."""
    with open_container(source) as container:
        picture = container.streams[index]
        extradata = picture.codec_context.extradata or b""
        times = list[int]()
        places = SHOW_ORDERS[codec](_pictures(container, picture, codec, times, []), extradata)
    times.sort()
    lead = max((times[at] - times[place] for at, place in enumerate(places)), default=0)
    try:
        with open_container(source) as container, av.open(str(target), "w", format="mp4") as made:
            picture = container.streams[index]
            copy = made.add_stream_from_template(picture)  # pyright: ignore[reportUnknownMemberType] - of any keywords
            if codec == "mpeg4" and extradata:
                copy.codec_context.extradata = clear_packed_mark(extradata)
            keys = list[bool]()
            for at, content in enumerate(_pictures(container, picture, codec, [], keys)):
                packet: Packet[Stream] = Packet(content)
                packet.pts, packet.dts, packet.stream = times[places[at]], times[at] - lead, copy
                packet.time_base = picture.time_base or Fraction(1)
                packet.is_keyframe = is_mpeg4_key(content) if codec == "mpeg4" else keys[at]
                made.mux(packet)  # pyright: ignore[reportUnknownMemberType] - Packet is generic
    except av.error.FFmpegError as error:
        raise MediaError(
            f"The pictures of this clip ({codec}) are damaged.",
            hint="Convert the clip to mp4 and try again.",
            detail=str(error),
        ) from error


def _pictures(
    container: InputContainer, picture: Stream, codec: str, times: list[int], keys: list[bool]
) -> Iterator[bytes]:
    """Read pictures in the order of decoding; their times, and whether decoding may begin there, go into the lists."""

    def packets() -> Iterator[bytes]:
        for packet in read_packets(container, picture):
            if packet.size and packet.dts is not None:
                times.append(packet.dts)
                keys.append(packet.is_keyframe)
                yield bytes(packet)

    return unpack_pictures(packets()) if codec == "mpeg4" else packets()
