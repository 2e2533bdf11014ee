"""The power of each channel of a sound, in all and in the speech band; one pass in constant memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io

SPEECH_BAND_HZ = (300.0, 3400.0)
"""Hz, the band of a telephone: most of what tells words apart, and neither hum nor hiss."""
SILENCE_RMS = 10 ** (-60 / 20)
"""RMS below which a channel is silent, linear."""
_WINDOW_FRAMES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLevels:
    """Mean power of each channel, full scale at ±1."""

    power: tuple[float, ...]
    speech_power: tuple[float, ...]
    """Mean power of the speech band."""

    def is_silent(self, channel: int) -> bool:
        """Tell whether nothing of a channel can be heard."""
        return self.power[channel] < SILENCE_RMS**2


def measure_levels(path: Path, on_progress: Callable[[float], None]) -> ChannelLevels:
    """Measure the powers of the channels of a sound file.

    Args:
        path: The sound file.
        on_progress: Called after each block with the fraction that is done.

    Raises:
        MediaError: The file cannot be read.
    """
    info = audio_io.info(path)
    window = np.hanning(_WINDOW_FRAMES).astype(np.float32)[:, None]
    bins = slice(*(round(edge * _WINDOW_FRAMES / info.sample_rate) for edge in SPEECH_BAND_HZ))
    # Of both halves of the spectrum, by Parseval, and without what the window takes away.
    scale = 2 / (_WINDOW_FRAMES * float(np.square(window).sum()))
    power, speech = np.zeros(info.channels), np.zeros(info.channels)
    read = 0
    for block in audio_io.read_blocks(path):
        power += np.square(block, dtype=np.float64).sum(axis=0)
        for start in range(0, len(block), _WINDOW_FRAMES):
            speech += _band_power(block[start : start + _WINDOW_FRAMES], window, bins) * scale * _WINDOW_FRAMES
        read += len(block)
        on_progress(read / info.frames)
    frames = max(1, info.frames)
    return ChannelLevels(power=tuple((power / frames).tolist()), speech_power=tuple((speech / frames).tolist()))


def _band_power(samples: audio_io.Samples, window: audio_io.Samples, bins: slice) -> NDArray[np.float64]:
    """Add up the power of some bins of each channel, shape (channels,); a short block is padded with silence."""
    spectrum = np.fft.rfft(samples * window[: len(samples)], n=_WINDOW_FRAMES, axis=0)[bins]
    return np.square(np.abs(spectrum), dtype=np.float64).sum(axis=0)
