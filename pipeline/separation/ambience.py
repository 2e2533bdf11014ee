"""Parts effects into events (a door, steps, shots) and the bed that goes on beneath them (rain, wind, a hum).

No network tells these apart, so it is done in the spectrogram. At each frequency the bed is the
floor that the power keeps coming back to: a low quantile over some seconds before and after,
brought to the mean that steady noise of that quantile has (the minimum statistics of Martin 2001,
with a quantile as in Stahl et al. 2000, and with the future known). What rises above the floor is
an event. A Wiener mask, bed / (bed + event) in power, a little softened, takes the bed out of the complex spectrogram;
the events are what is left, so both together are the effects again and nothing is invented. The
power is averaged over neighbouring frames and frequencies first, or the mask would follow the
noise of the bed itself and leave it ragged.

A bed that itself consists of events, such as birds that call now and then, counts as events.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.io import Samples
from pipeline.separation.streaming import fit_length

WINDOW_SECONDS = 0.046
"""Seconds that one spectrum looks at, rounded to a power of two frames: 2048 at 44.1 and 48 kHz."""
WINDOWS_PER_SAMPLE = 4
"""Windows that cover a sample."""
FLOOR_SPAN_SECONDS = 4.0
"""Seconds over which the floor is looked for; half of it is look-ahead."""
FLOOR_STEP_SECONDS = 0.25
"""Seconds between two looks for the floor; in between it goes in a straight line."""
FLOOR_QUANTILE = 0.4
"""Part of the span in which the bed is heard without events, at the least."""
FLOOR_MARGIN_RATIO = 1.5
"""How far above the floor the averaged power of a bed may be, as a factor."""
MASK_EXPONENT = 0.6
"""Of the mask: 1 is Wiener's and has the least error, 0.5 keeps the bed as loud under an event as beside it."""
NEIGHBOURS = (2, 2)
"""Spectra and frequencies on either side over which the power is averaged."""
MIN_POWER = np.float32(1e-12)
"""Power below the last bit of 24-bit sound."""

Power = NDArray[np.float32]
"""Shape (spectra, channels, frequencies)."""
Spectra = NDArray[np.complex64]
"""Shape (spectra, channels, frequencies)."""


def extract_ambience(blocks: Iterable[Samples], sample_rate: int, channels: int, frames: int) -> Iterator[Samples]:
    """The bed of a stream of effects, of shape (frames, channels) in all, block by block.

    It runs `SPAN` / 2 behind the effects and keeps no more than a span of them. Each channel is
    masked on its own, so an event at one side leaves the bed at the other as it is.
    """
    grid = _Grid(size=2 ** round(np.log2(WINDOW_SECONDS * sample_rate)), sample_rate=sample_rate)
    tail = np.zeros((grid.size, channels), np.float32)
    masked = _mask(_SpectraBuffer(_analyse(chain(blocks, [tail]), grid, channels), grid, channels), grid)
    yield from fit_length(_synthesise(masked, grid, channels), frames, channels)


@dataclass(frozen=True)
class _Grid:
    """Where spectra lie in the stream."""

    size: int
    sample_rate: int

    @property
    def hop(self) -> int:
        """Frames from one spectrum to the next."""
        return self.size // WINDOWS_PER_SAMPLE

    @cached_property
    def window(self) -> NDArray[np.float32]:
        """Used before and after; its squares sum to `OVERLAP` / 2."""
        return np.sqrt(np.hanning(self.size + 1)[:-1]).astype(np.float32)

    def spectra(self, seconds: float) -> int:
        """How many spectra there are in a time, at least one."""
        return max(1, round(seconds * self.sample_rate / self.hop))


def _analyse(blocks: Iterable[Samples], grid: _Grid, channels: int) -> Iterator[Spectra]:
    """Spectra of a stream; silence is put before it, so that its first frame is in `OVERLAP` windows too."""
    held = np.zeros((grid.size - grid.hop, channels), np.float32)
    for block in blocks:
        held = np.concatenate([held, block])
        count = (len(held) - grid.size) // grid.hop + 1
        if count > 0:
            views = np.lib.stride_tricks.sliding_window_view(held, grid.size, axis=0)[: count * grid.hop : grid.hop]
            yield np.fft.rfft(views * grid.window).astype(np.complex64, copy=False)
            held = held[count * grid.hop :]


def _synthesise(batches: Iterable[Spectra], grid: _Grid, channels: int) -> Iterator[Samples]:
    """The stream that spectra were taken of."""
    scale = grid.window * np.float32(2 / WINDOWS_PER_SAMPLE)
    tail = np.zeros((channels, grid.size - grid.hop), np.float32)
    skip = grid.size - grid.hop
    for batch in batches:
        pieces = np.fft.irfft(batch, grid.size).astype(np.float32, copy=False) * scale
        total = np.zeros((channels, len(batch) * grid.hop + grid.size - grid.hop), np.float32)
        total[:, : tail.shape[1]] = tail
        for index, piece in enumerate(pieces):
            total[:, index * grid.hop : index * grid.hop + grid.size] += piece
        done, tail = total[:, : len(batch) * grid.hop], total[:, len(batch) * grid.hop :]
        yield done[:, skip:].T
        skip = max(0, skip - done.shape[1])


def _mask(reel: "_SpectraBuffer", grid: _Grid) -> Iterator[Spectra]:
    """The bed's share of each spectrum, in groups of `STEP` seconds."""
    step, half = grid.spectra(FLOOR_STEP_SECONDS), grid.spectra(FLOOR_SPAN_SECONDS / 2)
    floor = None
    start = 0
    while reel.fill(start + step + half) > start:
        end = min(start + step, reel.end)
        floor = _noise_floor(reel.power(start - half, start + half)) if floor is None else floor
        following = _noise_floor(reel.power(start + step - half, start + step + half))
        across = (np.arange(end - start, dtype=np.float32) / step)[:, None, None]
        bed = np.asarray(floor + across * (following - floor) + MIN_POWER, np.float32)
        yield reel.spectra(start, end) * _ambience_mask(_smoothed_power(reel, start, end), bed)
        floor, start = following, end
        reel.discard_before(start - half)


class _SpectraBuffer:
    """The part of a stream of spectra that is still needed, and its power."""

    def __init__(self, batches: Iterator[Spectra], grid: _Grid, channels: int) -> None:
        shape = (0, channels, grid.size // 2 + 1)
        self._batches = batches
        self._start = 0
        self._spectra = np.zeros(shape, np.complex64)
        self._power = np.zeros(shape, np.float32)

    @property
    def end(self) -> int:
        """How many spectra were read in all."""
        return self._start + len(self._power)

    def fill(self, end: int) -> int:
        """Read as far as a spectrum, or to the end of the stream; returns how many were read in all."""
        while self.end < end and (batch := next(self._batches, None)) is not None:
            self._spectra = np.concatenate([self._spectra, batch])
            self._power = np.concatenate([self._power, np.asarray(batch.real**2 + batch.imag**2, np.float32)])
        return self.end

    def spectra(self, start: int, end: int) -> Spectra:
        """Spectra that were read and not forgotten."""
        return self._spectra[start - self._start : end - self._start]

    def power(self, start: int, end: int) -> Power:
        """The power of those spectra of a stretch that there are, at least one."""
        first = min(max(start, self._start), self.end - 1)
        return self._power[first - self._start : max(first + 1, end) - self._start]

    def discard_before(self, before: int) -> None:
        """Let go of what lies before a spectrum."""
        surplus = before - self._start
        if surplus > 0:
            self._spectra, self._power = self._spectra[surplus:].copy(), self._power[surplus:].copy()
            self._start = before


def _noise_floor(power: Power) -> Power:
    """Mean power of the bed, shape (channels, frequencies): of steady noise, whose power is spread exponentially."""
    seen = power[::2]  # neighbours share most of their samples
    place = int(FLOOR_QUANTILE * (len(seen) - 1))
    return np.asarray(np.partition(seen, place, axis=0)[place] / np.float32(-np.log1p(-FLOOR_QUANTILE)), np.float32)


def _smoothed_power(reel: _SpectraBuffer, start: int, end: int) -> Power:
    """The power of a group of spectra, averaged over time; at the ends of the stream the outermost count twice."""
    reach = NEIGHBOURS[0]
    power = reel.power(start - reach, end + reach)
    before = reach - min(reach, start)
    after = (end - start + 2 * reach) - before - len(power)
    padded = np.pad(power, ((before, after), (0, 0), (0, 0)), mode="edge")
    total = sum(padded[shift : shift + end - start] for shift in range(2 * reach + 1))
    return np.asarray(total / np.float32(2 * reach + 1), np.float32)


def _ambience_mask(power: Power, bed: Power) -> Power:
    """The Wiener mask of the bed: 1 where the power stays within the margin of its floor."""
    reach = NEIGHBOURS[1]
    ratio = np.pad(power / bed, ((0, 0), (0, 0), (reach, reach)), mode="edge")
    bins = power.shape[-1]
    rise = sum(ratio[..., shift : shift + bins] for shift in range(2 * reach + 1)) / np.float32(2 * reach + 1)
    return np.asarray(
        (1 + np.maximum(rise - np.float32(FLOOR_MARGIN_RATIO), 0)) ** np.float32(-MASK_EXPONENT), np.float32
    )
