"""Damage within sounds that are nothing but frames: mp3, ADTS and (E-)AC-3 have no time stamps.

The bytes of such a file are walked along the headers of its frames. What lies between two frames and is no frame is
a hole; how much sound is missing there follows from the bytes that a frame has. libav joins what comes before and
after a hole, so that all that comes later would be early.
"""

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.media.containers.frame_headers import HEADER_BYTES, FrameHeader, read_header

RAW_CONTAINERS: Final = ("mp3", "aac", "ac3", "eac3")
"""Containers, by libav's short names, whose frames are walked."""
_NEIGHBOURS: Final = 50
"""Frames before and after a hole whose size tells how many are missing."""
_MAX_FILLED_HOLES: Final = 60
_MAX_FILLED_S: Final = 30.0
"""Seconds of a hole up to which silence stands for it; what is longer is rather something else than sound."""
_MAX_DOUBTFUL_S: Final = 0.1
_MIN_HOLE_S: Final = 0.01
_MAX_CANDIDATES: Final = 200_000
"""Places at which a frame may begin that are looked at in all: a file can be made of nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A stretch of a file that is no frame, between two that are."""

    at: float
    """Seconds of sound before it, without those that are missing in other holes."""
    missing: float
    """Seconds of sound that fit into its bytes."""
    start: int
    end: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDamage:
    """What is wrong with the frames of a file."""

    duration: float
    """Seconds of sound in its frames."""
    holes: tuple[Hole, ...] = ()
    """In which silence stands for the sound."""
    left: tuple[Hole, ...] = ()
    """Further ones, in which nothing stands."""

    @property
    def whole_duration(self) -> float:
        """Return the seconds of sound and silence."""
        return self.duration + sum(hole.missing for hole in self.holes)

    @property
    def doubtful(self) -> tuple[Hole, ...]:
        """Return the holes of which it is not known how much is missing: of lost bytes, one broken frame is left."""
        short = (hole for hole in self.holes if hole.missing <= _MAX_DOUBTFUL_S)
        return tuple(sorted((*short, *self.left), key=lambda hole: hole.start))

    def place(self, hole: Hole) -> float:
        """Return where a hole lies when silence stands in those before it, in seconds."""
        return hole.at + sum(other.missing for other in self.holes if other.start < hole.start)


def find_damage(path: Path, first_byte: int) -> RawDamage | None:
    """Find what is no frame between the frames of a raw sound; None where all is well or nothing can be told.

    Args:
        path: The file.
        first_byte: Where the first frame lies whose time libav calls 0.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        walk = _Walk(data)
        if not walk.go(first_byte):
            return None
        found = list(walk.holes())
    if not found:
        return None
    fitting = [hole for hole in found if _MIN_HOLE_S <= hole.missing <= _MAX_FILLED_S]
    filled = set(sorted(fitting, key=lambda hole: -hole.missing)[:_MAX_FILLED_HOLES])
    return RawDamage(
        duration=walk.duration,
        holes=tuple(hole for hole in found if hole in filled),
        left=tuple(hole for hole in found if hole not in filled),
    )


def write_whole_frames(source: Path, damage: RawDamage, target: Path) -> None:
    """Write a raw sound without its holes."""
    with source.open("rb") as file, target.open("wb") as made:
        for hole in sorted((*damage.holes, *damage.left), key=lambda hole: hole.start):
            _copy(file, made, hole.start - file.tell())
            file.seek(hole.end)
        _copy(file, made, source.stat().st_size - file.tell())


def shift_filter(holes: Sequence[Hole]) -> str:
    """Build the filter that moves the stamps of what `write_whole_frames` wrote to where the sound belongs."""
    steps = "+".join(f"gte(T,{hole.at - _MIN_HOLE_S / 2:.6f})*{hole.missing:.6f}" for hole in holes)
    return f"asetpts=expr='PTS+({steps})/TB'"


@dataclass(slots=True)
class _Walk:
    """The frames of a file, one after the other."""

    data: mmap.mmap
    starts: list[int] = field(default_factory=list[int])
    """Bytes at which frames begin."""
    samples: int = 0
    """Of one frame, as most have."""
    rate: int = 1
    _gaps: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    """Number of frames before it, first and last byte."""
    _candidates: int = 0

    @property
    def duration(self) -> float:
        """Return the seconds of all frames."""
        return len(self.starts) * self.samples / self.rate

    def go(self, first_byte: int) -> bool:
        """Walk to the end of the file, and tell whether that is possible."""
        first = read_header(self.data, first_byte)
        if first is None:
            return False
        self.samples, self.rate = first.samples, first.rate
        at, starts = first_byte, self.starts
        while at + HEADER_BYTES <= len(self.data):
            header = read_header(self.data, at)
            if header is not None and header.kind == first.kind:
                starts.append(at)
                at += header.size
                continue
            after = self._skip_tags(at)
            if after == at:
                after = self._next_frame(at, first)
                if after is None:
                    break
                self._gaps.append((len(starts), at, after))
            at = after
        return self._candidates < _MAX_CANDIDATES

    def holes(self) -> Iterator[Hole]:
        """List what lies between frames, with the seconds that are missing there."""
        for index, (count, start, end) in enumerate(self._gaps):
            frames = round((end - start) / self._frame_bytes(index, count))
            if not frames and not any(self.data[start:end]):
                continue  # zeros that fill up a block
            seconds = self.samples / self.rate
            yield Hole(at=count * seconds, missing=frames * seconds, start=start, end=end)

    def _frame_bytes(self, index: int, count: int) -> float:
        """Return the bytes of a frame near a gap, measured between the gap before and the one after it."""
        lowest = self._gaps[index - 1][0] if index else 0
        highest = self._gaps[index + 1][0] if index + 1 < len(self._gaps) else len(self.starts)
        first, last = max(lowest, count - _NEIGHBOURS), min(highest, count + _NEIGHBOURS) - 1
        before = self._gaps[index][1] - self.starts[first] if first < count else 0
        after = self.starts[last] - self._gaps[index][2] if last > count else 0
        return max(1.0, (before + after) / max(1, count - first + max(0, last - count)))

    def _next_frame(self, at: int, first: FrameHeader) -> int | None:
        """Find the next frame that another one follows."""
        while (at := self.data.find(first.mark, at + 1)) >= 0 and self._candidates < _MAX_CANDIDATES:
            self._candidates += 1
            header = read_header(self.data, at)
            if header is not None and header.kind == first.kind:
                following = read_header(self.data, at + header.size)
                if following is not None and following.kind == first.kind:
                    return at
        return None

    def _skip_tags(self, at: int) -> int:
        """Return where a tag ends that begins here; tags stand between recordings that were put together."""
        head = self.data[at : at + 32]
        if head.startswith(b"ID3") and len(head) >= 10 and not any(byte & 0x80 for byte in head[6:10]):
            return at + 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        if head.startswith(b"APETAGEX") and len(head) == 32:
            return at + 32 + int.from_bytes(head[12:16], "little")
        return at + 128 if head.startswith(b"TAG") else at


def _copy(source: BinaryIO, target: BinaryIO, count: int) -> None:
    while count > 0 and (block := source.read(min(count, 1 << 20))):
        target.write(block)
        count -= len(block)
