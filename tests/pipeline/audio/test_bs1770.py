"""Loudness in memory, against ffmpeg's meter."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.bs1770 import integrated_loudness, k_weighting
from pipeline.audio.channels import LAYOUTS, default_layout
from pipeline.media.sound.loudness_meter import measure
from tests.pipeline.mix.voices import RATE, silence, spread, voice


def test_the_filters_are_those_of_the_standard() -> None:
    """ITU-R BS.1770-5, annex 1, tables 1 and 2, for 48 kHz."""
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585]
    high_pass = [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]
    assert k_weighting(48_000) == pytest.approx(np.array([shelf, high_pass]), abs=1e-8)


@pytest.mark.integration
@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_the_loudness_of_a_line_is_that_of_another_meter(tmp_path: Path, layout: str) -> None:
    rate, channels = 48_000, len(LAYOUTS[layout].channels)
    level = np.linspace(0.02, 0.2, channels, dtype=np.float32)
    samples = spread(4.0, [(1.0, voice(1.5, 0.2, rate=rate)), (3.0, voice(0.6, 0.02, rate=rate))], rate=rate) * level
    with audio_io.SoundWriter(tmp_path / "a.flac", sample_rate=rate, channels=channels, layout=LAYOUTS[layout]) as file:
        file.write(samples)
    expected = measure(tmp_path / "a.flac").integrated
    assert integrated_loudness(samples, rate, LAYOUTS[layout]) == pytest.approx(expected, abs=0.1)


def test_what_is_silent_has_no_loudness() -> None:
    assert integrated_loudness(silence(1.0), RATE, default_layout(1)) is None
    assert integrated_loudness(silence(0.0), RATE, default_layout(1)) is None
    assert integrated_loudness(voice(0.1), RATE, default_layout(1)) == pytest.approx(-20.0, abs=4.0)
