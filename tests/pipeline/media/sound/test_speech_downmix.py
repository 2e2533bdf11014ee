"""Speech models hear the centre where the voices are there, and everybody else where they are not."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.channels import LAYOUTS
from pipeline.audio.levels import measure_levels
from tests.pipeline.clips import heard_tones, prepare_speech

RATE = 48_000
TONES = (500.0, 700.0, 1000.0, 80.0, 1500.0, 2000.0)
CENTRE = "Speech is listened to in the centre channel, which has most of it; the others are 12 dB down."
ALL = "Speech is listened to in all channels but the LFE, since the centre does not have most of it."


def surround(path: Path, levels: tuple[float, ...], name: str = "5.1") -> Path:
    """A tone in each channel at its level."""
    time = np.arange(RATE) / RATE
    waves = [level * np.sin(2 * np.pi * tone * time) for tone, level in zip(TONES, levels, strict=False)]
    with audio_io.SoundWriter(path, sample_rate=RATE, channels=len(waves), layout=LAYOUTS[name]) as writer:
        writer.write(np.stack(waves, axis=1).astype(np.float32))
    return path


def listen(tmp_path: Path, source: Path) -> tuple[list[float], object]:
    """Amplitudes of the tones in what speech models hear, and the notes."""
    facts = prepare_speech(source, tmp_path / "out")
    heard = audio_io.read(facts.speech)
    assert (facts.duration, heard.shape) == (1.0, (16_000, 1))
    return heard_tones(heard, TONES, 16_000)[0].tolist(), facts.notes


def test_the_centre_is_heard_where_it_has_the_voices(tmp_path: Path) -> None:
    heard, notes = listen(tmp_path, surround(tmp_path / "a.flac", (0.1, 0.1, 0.3, 0.5, 0.05, 0.05)))
    gains = np.array(heard) / (0.1, 0.1, 0.3, 0.5, 0.05, 0.05)
    assert notes == (CENTRE,)
    assert gains / gains[2] == pytest.approx((0.177, 0.177, 1, 0, 0.125, 0.125), abs=0.003)
    assert gains[2] == pytest.approx(1 / 1.604, abs=0.005)


def test_all_channels_are_heard_where_the_centre_has_little(tmp_path: Path) -> None:
    heard, notes = listen(tmp_path, surround(tmp_path / "a.flac", (0.3, 0.3, 0.1, 0.5, 0.3, 0.3)))
    gains = np.array(heard) / (0.3, 0.3, 0.1, 0.5, 0.3, 0.3)
    assert notes == (ALL,)
    assert gains / gains[2] == pytest.approx((0.707, 0.707, 1, 0, 0.5, 0.5), abs=0.01)


def test_an_empty_centre_takes_nothing_off_the_others(tmp_path: Path) -> None:
    heard, notes = listen(tmp_path, surround(tmp_path / "a.flac", (0.4, 0, 0, 0, 0, 0)))
    assert notes == (ALL,)
    assert heard[0] == pytest.approx(0.4 * 0.7071, abs=0.003)


def test_full_scale_in_every_channel_does_not_clip(tmp_path: Path) -> None:
    for levels in ((0.99,) * 6, (0.3, 0.3, 0.99, 0.99, 0.3, 0.3)):
        heard, _ = listen(tmp_path, surround(tmp_path / "a.flac", levels))
        assert sum(heard) <= 1.0


def test_the_lfe_is_found_by_its_name(tmp_path: Path) -> None:
    heard, _ = listen(tmp_path, surround(tmp_path / "a.flac", (0.2, 0.2, 0.2), "2.1"))
    assert heard[:2] == pytest.approx([0.1, 0.1], abs=0.003)
    assert heard[2] < 1e-3


def test_mono_is_heard_as_it_is(tmp_path: Path) -> None:
    source = surround(tmp_path / "a.flac", (0.4,), "mono")
    facts = prepare_speech(source, tmp_path / "out")
    assert (facts.duration, facts.notes) == (1.0, ())
    assert heard_tones(audio_io.read(facts.speech), TONES, 16_000)[0][0] == pytest.approx(0.4, abs=1e-3)


def test_levels_know_the_speech_band(tmp_path: Path) -> None:
    told: list[float] = []
    levels = measure_levels(surround(tmp_path / "a.flac", (0.2, 0, 0.4, 0.5, 1e-4, 0.1)), told.append)
    assert levels.power == pytest.approx([0.02, 0, 0.08, 0.125, 5e-9, 0.005], rel=1e-3, abs=1e-10)
    assert levels.speech_power == pytest.approx([0.02, 0, 0.08, 0, 5e-9, 0.005], rel=0.02, abs=1e-5)
    assert [levels.is_silent(index) for index in range(6)] == [False, True, False, False, True, False]
    assert told[-1] == 1.0
