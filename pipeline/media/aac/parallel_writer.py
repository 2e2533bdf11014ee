"""An m4a that is encoded in segments on all processors and joined at a frame.

Each segment is encoded from some frames before its first to some after its last, so that at a joint both encoders
have had the same input. Segments are joined where both chose the same window; what overlaps then fits, as it does
between two frames of one encoder, and every sample is heard once. Memory is that of a few segments.
"""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
import numpy as np
from av.container import OutputContainer
from av.packet import Packet

from pipeline.audio.io import Samples
from pipeline.errors import FFmpegError
from pipeline.media.aac.segment_encoder import (
    FRAME_SAMPLES,
    AudioFormat,
    EncodedSegment,
    configure_encoder,
    decode_packets,
    encode_segment,
    window_shape,
)

SEGMENT_FRAMES = 1024
"""Frames that a segment has of its own: 24 s at 44.1 kHz."""
LEAD_IN_FRAMES = 16
"""Frames before them, by which the encoder has settled."""
JOINT_SEARCH_FRAMES = 12
"""Frames from which a joint is chosen."""
TAIL_FRAMES = JOINT_SEARCH_FRAMES + 3
"""Frames after a segment: an encoder looks one frame ahead, and its last ones fade into silence."""
_MAX_WORKERS = 8
"""Pieces at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A segment that is being encoded; frames are numbered through the whole stream."""

    first: int
    """The frame of its first packet."""
    start: int
    """The first frame that is to come from it."""
    encoded: "Future[EncodedSegment]"

    def packets(self, start: int, end: int) -> tuple[bytes, ...]:
        """Return the packets of the frames from `start` up to `end`."""
        return self.encoded.result().packets[start - self.first : end - self.first]

    def decoded(self, start: int, end: int) -> Samples:
        """Return the decoded samples of the frames from `start` up to `end`; frame `k` ends with sample `k * 1024`."""
        return self.encoded.result().decoded[
            max(0, start - 1 - self.first) * FRAME_SAMPLES : (end - 1 - self.first) * FRAME_SAMPLES
        ]


class AacWriter:
    """Writes samples of shape (frames, channels) as an m4a that plays while it loads.

    `on_decoded` is called in order with the samples that a player decodes from the file, as many as were written.
    Used as a context manager: a file that was not finished is removed.

    Raises:
        FFmpegError: The file cannot be encoded or written.
    """

    def __init__(
        self, path: Path, audio_format: AudioFormat, *, on_decoded: Callable[[Samples], None] | None = None
    ) -> None:
        self._path = path
        self._audio_format = audio_format
        self._on_decoded = on_decoded
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = min(_MAX_WORKERS, allowed)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="aac")
        self._max_waiting = workers + 1
        self._waiting: deque[Segment] = deque()
        self._last: Segment | None = None
        """The segment before the first that waits; written up to frame `_written`."""
        self._written = 0
        self._packets_before_joint: tuple[bytes, ...] = ()
        """The last packets before a joint."""
        self._blocks: list[Samples] = []
        self._buffered_samples = 0
        """Samples in the blocks."""
        self._buffer_start = 0
        """The frame with which the blocks begin."""
        self._next_start = 0
        """The frame with which the next segment begins."""
        self._total = 0
        self._finished = False
        try:
            self._container = _open_output(path, audio_format.sample_rate)
            self._stream = self._container.add_stream("aac", rate=audio_format.sample_rate)  # pyright: ignore[reportUnknownMemberType] - untyped keywords
            configure_encoder(self._stream.codec_context, audio_format)
            self._container.start_encoding()
        except (av.error.FFmpegError, OSError) as error:
            raise _write_error(error) from error

    def write(self, samples: Samples) -> None:
        """Append samples; waits when too many segments are being encoded."""
        self._blocks.append(samples)
        self._buffered_samples += len(samples)
        self._total += len(samples)
        while (
            self._buffered_samples
            >= (self._next_start + SEGMENT_FRAMES + TAIL_FRAMES - self._buffer_start) * FRAME_SAMPLES
        ):
            self._submit(
                self._next_start + SEGMENT_FRAMES,
                (self._next_start + SEGMENT_FRAMES + TAIL_FRAMES - self._buffer_start) * FRAME_SAMPLES,
            )

    def finish(self) -> None:
        """Encode what is left and close the file."""
        end = -(-self._total // FRAME_SAMPLES) + 1
        self._submit(end, self._buffered_samples)
        while self._waiting:
            self._write_segment()
        self._write_packets(end)
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise _write_error(error) from error
        self._finished = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        if not self._finished:
            # Closed now, since it would write its index later into whatever has that name by then.
            with suppress(av.error.FFmpegError, OSError):
                self._container.close()
            self._path.unlink(missing_ok=True)

    def _submit(self, end: int, length: int) -> None:
        """Start to encode the next segment from the first `length` buffered samples; its own frames end at `end`."""
        held = (
            np.concatenate(self._blocks)
            if self._blocks
            else np.zeros((0, len(self._audio_format.layout.channels)), "f4")
        )
        encoded = self._pool.submit(
            encode_segment, held[:length], self._audio_format, decoded=self._on_decoded is not None
        )
        self._waiting.append(Segment(first=self._buffer_start, start=self._next_start, encoded=encoded))
        self._next_start = end
        kept = held[(end - LEAD_IN_FRAMES - self._buffer_start) * FRAME_SAMPLES :]
        self._blocks, self._buffered_samples, self._buffer_start = [kept], len(kept), end - LEAD_IN_FRAMES
        while len(self._waiting) > self._max_waiting:
            self._write_segment()

    def _write_segment(self) -> None:
        """Write the packets up to the joint with the next segment, which then becomes the last one."""
        segment = self._waiting.popleft()
        if self._last is not None:
            self._write_packets(find_joint(self._last, segment))
        self._last = segment

    def _write_packets(self, end: int) -> None:
        """Write the frames of the last segment up to `end`, and pass on their decoded samples."""
        assert self._last is not None
        start, self._written = self._written, end
        time_base = Fraction(1, self._audio_format.sample_rate)
        for frame, data in enumerate(self._last.packets(start, end), start):
            packet = Packet(data)
            packet.stream = self._stream
            packet.time_base = time_base
            packet.pts = packet.dts = (frame - 1) * FRAME_SAMPLES
            # The last frame is filled up; players stop where the sound does.
            packet.duration = min(FRAME_SAMPLES, self._total - packet.pts)
            packet.is_keyframe = True
            try:
                self._container.mux_one(packet)  # pyright: ignore[reportUnknownMemberType] - Packet is generic
            except (av.error.FFmpegError, OSError) as error:
                raise _write_error(error) from error
        if self._on_decoded is not None:
            self._report_decoded(self._last, start, end)
        self._packets_before_joint = self._last.packets(end - 2, end)

    def _report_decoded(self, segment: Segment, start: int, end: int) -> None:
        """Pass on the decoded samples of some frames; those of a frame after a joint come from both sides."""
        assert self._on_decoded is not None
        decoded = segment.decoded(start, end)
        if self._packets_before_joint:
            seam = decode_packets(
                (*self._packets_before_joint, *segment.packets(start, start + 1)), self._audio_format
            )[2 * FRAME_SAMPLES :]
            decoded = np.concatenate((seam[: len(decoded)], decoded[len(seam) :]))
        self._on_decoded(decoded)


def find_joint(before: Segment, after: Segment) -> int:
    """Find the first frame that is taken from the later segment.

    An encoder's choice of windows depends on the last few frames only, so that the first place fits nearly always.
    """
    for frame in range(after.start, after.start + JOINT_SEARCH_FRAMES):
        (one,), (other,) = before.packets(frame - 1, frame), after.packets(frame - 1, frame)
        if (found := window_shape(one)) is not None and found == window_shape(other):
            return frame
    return after.start


def _open_output(path: Path, sample_rate: int) -> OutputContainer:
    # An edit list in milliseconds would cut the end off.
    options = {"movflags": "+faststart", "fflags": "+bitexact", "movie_timescale": str(sample_rate)}
    return av.open(str(path.absolute()), "w", format="ipod", options=options)


def _write_error(error: Exception) -> FFmpegError:
    return FFmpegError("The final sound could not be written.", hint="Free some space.", detail=str(error))
