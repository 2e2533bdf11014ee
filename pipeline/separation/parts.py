"""Where a long sound is cut, so that several workers take it apart side by side.

Parts are as long as each other and depend on the length of the sound alone, so that one worker makes the same stems as
many. Each is separated with what comes before and after it, since networks need to hear some of it, and the next part
fades in over its end.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil
from typing import Final

import numpy as np

from pipeline.audio.io import Blocks, Samples
from pipeline.separation.base import BLOCK_FRAMES
from pipeline.separation.contracts import SoundPart
from pipeline.separation.streaming import BlockReader

PART_SECONDS: Final = 150.0
"""Longest part."""
LEAD_SECONDS: Final = 4.0
"""Heard before a part: a recurrent network has then settled."""
TRAIL_SECONDS: Final = 1.0
"""Heard after the end of a part's fade, so that no window ends there."""
FADE_SECONDS: Final = 1.0
"""Over which the next part fades in."""


def plan_parts(frames: int, sample_rate: int, *, part_seconds: float = PART_SECONDS) -> tuple[SoundPart, ...]:
    """Plan the parts of a sound.

    Args:
        frames: Its length.
        sample_rate: Hz.
        part_seconds: Longest part.
    """
    count = max(1, ceil(frames / sample_rate / part_seconds))
    lead, trail, fade = (round(length * sample_rate) for length in (LEAD_SECONDS, TRAIL_SECONDS, FADE_SECONDS))
    borders = [frames * number // count for number in range(count + 1)]
    parts: list[SoundPart] = []
    for begin, end in pairwise(borders):
        first = max(0, begin - lead)
        kept_to = min(frames, end + fade)
        heard_to = min(frames, kept_to + trail)
        parts.append(SoundPart(first=first, frames=heard_to - first, skipped=begin - first, kept=kept_to - begin))
    return tuple(parts)


def join_parts(parts: Sequence[Blocks], lengths: Sequence[int], fade: int, columns: int) -> Iterator[Samples]:
    """Join what was kept of the parts of a sound.

    Args:
        parts: Each part's blocks, shape (frames, columns).
        lengths: Frames of each part.
        fade: Frames over which a part and the next one are faded into each other, linearly.
        columns: Of each block.

    Returns:
        Blocks of the whole sound.
    """
    rise = np.asarray((np.arange(fade) + 0.5) / fade, np.float32)[:, None]
    tail: Samples | None = None
    for number, (blocks, length) in enumerate(zip(parts, lengths, strict=True)):
        reader, left = BlockReader(blocks, columns), length
        if tail is not None:
            head = reader.read(fade)
            left -= fade
            yield np.asarray(tail + rise * (head - tail), np.float32)
        shared = fade if number + 1 < len(parts) else 0
        while left > shared:
            block = reader.read(min(BLOCK_FRAMES, left - shared))
            left -= len(block)
            yield block
        tail = reader.read(shared) if shared else None
