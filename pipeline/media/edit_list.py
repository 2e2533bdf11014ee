"""The edit list of a late sound in an mp4.

An AAC encoder gives 1024 samples before the first of the sound. An edit list tells players to skip them; but for a
track that starts late, ffmpeg lets it start that much earlier instead and skips nothing. What is heard is in its place
either way; here the track, too, starts where the sound does (ISO/IEC 14496-12, 8.6.6).
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_MAX_INDEX_BYTES = 256 * 2**20
"""Bytes of an index that is looked at."""


def skip_lead_in(path: Path, samples: int) -> bool:
    """Let the first sound track of an mp4 that starts late start `samples` later, at its own first sample.

    Returns:
        False, and the file is unchanged, where the track does not start late by at least as much or has an edit
        list of another form.
    """
    with path.open("r+b") as file:
        place = _find_index(file)
        if place is None:
            return False
        start, size = place
        file.seek(start)
        index = bytearray(file.read(size))
        if not _rewrite_edit(index, samples):
            return False
        file.seek(start)
        file.write(index)
    return True


def _find_index(file: BinaryIO) -> tuple[int, int] | None:
    """Find where the content of the file's `moov` begins, and its size."""
    at = 0
    while len(head := file.read(16)) >= 8:
        size, kind = struct.unpack_from(">I4s", head)
        begin = 8
        if size == 1 and len(head) == 16:
            (size,), begin = struct.unpack_from(">Q", head, 8), 16
        if kind == b"moov":
            return (at + begin, size - begin) if begin < size <= _MAX_INDEX_BYTES else None
        if size < begin:
            return None
        at += size
        file.seek(at)
    return None


def _rewrite_edit(index: bytearray, samples: int) -> bool:
    movie = _timescale(index, _find_box(index, (0, len(index)), b"mvhd"))
    for track in _boxes(index, (0, len(index)), b"trak"):
        handler = _find_box(index, track, b"mdia", b"hdlr")
        if handler is None or bytes(index[handler[0] + 8 : handler[0] + 12]) != b"soun":
            continue
        media = _timescale(index, _find_box(index, track, b"mdia", b"mdhd"))
        edits = _find_box(index, track, b"edts", b"elst")
        if not movie or not media or edits is None or index[edits[0]] != 0 or edits[1] - edits[0] < 32:
            return False
        count, wait, nothing, _, length, first = struct.unpack_from(">IIiIIi", index, edits[0] + 4)
        shift = round(samples * movie / media)
        if (count, nothing, first) != (2, -1, 0) or length <= shift:
            return False
        struct.pack_into(">I", index, edits[0] + 8, wait + shift)
        struct.pack_into(">Ii", index, edits[0] + 20, length - shift, samples)
        return True
    return False


def _timescale(index: bytearray, header: tuple[int, int] | None) -> int:
    """Read the ticks a second of a `mvhd` or `mdhd`; 0 where there is none."""
    if header is None:
        return 0
    (ticks,) = struct.unpack_from(">I", index, header[0] + (20 if index[header[0]] else 12))
    return int(ticks)


def _find_box(index: bytearray, place: tuple[int, int], *kinds: bytes) -> tuple[int, int] | None:
    """Find the content of the first box of a kind, then of the first of the next kind within it, and so on."""
    found: tuple[int, int] | None = place
    for kind in kinds:
        found = None if found is None else next(_boxes(index, found, kind), None)
    return found


def _boxes(index: bytearray, place: tuple[int, int], wanted: bytes) -> Iterator[tuple[int, int]]:
    at, end = place
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", index, at)
        if size < 8 or at + size > end:
            return
        if kind == wanted:
            yield at + 8, at + size
        at += size
