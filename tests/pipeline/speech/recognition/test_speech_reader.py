"""Which windows hold something to recognise."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.speech.recognition.chunking import Chunk, Window
from pipeline.speech.recognition.speech_reader import SAMPLE_RATE, SpeechReader


def audible(folder: Path, *peaks: float) -> list[bool]:
    """Whether each second of a sound with these peaks (dBFS) is audible."""
    noise = np.random.default_rng(2).uniform(-1, 1, (len(peaks), SAMPLE_RATE))
    samples = (noise * [[10 ** (peak / 20)] for peak in peaks]).reshape(-1, 1)
    audio_io.write(folder / "speech.flac", samples.astype(np.float32), SAMPLE_RATE, subtype="PCM_16")
    reader = SpeechReader(folder / "speech.flac")
    return [reader.is_audible(Window(chunks=(Chunk(start=at, end=at + 1.0, offset=0.0),))) for at in range(len(peaks))]


@pytest.mark.parametrize(
    ("peaks", "expected"),
    [
        ((-10.0, -55.0, -65.0), [True, True, False]),
        ((-62.0, -65.0, -100.0), [True, True, False]),
        ((-62.0,), [True]),
        ((-200.0,), [False]),
        ((-95.0,), [False]),
    ],
)
def test_windows_of_a_soft_sound_are_audible(tmp_path: Path, peaks: tuple[float, ...], expected: list[bool]) -> None:
    assert audible(tmp_path, *peaks) == expected
