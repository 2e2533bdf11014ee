"""Recordings that were put together in one file, byte by byte and without a new index.

The clock of such a file may start again in the middle, and the length that libav reads from its end is that of the
last part; or only the first part is read. What is looked at here are a few bytes of the file, so that only files in
doubt are read to their end.
"""

import statistics
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

_OGG_HEADER_BYTES = 27
_OGG_FIRST_PAGE = 2
"""Flag of the first page of an Ogg stream (RFC 3533, section 6)."""
_MAX_PAGE_BYTES = 65_307
_MAX_SCANNED_BYTES = 4 * 2**20
"""Bytes up to which all pages of an Ogg file are looked at."""
_PROBES = 48
"""Places of a file at which its clock is read."""
_LAST_BYTES = (65_536, 16_384, 8_192, 4_096)
"""Bytes before the end of an Ogg file where pages are looked at too."""
_CHUNK_BYTES = 1 << 14
_TS_PROBE_BYTES = 1 << 17
_TS_PACKET_BYTES = (188, 192, 204)
_TS_SYNC = 0x47
_PCR_HZ = 90_000
_JUMP_S = 10.0
"""Seconds more than usual between two places that are a jump of the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OggPage:
    """The header of a page."""

    stream: int
    position: int
    """Grows with time (RFC 3533, section 6); -1 where no packet ends."""
    first: bool


def may_restart(path: Path, container: str) -> bool:
    """Tell whether the clock of a file, of a container by its short name, may start again in the middle."""
    match container:
        case "ogg":
            size = path.stat().st_size
            with path.open("rb") as file:
                return _is_chained(file) if size <= _MAX_SCANNED_BYTES else _looks_chained(file, size)
        case "mpegts":
            with path.open("rb") as file:
                return _jumps(list(_program_clocks(file, path.stat().st_size)))
        case "mpeg":
            return True
        case _:
            return False


def find_second_movie(path: Path) -> int | None:
    """Find the byte at which another mov or mp4 begins after the first one, which is all that is read."""
    end = path.stat().st_size
    with path.open("rb") as file:
        at, movie = 0, False
        while len(head := file.read(16)) >= 8:
            size, kind = struct.unpack_from(">I4s", head)
            if size == 1 and len(head) == 16:
                (size,) = struct.unpack_from(">Q", head, 8)
            if kind == b"ftyp" and movie:
                return at
            if size < 8:
                return None
            movie = movie or kind == b"moov"
            at += size
            if at >= end:
                # The last part, or one that claims more than any file has.
                return None
            file.seek(at)
    return None


def _is_chained(file: BinaryIO) -> bool:
    """Tell whether an Ogg file has a first page after one with content."""
    content = False
    while len(head := file.read(_OGG_HEADER_BYTES)) == _OGG_HEADER_BYTES and head[:4] == b"OggS":
        first = bool(head[5] & _OGG_FIRST_PAGE)
        if first and content:
            return True
        content = content or not first
        file.seek(sum(file.read(head[26])), 1)
    return False


def _looks_chained(file: BinaryIO, size: int) -> bool:
    """Tell the same by pages all over a large file: a stream that was not there at first, or a time that goes back."""
    known: set[int] = set()
    while (page := _find_page(file)) is not None and page.first:
        known.add(page.stream)
    latest: dict[int, int] = {}
    places = [size * probe // _PROBES for probe in range(1, _PROBES)]
    for place in (*places, *(size - rest for rest in _LAST_BYTES)):
        file.seek(place)
        page = _find_page(file)
        if page is None:
            continue
        if page.stream not in known or page.first or 0 <= page.position < latest.get(page.stream, 0):
            return True
        latest[page.stream] = max(page.position, latest.get(page.stream, 0))
    return False


def _find_page(file: BinaryIO) -> _OggPage | None:
    """Find the next page, and leave the file behind it."""
    at, data = file.tell(), b""
    while len(data) < 2 * _MAX_PAGE_BYTES and (more := file.read(_CHUNK_BYTES)):
        data += more
        found = data.find(b"OggS")
        if 0 <= found <= len(data) - _OGG_HEADER_BYTES - 255:
            flags, position, stream = struct.unpack_from("<BqI", data, found + 5)
            segments = data[found + 26]
            begin = found + _OGG_HEADER_BYTES
            file.seek(at + begin + segments + sum(data[begin : begin + segments]))
            return _OggPage(stream=stream, position=position, first=bool(flags & _OGG_FIRST_PAGE))
    return None


def _program_clocks(file: BinaryIO, size: int) -> Iterator[float]:
    """Read the clock reference (ISO/IEC 13818-1, 2.4.3.5) of one programme at places all over a file, in seconds."""
    programme: int | None = None
    for probe in range(_PROBES):
        file.seek(max(0, size - _TS_PROBE_BYTES) * probe // (_PROBES - 1))
        data = b""
        while len(data) < _TS_PROBE_BYTES and (more := file.read(_CHUNK_BYTES)):
            data += more
            same = (pair for pair in _clock_references(data) if programme is None or pair[0] == programme)
            if (found := next(same, None)) is not None:
                programme = found[0]
                yield found[1]
                break


def _clock_references(data: bytes) -> Iterator[tuple[int, float]]:
    """Find the packets with a clock reference: their programme's PID and the time."""
    found = _packet_places(data)
    for at in found:
        packet = data[at : at + 12]
        if len(packet) == 12 and packet[3] & 0x20 and packet[4] >= 7 and packet[5] & 0x10:
            base = int.from_bytes(packet[6:11], "big") >> 7
            yield (packet[1] & 0x1F) << 8 | packet[2], base / _PCR_HZ


def _packet_places(data: bytes) -> range:
    """Find where packets begin, by sync bytes at even distances."""
    first = data.find(_TS_SYNC)
    while 0 <= first < max(_TS_PACKET_BYTES):
        for length in _TS_PACKET_BYTES:
            places = range(first, len(data), length)
            if all(data[at] == _TS_SYNC for at in places[:8]):
                return places
        first = data.find(_TS_SYNC, first + 1)
    return range(0)


def _jumps(clocks: list[float]) -> bool:
    steps = [after - before for before, after in pairwise(clocks)]
    if not steps:
        return False
    usual = statistics.median(steps)
    return any(step < 0 or step > 3 * usual + _JUMP_S for step in steps)
