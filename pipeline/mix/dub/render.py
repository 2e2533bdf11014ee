"""The voice track of a dub: placed lines, and the original vocals where they are kept; block by block."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.intervals import Interval, merge, subtract
from pipeline.mix.dub.line_fitting import DubClip
from pipeline.mix.gain_envelope import GainEnvelope, gain_envelope
from pipeline.mix.gains import read_aligned

VOCALS_FADE_SECONDS = 0.02
"""Seconds from the original vocals to silence and back."""
MAX_TURN_EXTENSION_SECONDS = 0.35
"""Seconds that a replaced turn may reach beyond its words, as long as the original voice is heard."""


def replaced_intervals(
    turns: Sequence[Interval], kept: Sequence[Interval], speech: Sequence[Interval], reach: float
) -> list[Interval]:
    """Find where the original vocals are muted: the replaced turns, with what is heard of them before and after.

    Where somebody speaks whom nothing replaces, the vocals stay.

    Args:
        turns: The replaced turns; all intervals are in the same unit.
        kept: The turns that nothing replaces.
        speech: Where the vocals are heard.
        reach: How far a turn may be extended.
    """
    wide = list[Interval]()
    for start, end in turns:
        first, last = start, end
        for begin, finish in speech:
            if begin < start < finish:
                first = min(first, max(begin, start - reach))
            if begin < end < finish:
                last = max(last, min(finish, end + reach))
        wide.append((first, last))
    return subtract(merge(wide), kept)


def muting_envelope(parts: Iterable[Interval], fade: float) -> GainEnvelope:
    """Build a gain of 0 within the intervals and of 1 outside, with linear fades beside them."""
    points = list[tuple[float, float]]()
    for start, end in merge(parts, 2 * fade):
        points += [(start - fade, 1.0), (start, 0.0), (end, 0.0), (end + fade, 1.0)]
    return gain_envelope(points, decibels=False)


def render(
    lines: Sequence[DubClip], vocals: tuple[Path, GainEnvelope] | None, clip_info: audio_io.SoundInfo, gain: float = 1.0
) -> audio_io.Blocks:
    """Render the voice track in blocks, as long as the clip.

    Args:
        lines: The lines of the dub.
        vocals: The original vocals and their gain; None where none are kept.
        clip_info: Rate, channels and length of the track.
        gain: Linear, for the whole track.
    """
    kept = None if vocals is None else read_aligned([vocals[0]], clip_info)
    for start in range(0, clip_info.frames, audio_io.BLOCK_FRAMES):
        length = min(audio_io.BLOCK_FRAMES, clip_info.frames - start)
        total = np.zeros((length, clip_info.channels), np.float32)
        if kept is not None and vocals is not None:
            (block,) = next(kept)
            level = vocals[1].at(start, length) if len(vocals[1].frames) else 1.0
            total += block * (np.float32(level) if isinstance(level, float) else level)
        for line in lines:
            _add_clip(total, line, start)
        yield total * np.float32(gain)


def _add_clip(total: audio_io.Samples, line: DubClip, start: int) -> None:
    """Add the part of a line that lies in the block that begins at frame `start`."""
    first, last = max(start, line.start), min(start + len(total), line.start + line.frames)
    if last > first:
        samples = audio_io.read(line.path, start=first - line.start, frames=last - first)
        total[first - start : first - start + len(samples)] += samples * np.float32(line.gain)
