"""Extracts the ambience (rain, wind, a hum) from effects; what is left are the events (a door, steps, shots).

No network separates these, so it is done in the spectrogram. At each frequency the ambience is the
noise floor: a low quantile of the power over some seconds before and after, scaled to the mean
that steady noise of that quantile has (the minimum statistics of Martin 2001, with a quantile as
in Stahl et al. 2000, and with look-ahead). What rises above the floor is an event. A slightly
softened Wiener mask, ambience / (ambience + event) in power, extracts the ambience from the complex
spectrogram. The power is smoothed over neighbouring spectra and bins first, or the mask would
follow the noise of the ambience itself.

Ambience that itself consists of events, such as birds that call now and then, counts as events.
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
"""Length of a window, rounded to a power of two frames: 2048 at 44.1 and 48 kHz."""
WINDOWS_PER_SAMPLE = 4
"""Windows that cover each frame."""
FLOOR_SPAN_SECONDS = 4.0
"""Time over which the noise floor is estimated; half of it is look-ahead."""
FLOOR_STEP_SECONDS = 0.25
"""Time between two estimates of the floor; in between it is interpolated linearly."""
FLOOR_QUANTILE = 0.4
"""Part of the span in which the ambience is heard without events, at least."""
FLOOR_MARGIN_RATIO = 1.5
"""Smoothed power over floor up to which a bin is ambience alone."""
MASK_EXPONENT = 0.6
"""Exponent of the mask: 1 is Wiener's, with the least error; 0.5 keeps ambience as loud under an event as beside it."""
SMOOTHING_SPECTRA, SMOOTHING_BINS = 2, 2
"""Neighbours on either side over which the power is averaged."""
MIN_POWER = np.float32(1e-12)
"""Power below the least significant bit of 24-bit sound."""

Power = NDArray[np.float32]
"""Shape (spectra, channels, frequencies)."""
Spectra = NDArray[np.complex64]
"""Shape (spectra, channels, frequencies)."""


def extract_ambience(blocks: Iterable[Samples], sample_rate: int, channels: int, frames: int) -> Iterator[Samples]:
    """Extract the ambience of a stream of effects.

    The result runs half of `FLOOR_SPAN_SECONDS` behind the effects, and no more than that span is held. Each channel
    is masked on its own, so an event on one side leaves the ambience on the other as it is.

    Args:
        blocks: The effects, shape (frames, channels) each.
        sample_rate: Hz.
        channels: Of the effects.
        frames: Length of the effects.

    Returns:
        Blocks that are as long as the effects together.
    """
    grid = _Grid(size=2 ** round(np.log2(WINDOW_SECONDS * sample_rate)), sample_rate=sample_rate)
    tail = np.zeros((grid.size, channels), np.float32)
    masked = _mask(_SpectraBuffer(_analyse(chain(blocks, [tail]), grid, channels), grid, channels), grid)
    yield from fit_length(_synthesise(masked, grid, channels), frames, channels)


@dataclass(frozen=True)
class _Grid:
    """Positions of the spectra in the stream, in frames."""

    size: int
    sample_rate: int

    @property
    def hop(self) -> int:
        """Frames between two spectra."""
        return self.size // WINDOWS_PER_SAMPLE

    @cached_property
    def window(self) -> NDArray[np.float32]:
        """Window of analysis and synthesis; its squares sum to `WINDOWS_PER_SAMPLE` / 2."""
        return np.sqrt(np.hanning(self.size + 1)[:-1]).astype(np.float32)

    def spectra(self, seconds: float) -> int:
        """Count the spectra in a time, at least one."""
        return max(1, round(seconds * self.sample_rate / self.hop))


def _analyse(blocks: Iterable[Samples], grid: _Grid, channels: int) -> Iterator[Spectra]:
    """Compute the STFT of a stream, padded at its beginning so that each frame is in `WINDOWS_PER_SAMPLE` windows."""
    held = np.zeros((grid.size - grid.hop, channels), np.float32)
    for block in blocks:
        held = np.concatenate([held, block])
        count = (len(held) - grid.size) // grid.hop + 1
        if count > 0:
            views = np.lib.stride_tricks.sliding_window_view(held, grid.size, axis=0)[: count * grid.hop : grid.hop]
            yield np.fft.rfft(views * grid.window).astype(np.complex64, copy=False)
            held = held[count * grid.hop :]


def _synthesise(batches: Iterable[Spectra], grid: _Grid, channels: int) -> Iterator[Samples]:
    """Invert the STFT."""
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


def _mask(buffer: "_SpectraBuffer", grid: _Grid) -> Iterator[Spectra]:
    """Mask the spectra, in groups of `FLOOR_STEP_SECONDS`."""
    step, half = grid.spectra(FLOOR_STEP_SECONDS), grid.spectra(FLOOR_SPAN_SECONDS / 2)
    floor = None
    start = 0
    while buffer.fill(start + step + half) > start:
        end = min(start + step, buffer.end)
        floor = _noise_floor(buffer.power(start - half, start + half)) if floor is None else floor
        following = _noise_floor(buffer.power(start + step - half, start + step + half))
        across = (np.arange(end - start, dtype=np.float32) / step)[:, None, None]
        ambience = np.asarray(floor + across * (following - floor) + MIN_POWER, np.float32)
        yield buffer.spectra(start, end) * _ambience_mask(_smoothed_power(buffer, start, end), ambience)
        floor, start = following, end
        buffer.discard_before(start - half)


class _SpectraBuffer:
    """Holds the part of a stream of spectra that is still needed, and its power."""

    def __init__(self, batches: Iterator[Spectra], grid: _Grid, channels: int) -> None:
        shape = (0, channels, grid.size // 2 + 1)
        self._batches = batches
        self._start = 0
        self._spectra = np.zeros(shape, np.complex64)
        self._power = np.zeros(shape, np.float32)

    @property
    def end(self) -> int:
        """Number of spectra read so far."""
        return self._start + len(self._power)

    def fill(self, end: int) -> int:
        """Read up to a spectrum, or to the end of the stream; returns `end`."""
        while self.end < end and (batch := next(self._batches, None)) is not None:
            self._spectra = np.concatenate([self._spectra, batch])
            self._power = np.concatenate([self._power, np.asarray(batch.real**2 + batch.imag**2, np.float32)])
        return self.end

    def spectra(self, start: int, end: int) -> Spectra:
        """Return spectra that were read and not discarded."""
        return self._spectra[start - self._start : end - self._start]

    def power(self, start: int, end: int) -> Power:
        """Return the power of the spectra of a range, as far as it is held; at least one."""
        first = min(max(start, self._start), self.end - 1)
        return self._power[first - self._start : max(first + 1, end) - self._start]

    def discard_before(self, before: int) -> None:
        """Discard what lies before a spectrum."""
        surplus = before - self._start
        if surplus > 0:
            self._spectra, self._power = self._spectra[surplus:].copy(), self._power[surplus:].copy()
            self._start = before


def _noise_floor(power: Power) -> Power:
    """Estimate the mean power of the ambience, shape (channels, bins), as that of noise, whose power is exponential."""
    seen = power[::2]  # neighbours share most of their samples
    place = int(FLOOR_QUANTILE * (len(seen) - 1))
    return np.asarray(np.partition(seen, place, axis=0)[place] / np.float32(-np.log1p(-FLOOR_QUANTILE)), np.float32)


def _smoothed_power(buffer: _SpectraBuffer, start: int, end: int) -> Power:
    """Average the power of a group of spectra over time; at the ends of the stream the outermost are repeated."""
    reach = SMOOTHING_SPECTRA
    power = buffer.power(start - reach, end + reach)
    before = reach - min(reach, start)
    after = (end - start + 2 * reach) - before - len(power)
    padded = np.pad(power, ((before, after), (0, 0), (0, 0)), mode="edge")
    total = sum(padded[shift : shift + end - start] for shift in range(2 * reach + 1))
    return np.asarray(total / np.float32(2 * reach + 1), np.float32)


def _ambience_mask(power: Power, floor: Power) -> Power:
    """Compute the Wiener mask of the ambience: 1 where the power is within the margin of its floor."""
    reach = SMOOTHING_BINS
    ratio = np.pad(power / floor, ((0, 0), (0, 0), (reach, reach)), mode="edge")
    bins = power.shape[-1]
    rise = sum(ratio[..., shift : shift + bins] for shift in range(2 * reach + 1)) / np.float32(2 * reach + 1)
    return np.asarray(
        (1 + np.maximum(rise - np.float32(FLOOR_MARGIN_RATIO), 0)) ** np.float32(-MASK_EXPONENT), np.float32
    )
