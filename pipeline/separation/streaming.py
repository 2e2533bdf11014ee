"""Streams of blocks: brought to a length, read in other lengths, processed in overlapping windows."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from pipeline.audio.io import Blocks, Samples, to_mono

ProcessWindow = Callable[[Samples], Samples]
"""Processes one window: shape (frames, columns) to (frames, other columns)."""


def fit_length(blocks: Iterable[Samples], frames: int, columns: int) -> Iterator[Samples]:
    """Cut a stream to `frames` frames, or pad it with silence; `columns` is the width of the silence."""
    left = frames
    for block in blocks:
        if left <= 0:
            return
        piece = block[:left]
        left -= len(piece)
        yield piece
    if left > 0:
        yield np.zeros((left, columns), np.float32)


def run_in_stereo(block: Samples, frames: int, process: ProcessWindow) -> Samples:
    """Run a network that takes only stereo windows of `frames` frames on a shorter block of one or two channels.

    A mono block goes in as two equal channels and comes back as their mean; the window is padded with silence.
    """
    mono = block.shape[1] == 1
    stereo = np.repeat(block, 2, axis=1) if mono else block
    made = process(np.pad(stereo, ((0, frames - len(block)), (0, 0))))[: len(block)]
    return to_mono(made) if mono else made


class BlockReader:
    """Reads any number of frames from a stream of blocks; past its end there is silence."""

    def __init__(self, blocks: Blocks, columns: int) -> None:
        self._blocks = blocks
        self._held = np.zeros((0, columns), np.float32)

    def read(self, frames: int) -> Samples:
        """Read the next frames, shape (frames, columns)."""
        pieces = [self._held]
        missing = frames - len(self._held)
        while missing > 0 and (block := next(self._blocks, None)) is not None:
            pieces.append(block)
            missing -= len(block)
        if missing > 0:
            pieces.append(np.zeros((missing, self._held.shape[1]), np.float32))
        joined = np.concatenate(pieces)
        self._held = joined[frames:]
        return joined[:frames]


def overlap_add(blocks: Iterable[Samples], process: ProcessWindow, *, window: int, overlap: int) -> Iterator[Samples]:
    """Process a stream in windows and cross-fade the results where they overlap, linearly.

    Only one window is held at a time, so memory does not grow with the stream.

    Args:
        blocks: The stream, shape (frames, columns) each.
        process: Called with each window.
        window: Frames of a window; the last one has what is left.
        overlap: Frames that two windows share.

    Returns:
        Blocks that are as long as the stream together.
    """
    step = window - overlap
    rise = np.asarray((np.arange(overlap) + 0.5) / overlap, np.float32)[:, None]
    held: list[Samples] = []
    count = 0
    tail: Samples | None = None
    for block in blocks:
        held.append(block)
        count += len(block)
        while count >= window:
            joined = np.concatenate(held)
            done = _crossfade(tail, process(joined[:window]), rise)
            yield done[:step]
            tail, held, count = done[step:], [joined[step:]], count - step
    if tail is not None and count == overlap:
        yield tail
    elif count:
        yield _crossfade(tail, process(np.concatenate(held)), rise)


def window_lengths(frames: int, window: int, overlap: int) -> list[int]:
    """Return the lengths, in frames, of the windows that `overlap_add` makes of so many frames."""
    lengths: list[int] = []
    while frames >= window:
        lengths.append(window)
        frames -= window - overlap
    return lengths if lengths and frames == overlap else [*lengths, frames]


def _crossfade(tail: Samples | None, made: Samples, rise: Samples) -> Samples:
    """Fade the beginning of a window in while the tail of the one before fades out."""
    if tail is None:
        return made
    faded = np.asarray(tail + rise * (made[: len(tail)] - tail), np.float32)
    return np.concatenate([faded, made[len(tail) :]])
