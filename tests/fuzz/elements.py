"""Finds the elements of a container: boxes, chunks, pages, packets; all that mutation needs to know of them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAX_ELEMENTS = 600
_MP4_PARENTS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"mvex", b"moof", b"traf", b"ilst"}
)
_EBML_PARENTS = frozenset(
    {0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0xE1, 0x1F43B675, 0xA0, 0x1C53BB6B, 0xBB, 0xB7, 0x114D9B74}
)
_W64_HEAD = 40
_TS_PACKET = 188


@dataclass(frozen=True, slots=True)
class Element:
    """A part of a file: its header, what is in it, and where its size stands."""

    start: int
    body: int
    end: int
    size_at: int
    size_bytes: int
    """0: it has no field for its size."""
    big_endian: bool = True


def find_elements(data: bytes) -> list[Element]:
    """List the elements of a file of a known kind, those inside others too; none for other kinds."""
    found: list[Element] = []
    for element in _walk(data):
        found.append(element)
        if len(found) == MAX_ELEMENTS:
            break
    return found


def fix_ogg_checksums(data: bytes) -> bytes:
    """Give each page of an ogg file the checksum that it needs to be read at all."""
    made = bytearray(data)
    for page in _ogg(data):
        made[page.start + 22 : page.start + 26] = bytes(4)
        struct.pack_into("<I", made, page.start + 22, _ogg_checksum(made[page.start : page.end]))
    return bytes(made)


def is_ogg(data: bytes) -> bool:
    """Tell whether a file is an ogg file."""
    return data.startswith(b"OggS")


def _walk(data: bytes) -> Iterator[Element]:
    if data[4:8] in (b"ftyp", b"moov", b"wide"):
        yield from _boxes(data, 0, len(data))
    elif data[:4] in (b"RIFF", b"FORM"):
        yield from _chunks(data, 0, len(data), big_endian=data[:4] == b"FORM")
    elif data[:4] == b"riff":
        yield from _w64(data)
    elif data[:4] == b"caff":
        yield from _caf(data)
    elif data[:4] == b"\x1aE\xdf\xa3":
        yield from _ebml(data, 0, len(data))
    elif is_ogg(data):
        yield from _ogg(data)
    elif data[:3] == b"FLV":
        yield from _flv(data)
    elif data[:1] == b"G" and data[_TS_PACKET : _TS_PACKET + 1] == b"G":
        yield from (Element(at, at + 4, at + _TS_PACKET, at, 0) for at in range(0, len(data), _TS_PACKET))
    elif data[:4] == b"fLaC":
        yield from _flac(data)


def _boxes(data: bytes, at: int, end: int) -> Iterator[Element]:
    while at + 8 <= end:
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        stop = at + size if 8 <= size <= end - at else end
        yield Element(at, at + 8, stop, at, 4)
        if name in _MP4_PARENTS:
            yield from _boxes(data, at + 8, stop)
        elif name in (b"stsd", b"dref"):
            yield from _boxes(data, at + 16, stop)
        elif name == b"meta":
            yield from _boxes(data, at + 12, stop)
        at = stop


def _chunks(data: bytes, at: int, end: int, *, big_endian: bool) -> Iterator[Element]:
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "big" if big_endian else "little")
        stop = min(at + 8 + size + size % 2, end)
        yield Element(at, at + 8, stop, at + 4, 4, big_endian)
        if data[at : at + 4] in (b"RIFF", b"FORM", b"LIST"):
            yield from _chunks(data, at + 12, stop, big_endian=big_endian)
        at = max(stop, at + 8)


def _w64(data: bytes) -> Iterator[Element]:
    at = _W64_HEAD
    while at + 24 <= len(data):
        size = int.from_bytes(data[at + 16 : at + 24], "little")
        stop = min(at + max(24, size + -size % 8), len(data))
        yield Element(at, at + 24, stop, at + 16, 8, big_endian=False)
        at = stop


def _caf(data: bytes) -> Iterator[Element]:
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 12], "big", signed=True)
        stop = min(at + 12 + size, len(data)) if size >= 0 else len(data)
        yield Element(at, at + 12, stop, at + 4, 8)
        at = stop


def _ebml(data: bytes, at: int, end: int) -> Iterator[Element]:
    while at + 2 <= end:
        id_bytes = _vint_bytes(data[at])
        size_at = at + id_bytes
        if size_at >= end:
            return
        size_bytes = _vint_bytes(data[size_at])
        body = size_at + size_bytes
        size = int.from_bytes(data[size_at:body], "big") & ((1 << 7 * size_bytes) - 1)
        stop = min(body + size, end)
        yield Element(at, min(body, stop), stop, size_at, size_bytes)
        if int.from_bytes(data[at:size_at], "big") in _EBML_PARENTS:
            yield from _ebml(data, body, stop)
        at = max(stop, body)


def _vint_bytes(first: int) -> int:
    return min(8, 9 - first.bit_length()) if first else 8


def _ogg(data: bytes) -> Iterator[Element]:
    at = data.find(b"OggS")
    while 0 <= at <= len(data) - 27:
        segments = data[at + 26]
        body = at + 27 + segments
        stop = min(body + sum(data[at + 27 : body]), len(data))
        yield Element(at, min(body, stop), stop, at + 26, 1)
        at = data.find(b"OggS", max(stop, at + 4))


def _flv(data: bytes) -> Iterator[Element]:
    at = 13
    while at + 11 <= len(data):
        stop = min(at + 11 + int.from_bytes(data[at + 1 : at + 4], "big") + 4, len(data))
        yield Element(at, at + 11, stop, at + 1, 3)
        at = stop


def _flac(data: bytes) -> Iterator[Element]:
    at, last = 4, False
    while not last and at + 4 <= len(data):
        last = data[at] >= 0x80
        stop = min(at + 4 + int.from_bytes(data[at + 1 : at + 4], "big"), len(data))
        yield Element(at, at + 4, stop, at + 1, 3)
        at = stop


def _ogg_checksum(page: bytes | bytearray) -> int:
    """Compute the CRC of RFC 3533: polynomial 0x04c11db7, not reflected."""
    remainder = 0
    for byte in page:
        remainder = (remainder << 8 & 0xFFFFFFFF) ^ _OGG_TABLE[remainder >> 24 ^ byte]
    return remainder


def _ogg_table() -> list[int]:
    table: list[int] = []
    for byte in range(256):
        remainder = byte << 24
        for _ in range(8):
            remainder = (remainder << 1 ^ (0x04C11DB7 if remainder & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(remainder)
    return table


_OGG_TABLE = _ogg_table()
