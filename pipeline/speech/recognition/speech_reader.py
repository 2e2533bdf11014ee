"""Reading of the recogniser's sound file window by window, so that no long clip lies in memory."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.audio.voice_activity import frame_powers
from pipeline.errors import TranscriptionError
from pipeline.speech.recognition.chunking import GAP_SECONDS, Window

SAMPLE_RATE = 16_000
MIN_AUDIBLE_PEAK = 10 ** (-60 / 20)
"""Linear; a window that stays below it holds no speech, ..."""
SOFT_PEAK = 10 ** (-36 / 20)
"""... unless the whole sound stays below this; then it must only be about as loud as the rest, ..."""
SOFT_RANGE = 10 ** (-30 / 20)
MIN_SOUND_PEAK = 2.5 / 2**15
"""... and louder than the last steps of 16 bit."""
QUIET_FRAME_SECONDS = 0.05
"""Over which power is measured where a cut has to be found."""


class SpeechReader:
    """A file of 16 kHz mono sound."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            TranscriptionError: The sound is not 16 kHz mono.
        """
        self._path = path
        info = audio_io.info(path)
        if info.sample_rate != SAMPLE_RATE or info.channels != 1:
            raise TranscriptionError(
                "The sound for the recogniser is not 16 kHz mono.",
                detail=f"{path}: {info.sample_rate} Hz, {info.channels} channels",
            )
        self.duration = info.duration
        self._least_peak: float | None = None

    def read(self, start: float, end: float) -> NDArray[np.float32]:
        """Read the samples between two times in seconds, shape (samples,)."""
        first = round(start * SAMPLE_RATE)
        return audio_io.read(self._path, start=first, frames=max(0, round(end * SAMPLE_RATE) - first))[:, 0]

    def read_window(self, window: Window) -> NDArray[np.float32]:
        """Read a window with the silence between its chunks, shape (samples,)."""
        gap = np.zeros(round(GAP_SECONDS * SAMPLE_RATE), np.float32)
        parts: list[NDArray[np.float32]] = []
        for chunk in window.chunks:
            parts += [self.read(chunk.start, chunk.end), gap]
        return np.concatenate(parts[:-1])

    def is_audible(self, window: Window) -> bool:
        """Tell whether a window is more than digital silence and the like, to which the recogniser invents words."""
        peak = max(float(np.abs(self.read(part.start, part.end)).max(initial=0.0)) for part in window.chunks)
        return peak > MIN_AUDIBLE_PEAK or peak > self._find_least_peak()

    def _find_least_peak(self) -> float:
        """Find the peak from which a window is audible."""
        if self._least_peak is None:
            highest = max((float(np.abs(block).max()) for block in audio_io.read_blocks(self._path)), default=0.0)
            is_soft = highest < SOFT_PEAK
            self._least_peak = max(MIN_SOUND_PEAK, SOFT_RANGE * highest) if is_soft else MIN_AUDIBLE_PEAK
        return self._least_peak

    def find_quietest(self, start: float, end: float) -> float:
        """Find the middle of the quietest moment between two times, all in seconds."""
        powers = frame_powers(self.read(start, end), round(QUIET_FRAME_SECONDS * SAMPLE_RATE))
        if len(powers) < 4:
            return (start + end) / 2
        smooth = np.convolve(powers, np.ones(3) / 3, mode="valid")
        return start + (int(smooth.argmin()) + 1.5) * QUIET_FRAME_SECONDS
