"""Sounds are heard at their own times, whatever the format."""

from pathlib import Path

import numpy as np
import pytest

from tests.bench.clock import MAX_DRIFT_S, OFFSET, find_drift, measure, spread, write_markers
from tests.pipeline.clips import prepare_speech

SECONDS = 130.0


@pytest.fixture(scope="module")
def markers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clock") / "markers.wav"
    write_markers(path, SECONDS, spread(SECONDS))
    return path


@pytest.mark.parametrize("name", ["cbr.mp3", "plain.m4a", "plain.opus", "offset.mp4", "offset.mkv", "jumpy.mp4"])
def test_no_format_shifts_a_sound(tmp_path: Path, markers: Path, name: str) -> None:
    drift = measure(name, markers, SECONDS, tmp_path)
    assert len(drift) == 5
    assert np.abs(drift).max() <= MAX_DRIFT_S
    assert np.ptp(drift) <= 0.001


def test_the_measure_sees_a_shift(tmp_path: Path) -> None:
    write_markers(tmp_path / "late.wav", 12.0, [1.0 + OFFSET, 7.0])
    prepared = prepare_speech(tmp_path / "late.wav", tmp_path / "out")
    assert find_drift(prepared.speech, 0.0, [1.0, 7.0]) == pytest.approx([OFFSET, 0.0], abs=0.001)
