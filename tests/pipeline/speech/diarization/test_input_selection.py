"""The whole sound is heard where the voices stand out, and less of the background where they do not."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.errors import DiarizationError
from pipeline.speech.diarization.input_selection import (
    BACKGROUND_GAIN,
    FRAME_SAMPLES,
    MIN_CLEAR_RATIO_DB,
    blend_background,
    select_input,
)

RATE = 16_000


def write(folder: Path, name: str, samples: NDArray[np.float32]) -> Path:
    path = folder / f"{name}.flac"
    audio_io.write(path, samples[:, None].astype(np.float32), RATE, subtype="PCM_24")
    return path


def made(folder: Path, level: float) -> tuple[Path, Path, NDArray[np.float32], NDArray[np.float32]]:
    """A mix and its voices, which are heard half of the time, `level` dB above the rest then."""
    chance = np.random.default_rng(1)
    voices = (0.1 * chance.standard_normal(70 * RATE)).astype(np.float32)
    voices[: 35 * RATE] = 0.0
    rest = (0.1 * 10 ** (-level / 20) * chance.standard_normal(70 * RATE)).astype(np.float32)
    return write(folder, "mix", voices + rest), write(folder, "voices", voices), voices, rest


@pytest.mark.parametrize(
    ("level", "gain", "reason"),
    [
        (12.0, 1.0, "12 dB louder"),
        (MIN_CLEAR_RATIO_DB + 1, 1.0, "3 dB louder"),
        (MIN_CLEAR_RATIO_DB - 1, BACKGROUND_GAIN, "1 dB louder"),
        (-4.0, BACKGROUND_GAIN, "4 dB quieter"),
    ],
)
def test_the_choice_follows_the_level_while_somebody_speaks(
    tmp_path: Path, level: float, gain: float, reason: str
) -> None:
    mix, voices, *_ = made(tmp_path, level)
    hearing = select_input(mix, voices)
    assert hearing.background_gain == gain
    assert reason in hearing.reason


@pytest.mark.parametrize("frames", [FRAME_SAMPLES // 2, 3 * RATE])
def test_without_voices_the_whole_sound_is_heard(tmp_path: Path, frames: int) -> None:
    mix = write(tmp_path, "mix", np.full(frames, 0.1, np.float32))
    voices = write(tmp_path, "voices", np.zeros(frames, np.float32))
    hearing = select_input(mix, voices)
    assert hearing.background_gain == 1.0
    assert "no voices" in hearing.reason


def test_a_blend_keeps_the_voices_and_a_part_of_the_rest(tmp_path: Path) -> None:
    mix, voices, own, rest = made(tmp_path, 0.0)
    blended = np.concatenate(list(blend_background(mix, voices, 0.3)))
    np.testing.assert_allclose(blended, own + 0.3 * rest, atol=1e-6)


def test_voices_of_another_length_are_refused(tmp_path: Path) -> None:
    mix = write(tmp_path, "mix", np.zeros(RATE, np.float32))
    with pytest.raises(DiarizationError):
        select_input(mix, write(tmp_path, "voices", np.zeros(RATE + 1, np.float32)))
