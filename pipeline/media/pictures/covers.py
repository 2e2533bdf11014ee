"""Which stream of a clip is its moving picture, and which is a cover."""

import itertools

import av.error
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from pipeline.media.containers.packet_clock import read_packets

STILL_PICTURE_CODECS = frozenset({"mjpeg", "png", "apng", "bmp", "gif", "webp", "tiff", "targa", "jpeg2000", "jpegls"})
"""Codecs of cover pictures, which are no video unless there are many of them."""


def find_picture(container: InputContainer) -> VideoStream | None:
    """Find the main moving picture; where packets must be read for that, the container is rewound.

    A cover is never one: a stream that says that it is a cover, or a single still picture. Nor is one of a codec that
    nobody knows.
    """
    streams = [
        stream
        for stream in container.streams.video
        if _codec(stream) != "unknown" and not stream.disposition & Disposition.attached_pic
    ]
    moving = next((stream for stream in streams if _codec(stream) not in STILL_PICTURE_CODECS), None)
    return moving or next((stream for stream in streams if _has_several_pictures(container, stream)), None)


def _has_several_pictures(container: InputContainer, stream: VideoStream) -> bool:
    """Tell whether a stream has more than one picture, by its packets where the header does not count them well."""
    if stream.frames > 1 or (stream.frames == 1 and container.format.name.startswith("mov")):
        return stream.frames > 1
    try:
        shown = (packet for packet in read_packets(container, stream) if packet.size)
        several = len(list(itertools.islice(shown, 2))) > 1
        container.seek(0)
    except av.error.FFmpegError:
        return False
    return several


def _codec(stream: VideoStream) -> str:
    if stream.codec_context is None:  # pyright: ignore[reportUnnecessaryComparison] - None for an unknown codec
        return "unknown"
    return stream.codec_context.codec.canonical_name
