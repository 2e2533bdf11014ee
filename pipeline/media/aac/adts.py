"""An m4a written in pieces that are encoded side by side, one on each processor, and joined at a frame.

Each piece is encoded from some frames before its first to some after its last, so that at a joint both encoders have
heard the same sound. They are joined where both chose the same window; what overlaps then fits, as it does
between two frames of one encoder, and every sample is heard once. Memory is that of a few pieces.
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
from pipeline.media.aac.parallel_encoder import FRAME, Coded, Form, decode, encode, settings, window

PIECE = 1024
"""Frames that a piece has of its own: 24 s at 44.1 kHz."""
LEAD = 16
"""Frames before them, by which the encoder has settled."""
SEARCH = 12
"""Frames from which a joint is chosen."""
TAIL = SEARCH + 3
"""Frames after a piece: an encoder looks one frame ahead, and its last ones fade into silence."""
_MOST = 8
"""Pieces at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece on its way; frames are numbered through the whole stream."""

    first: int
    """The frame of its first packet."""
    own: int
    """The first frame that is to come from it."""
    coded: "Future[Coded]"

    def packets(self, start: int, end: int) -> tuple[bytes, ...]:
        """Those of some frames."""
        return self.coded.result().packets[start - self.first : end - self.first]

    def heard(self, start: int, end: int) -> Samples:
        """What they sound like: frame `k` ends with sample `k * 1024`."""
        return self.coded.result().heard[max(0, start - 1 - self.first) * FRAME : (end - 1 - self.first) * FRAME]


class AacWriter:
    """Takes samples of shape (frames, channels) and writes them as an m4a that plays while it loads.

    `on_heard` is given what a player makes of the file, in order, as much as was written. Used as a context
    manager: a file that was not finished is removed. Raises `FFmpegError`.
    """

    def __init__(self, path: Path, form: Form, *, on_heard: Callable[[Samples], None] | None = None) -> None:
        self._path = path
        self._form = form
        self._on_heard = on_heard
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = min(_MOST, allowed)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="aac")
        self._most_waiting = workers + 1
        self._waiting: deque[Piece] = deque()
        self._last: Piece | None = None
        """The piece before the first that waits; written up to frame `_written`."""
        self._written = 0
        self._ends: tuple[bytes, ...] = ()
        """The last packets before a joint."""
        self._blocks: list[Samples] = []
        self._held = 0
        """Samples in the blocks."""
        self._from = 0
        """The frame with which the blocks begin."""
        self._own = 0
        """The frame with which the next piece begins."""
        self._total = 0
        self._finished = False
        try:
            self._container = _opened(path, form.sample_rate)
            self._stream = self._container.add_stream("aac", rate=form.sample_rate)  # pyright: ignore[reportUnknownMemberType] - untyped keywords
            settings(self._stream.codec_context, form)
            self._container.start_encoding()
        except (av.error.FFmpegError, OSError) as error:
            raise _unwritable(error) from error

    def write(self, samples: Samples) -> None:
        """Append samples; waits when too much is on its way."""
        self._blocks.append(samples)
        self._held += len(samples)
        self._total += len(samples)
        while self._held >= (self._own + PIECE + TAIL - self._from) * FRAME:
            self._begin(self._own + PIECE, (self._own + PIECE + TAIL - self._from) * FRAME)

    def finish(self) -> None:
        """Encode what is left and close the file."""
        end = -(-self._total // FRAME) + 1
        self._begin(end, self._held)
        while self._waiting:
            self._settle()
        self._hand_out(end)
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise _unwritable(error) from error
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

    def _begin(self, end: int, length: int) -> None:
        """Have the next piece encoded, from the first samples that are held; its own frames are those up to `end`."""
        held = np.concatenate(self._blocks) if self._blocks else np.zeros((0, len(self._form.layout.channels)), "f4")
        coded = self._pool.submit(encode, held[:length], self._form, listen=self._on_heard is not None)
        self._waiting.append(Piece(first=self._from, own=self._own, coded=coded))
        self._own = end
        kept = held[(end - LEAD - self._from) * FRAME :]
        self._blocks, self._held, self._from = [kept], len(kept), end - LEAD
        while len(self._waiting) > self._most_waiting:
            self._settle()

    def _settle(self) -> None:
        """Write what comes before the next piece, and go on with that."""
        piece = self._waiting.popleft()
        if self._last is not None:
            self._hand_out(find_joint(self._last, piece))
        self._last = piece

    def _hand_out(self, end: int) -> None:
        """Write the frames of the last piece up to `end`, and tell how they sound."""
        assert self._last is not None
        start, self._written = self._written, end
        time_base = Fraction(1, self._form.sample_rate)
        for frame, data in enumerate(self._last.packets(start, end), start):
            packet = Packet(data)
            packet.stream = self._stream
            packet.time_base = time_base
            packet.pts = packet.dts = (frame - 1) * FRAME
            # The last frame is filled up; players stop where the sound does.
            packet.duration = min(FRAME, self._total - packet.pts)
            packet.is_keyframe = True
            try:
                self._container.mux_one(packet)  # pyright: ignore[reportUnknownMemberType] - Packet is generic
            except (av.error.FFmpegError, OSError) as error:
                raise _unwritable(error) from error
        if self._on_heard is not None:
            self._tell(self._last, start, end)
        self._ends = self._last.packets(end - 2, end)

    def _tell(self, piece: Piece, start: int, end: int) -> None:
        """The sound of some frames; that of the first one after a joint is made from both sides."""
        assert self._on_heard is not None
        heard = piece.heard(start, end)
        if self._ends:
            seam = decode((*self._ends, *piece.packets(start, start + 1)), self._form)[2 * FRAME :]
            heard = np.concatenate((seam[: len(heard)], heard[len(seam) :]))
        self._on_heard(heard)


def find_joint(before: Piece, after: Piece) -> int:
    """The first frame that comes from the later piece.

    An encoder's choice of windows depends on the last few frames only, so that the first place fits nearly always.
    """
    for frame in range(after.own, after.own + SEARCH):
        (one,), (other,) = before.packets(frame - 1, frame), after.packets(frame - 1, frame)
        if (found := window(one)) is not None and found == window(other):
            return frame
    return after.own


def _opened(path: Path, sample_rate: int) -> OutputContainer:
    # An edit list in milliseconds would cut the end off.
    options = {"movflags": "+faststart", "fflags": "+bitexact", "movie_timescale": str(sample_rate)}
    return av.open(str(path.absolute()), "w", format="ipod", options=options)


def _unwritable(error: Exception) -> FFmpegError:
    return FFmpegError("The final sound could not be written.", hint="Free some space.", detail=str(error))
