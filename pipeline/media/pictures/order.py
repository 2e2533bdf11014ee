"""The order in which the pictures of a stream are shown, which may differ from that in which they are decoded.

In MPEG-1, MPEG-2 and MPEG-4 part 2 a picture that is no B-frame is shown after the B-frames that follow it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from pipeline.media.pictures.h264_order import show_order as h264_show_order

_MPEG4_PICTURE = b"\0\0\1\xb6"
"""Start code of a picture of MPEG-4 part 2 (ISO/IEC 14496-2, table 6-3)."""
_MPEG2_PICTURE = b"\0\0\1\0"
"""Start code of a picture of MPEG-1 and MPEG-2 (ISO/IEC 13818-2, table 6-1)."""
_MPEG4_I_TYPE, _MPEG4_B_TYPE, _MPEG2_B_TYPE = 0, 2, 3
_MAX_EMPTY_PICTURE_BYTES = 20
"""Of a picture that only says that nothing has changed, which stands where a packed one belongs."""
_PACKED_MARK = re.compile(rb"(DivX\d+(?:[Bb]|Build)\d+)p")
"""By which DivX and Xvid say in their headers that pictures are packed."""

ShowOrder = Callable[[Iterable[bytes], bytes], list[int]]
"""From packets in the order of decoding, and extradata, to the place of each in the order of showing."""


def unpack_pictures(packets: Iterable[bytes]) -> Iterator[bytes]:
    """Give each picture of MPEG-4 a packet of its own, as many as there were.

    DivX and Xvid put a B-frame into the packet of the picture before it, and an empty picture where it belongs.
    """
    held = b""
    for packet in packets:
        first = packet.find(_MPEG4_PICTURE)
        second = packet.find(_MPEG4_PICTURE, first + 4) if first >= 0 else -1
        if second >= 0:
            yield clear_packed_mark(packet[:second])
            held = packet[second:]
        elif held:
            yield held
            held = b"" if len(packet) < _MAX_EMPTY_PICTURE_BYTES and not _is_mpeg4_b(packet) else packet
        else:
            yield clear_packed_mark(packet)


def clear_packed_mark(headers: bytes) -> bytes:
    """Take the mark of packed pictures out of headers, whose length stays."""
    return _PACKED_MARK.sub(rb"\1\0", headers)


def is_mpeg4_key(packet: bytes) -> bool:
    """Tell whether the first picture of a packet is one at which decoding may begin."""
    return _mpeg4_type(packet) == _MPEG4_I_TYPE


def _is_mpeg4_b(packet: bytes) -> bool:
    return _mpeg4_type(packet) == _MPEG4_B_TYPE


def _mpeg4_type(packet: bytes) -> int | None:
    at = packet.find(_MPEG4_PICTURE) + 4
    return packet[at] >> 6 if 4 <= at < len(packet) else None


def _is_mpeg2_b(packet: bytes) -> bool:
    at = packet.find(_MPEG2_PICTURE) + 5
    return at >= 5 and at < len(packet) and (packet[at] >> 3) & 7 == _MPEG2_B_TYPE


def _order_by_type(packets: Iterable[bytes], is_b: Callable[[bytes], bool]) -> list[int]:
    shown, waiting = list[int](), list[int]()
    count = 0
    for count, packet in enumerate(packets, start=1):
        if not is_b(packet):
            shown += waiting
            waiting = [count - 1]
        else:
            shown.append(count - 1)
    places = [0] * count
    for place, index in enumerate((*shown, *waiting)):
        places[index] = place
    return places


def _mpeg4_show_order(packets: Iterable[bytes], _: bytes) -> list[int]:
    return _order_by_type(packets, _is_mpeg4_b)


def _mpeg2_show_order(packets: Iterable[bytes], _: bytes) -> list[int]:
    return _order_by_type(packets, _is_mpeg2_b)


SHOW_ORDERS: Mapping[str, ShowOrder] = MappingProxyType(
    {
        "h264": h264_show_order,
        "mpeg4": _mpeg4_show_order,
        "mpeg2video": _mpeg2_show_order,
        "mpeg1video": _mpeg2_show_order,
    }
)
"""By codec."""
