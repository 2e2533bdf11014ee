"""The sound file for speech models, read window by window, so that no long clip lies in memory."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.errors import TranscriptionError
from pipeline.speech.recognition.chunking import GAP_SECONDS, Window

SAMPLE_RATE = 16_000
MIN_AUDIBLE_PEAK = 10 ** (-60 / 20)
"""Peak, linear; a window that stays below it holds no speech."""
QUIET_FRAME_SECONDS = 0.05
"""Seconds over which loudness is taken where a cut has to be found."""


class SpeechReader:
    """16 kHz mono; raises `TranscriptionError` for any other sound."""

    def __init__(self, path: Path) -> None:
        self._path = path
        info = audio_io.info(path)
        if info.sample_rate != SAMPLE_RATE or info.channels != 1:
            raise TranscriptionError(
                "The sound for the recogniser is not 16 kHz mono.",
                detail=f"{path}: {info.sample_rate} Hz, {info.channels} channels",
            )
        self.duration = info.duration

    def read(self, start: float, end: float) -> NDArray[np.float32]:
        """Samples between two times."""
        first = round(start * SAMPLE_RATE)
        return audio_io.read(self._path, start=first, frames=max(0, round(end * SAMPLE_RATE) - first))[:, 0]

    def read_window(self, window: Window) -> NDArray[np.float32]:
        """The sound of a window, silence between its pieces included."""
        gap = np.zeros(round(GAP_SECONDS * SAMPLE_RATE), np.float32)
        parts: list[NDArray[np.float32]] = []
        for piece in window.chunks:
            parts += [self.read(piece.start, piece.end), gap]
        return np.concatenate(parts[:-1])

    def is_audible(self, window: Window) -> bool:
        """False for digital silence and the like, which the recogniser would put words to."""
        return any(
            np.abs(self.read(piece.start, piece.end)).max(initial=0.0) > MIN_AUDIBLE_PEAK for piece in window.chunks
        )

    def find_quietest(self, start: float, end: float) -> float:
        """The middle of the quietest moment between two times."""
        size = round(QUIET_FRAME_SECONDS * SAMPLE_RATE)
        samples = self.read(start, end)
        powers = np.square(samples[: len(samples) // size * size]).reshape(-1, size).mean(axis=1)
        if len(powers) < 4:
            return (start + end) / 2
        smooth = np.convolve(powers, np.ones(3) / 3, mode="valid")
        return start + (int(smooth.argmin()) + 1.5) * QUIET_FRAME_SECONDS
