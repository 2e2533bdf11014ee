"""Runs networks on overlapping segments of a stream, in batches, and overlap-adds the results.

The results are those of `demucs.apply.apply_model` (no shifts, split): the same segments, padded
with the same real samples, weighted with the same triangle and added in the same order. Unlike
the library, this holds only what later segments need, so memory does not grow with the stream.
The networks of a bag run side by side, each with its own segment length.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.separation.base import OutOfMemoryError

PlanarSamples: TypeAlias = NDArray[np.float32]
"""Sound with time as the last axis, as networks take it, for example shape (channels, frames)."""


class SegmentNetwork(Protocol):
    """A network that works on segments."""

    output_shape: tuple[int, int]
    """Parts that it makes, and channels of each."""
    segment_frames: int
    """Frames that it works on at a time."""

    def valid_length(self, frames: int) -> int:
        """Return the frames of input that it needs for a segment of `frames` frames; at least as many."""
        ...

    def run(self, segments: PlanarSamples) -> PlanarSamples:
        """Run a batch of shape (batch, channels, frames); gives shape (batch, parts, channels, frames).

        Raises:
            OutOfMemoryError: The batch was too large; `InferenceSettings.reduce_batch` says what to try next.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceSettings:
    """How segments are run."""

    batch_size: int
    """Segments at a time."""
    overlap: Fraction
    """Part of a segment that the next one covers too."""
    reduce_batch: Callable[[int], int]
    """Called with a batch size that was too large; frees memory and returns the next size to try, or raises."""
    on_finished: Callable[[int], None]
    """Called with the number of segments that were just finished; what it raises ends the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """Positions in the stream, in frames: a segment, and the context that its network sees around it."""

    start: int
    frames: int
    context_start: int
    context_frames: int


def count_segments(networks: Sequence[SegmentNetwork], frames: int, overlap: Fraction) -> int:
    """Count the segments of a stream of so many frames, over all networks."""
    return sum(-(-frames // _stride_frames(network, overlap)) for network in networks)


def run_segments(
    networks: Sequence[SegmentNetwork], blocks: Iterable[PlanarSamples], frames: int, settings: InferenceSettings
) -> Iterator[PlanarSamples]:
    """Run networks over a stream and sum up what they make.

    Args:
        networks: Networks with equal `output_shape`.
        blocks: The stream, shape (channels, any number of frames) each.
        frames: Length of the stream.
        settings: How to run them; what its callbacks raise comes through, and so does what reading raises.

    Returns:
        Blocks of shape (parts, channels, frames), together as long as the stream.
    """
    window = _InputBuffer(blocks, frames)
    streams = [_NetworkStream(network, frames, settings.overlap) for network in networks]
    batch, emitted = settings.batch_size, 0
    while emitted < frames:
        stream = min(streams, key=lambda stream: stream.finished_frames)
        try:
            count = stream.advance(window, batch)
        except OutOfMemoryError:
            count = 0
        if not count:  # outside of `except`, which would keep the tensors of the failed batch alive
            batch = settings.reduce_batch(batch)
            continue
        settings.on_finished(count)
        window.discard_before(min(stream.first_needed_frame for stream in streams))
        ready = min(stream.finished_frames for stream in streams)
        if ready > emitted:
            yield np.asarray(sum(stream.take(ready - emitted) for stream in streams), np.float32)
            emitted = ready


class _InputBuffer:
    """Holds the part of a stream that is still needed; beyond both ends of the stream there is silence."""

    def __init__(self, blocks: Iterable[PlanarSamples], frames: int) -> None:
        self._blocks = iter(blocks)
        self._frames = frames
        self._held: list[PlanarSamples] = []
        self._start = self._end = 0

    def read(self, start: int, frames: int) -> PlanarSamples:
        """Read frames that were not discarded, shape (channels, frames)."""
        end = start + frames
        self._read_to(min(end, self._frames))
        joined = self._held[0] if len(self._held) == 1 else np.concatenate(self._held, axis=-1)
        self._held = [joined]
        inside = joined[:, max(0, start) - self._start : end - self._start]
        before = max(0, -start)
        return np.pad(inside, ((0, 0), (before, frames - before - inside.shape[-1])))

    def discard_before(self, before: int) -> None:
        """Discard what lies before a frame."""
        surplus = min(before, self._end) - self._start
        if surplus > 0:
            self._held = [np.concatenate(self._held, axis=-1)[:, surplus:].copy()]
            self._start += surplus

    def _read_to(self, end: int) -> None:
        while self._end < end and (block := next(self._blocks, None)) is not None:
            self._held.append(block)
            self._end += block.shape[-1]


class _NetworkStream:
    """One network's progress through the stream, and the sum of its weighted segments."""

    def __init__(self, network: SegmentNetwork, frames: int, overlap: Fraction) -> None:
        self._network = network
        self._frames = frames
        self._stride = _stride_frames(network, overlap)
        half = network.segment_frames // 2
        rise = np.arange(1, half + 1, dtype=np.float32)
        fall = np.arange(network.segment_frames - half, 0, -1, dtype=np.float32)
        triangle = np.concatenate([rise, fall])
        self._triangle = np.asarray(triangle / triangle.max(), np.float32)
        self._sum = np.zeros((*network.output_shape, 0), np.float32)
        self._weight = np.zeros(0, np.float32)
        self._emitted_frames = 0
        self._next_start = 0
        self.finished_frames = 0
        """Frames before this one are final."""

    @property
    def first_needed_frame(self) -> int:
        """The first frame that later segments read."""
        return self._segment(self._next_start).context_start if self._next_start < self._frames else self._frames

    def advance(self, window: _InputBuffer, batch: int) -> int:
        """Run up to `batch` next segments at once and return how many; an error leaves the state as it was."""
        segments = self._upcoming(batch)
        made = self._network.run(np.stack([window.read(each.context_start, each.context_frames) for each in segments]))
        self._make_room(segments[-1])
        for segment, parts in zip(segments, made, strict=True):
            before = (parts.shape[-1] - segment.frames) // 2
            place = slice(segment.start - self._emitted_frames, segment.start - self._emitted_frames + segment.frames)
            weight = self._triangle[: segment.frames]
            self._sum[..., place] += weight * parts[..., before : before + segment.frames]
            self._weight[place] += weight
        self._next_start = segments[-1].start + self._stride
        self.finished_frames = min(self._next_start, self._frames)
        return len(segments)

    def take(self, frames: int) -> PlanarSamples:
        """Return the next final frames, shape (parts, channels, frames)."""
        done = np.asarray(self._sum[..., :frames] / self._weight[:frames], np.float32)
        self._sum, self._weight = self._sum[..., frames:].copy(), self._weight[frames:].copy()
        self._emitted_frames += frames
        return done

    def _make_room(self, last: _Segment) -> None:
        """Lengthen the sum to the end of the last segment of a batch."""
        missing = last.start + last.frames - self._emitted_frames - len(self._weight)
        if missing > 0:
            self._sum = np.concatenate(
                [self._sum, np.zeros((*self._network.output_shape, missing), np.float32)], axis=-1
            )
            self._weight = np.concatenate([self._weight, np.zeros(missing, np.float32)])

    def _upcoming(self, batch: int) -> list[_Segment]:
        """Return up to `batch` next segments with inputs of one length, which fit into one tensor."""
        starts = range(self._next_start, self._frames, self._stride)[:batch]
        found: list[_Segment] = []
        for start in starts:
            segment = self._segment(start)
            if found and segment.context_frames != found[0].context_frames:
                break
            found.append(segment)
        return found

    def _segment(self, start: int) -> _Segment:
        length = min(self._network.segment_frames, self._frames - start)
        seen = self._network.valid_length(length)
        return _Segment(start=start, frames=length, context_start=start - (seen - length) // 2, context_frames=seen)


def _stride_frames(network: SegmentNetwork, overlap: Fraction) -> int:
    return max(1, int((1 - overlap) * network.segment_frames))
