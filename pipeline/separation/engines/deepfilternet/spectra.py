"""The spectra of DeepFilterNet and what its network hears of them, as its authors' library computes them.

Schröter et al. 2022 and 2023; https://github.com/Rikorose/DeepFilterNet, libDF. All of it goes on from one piece of a
sound to the next.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from scipy import signal  # pyright: ignore[reportMissingTypeStubs]

Mono = NDArray[np.float32]
"""Shape (samples,), 48 kHz."""
Spectra = NDArray[np.complex64]
"""Shape (frames, bins)."""

SAMPLE_RATE: Final = 48_000
WINDOW_SAMPLES: Final = 960
HOP_SAMPLES: Final = 480
BINS: Final = WINDOW_SAMPLES // 2 + 1
BANDS: Final = 32
"""Of the scale of equivalent rectangular bandwidths."""
MIN_BAND_BINS: Final = 2
FILTERED_BINS: Final = 96
"""The lowest bins, which are filtered over time; those above are only weighted band by band."""
SMOOTHING: Final = 0.99
"""Share of a running mean that stays from frame to frame: a second, rounded to three digits."""
MEAN_LEVEL_DB: Final = (-60.0, -90.0)
"""What the running means of the lowest and the highest band begin with."""
MEAN_MAGNITUDE: Final = (0.001, 0.0001)
"""The same of the filtered bins, linear."""
LEVEL_RANGE_DB: Final = 40.0
MIN_POWER: Final = 1e-10
_signal = cast("Any", signal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What the network hears."""

    levels: NDArray[np.float32]
    """Of the bands, about their running mean, shape (frames, BANDS)."""
    bins: NDArray[np.float32]
    """Real and imaginary parts of the lowest bins, by their running magnitude, shape (2, frames, FILTERED_BINS)."""


def band_widths() -> NDArray[np.int64]:
    """Compute how many bins each band has, at least `MIN_BAND_BINS`, all bins in all."""
    highest = 9.265 * np.log1p(SAMPLE_RATE / 2 / (24.7 * 9.265))
    widths: list[int] = []
    previous = excess = 0
    for band in range(1, BANDS + 1):
        edge = round(24.7 * 9.265 * np.expm1(band * highest / BANDS / 9.265) / (SAMPLE_RATE / WINDOW_SAMPLES))
        width = edge - previous - excess
        excess = max(0, MIN_BAND_BINS - width)
        widths.append(max(width, MIN_BAND_BINS))
        previous = edge
    widths[-1] += BINS - sum(widths)
    return np.array(widths)


class Analysis:
    """Turns a sound into spectra and features, piece by piece."""

    def __init__(self) -> None:
        self._window = _make_window()
        self._scale = np.float32(HOP_SAMPLES / (WINDOW_SAMPLES * np.sum(np.square(self._window))))
        self._last: Mono = np.zeros(WINDOW_SAMPLES - HOP_SAMPLES, np.float32)
        self._widths = band_widths()
        self._edges = np.concatenate([[0], np.cumsum(self._widths)[:-1]])
        self._mean_levels = SMOOTHING * np.linspace(*MEAN_LEVEL_DB, BANDS)[None]
        self._mean_magnitudes = SMOOTHING * np.linspace(*MEAN_MAGNITUDE, FILTERED_BINS)[None]

    def analyse(self, samples: Mono) -> tuple[Spectra, Features]:
        """Analyse the next samples, a whole number of hops; there is a frame for each hop."""
        padded = np.concatenate([self._last, samples])
        self._last = padded[len(padded) - len(self._last) :]
        frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
        spectra = np.asarray(np.fft.rfft(frames * self._window) * self._scale, np.complex64)
        powers = np.add.reduceat(spectra.real**2 + spectra.imag**2, self._edges, axis=1) / self._widths
        levels = 10.0 * np.log10(powers + MIN_POWER)
        mean_levels, self._mean_levels = _smooth(levels, self._mean_levels)
        low = spectra[:, :FILTERED_BINS]
        magnitudes, self._mean_magnitudes = _smooth(np.abs(low), self._mean_magnitudes)
        normal = low / np.sqrt(magnitudes)
        features = Features(
            levels=np.asarray((levels - mean_levels) / LEVEL_RANGE_DB, np.float32),
            bins=np.asarray(np.stack([normal.real, normal.imag]), np.float32),
        )
        return spectra, features


class Synthesis:
    """Turns spectra into a sound, piece by piece; it comes a hop later."""

    def __init__(self) -> None:
        self._window = _make_window() * np.float32(WINDOW_SAMPLES)
        self._overlap: Mono = np.zeros(HOP_SAMPLES, np.float32)

    def synthesise(self, spectra: Spectra) -> Mono:
        """Give a hop for each frame."""
        frames: Mono = np.asarray(np.fft.irfft(spectra) * self._window, np.float32)
        out = frames[:, :HOP_SAMPLES].copy()
        out[0] += self._overlap
        out[1:] += frames[:-1, HOP_SAMPLES:]
        self._overlap = frames[-1, HOP_SAMPLES:]
        return out.reshape(-1)


def _make_window() -> Mono:
    """Make the window of Vorbis."""
    sine = np.sin(0.5 * np.pi * (np.arange(WINDOW_SAMPLES) + 0.5) / HOP_SAMPLES)
    return np.asarray(np.sin(0.5 * np.pi * sine**2), np.float32)


def _smooth(
    values: NDArray[np.floating[Any]], state: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute running means over the first axis; gives them and the state to go on with."""
    smoothed, state = _signal.lfilter([1.0 - SMOOTHING], [1.0, -SMOOTHING], values, axis=0, zi=state)
    return smoothed, state
