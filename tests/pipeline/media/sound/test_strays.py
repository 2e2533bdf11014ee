"""Single time stamps that lie far off make no hours of silence; gaps stay."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.media import clip_tools
from pipeline.media.probe import probe
from tests.pipeline.clips import extract, ffmpeg, make_click


def click_at(sound: Path) -> float:
    """When the first loud sample is heard, seconds."""
    samples = np.abs(audio_io.read(sound)).max(axis=1)
    return float(np.argmax(samples > 0.2)) / audio_io.info(sound).sample_rate


def make_flv(path: Path) -> list[int]:
    """Write a sound of 6 s with a click at 5 s, and return where the stamps of its packets lie in the file."""
    click = make_click(path.parent / "click.wav", at=5.0, seconds=6.0, rate=44_100)
    ffmpeg("-i", click, "-c:a", "libmp3lame", path)
    data, at, places = path.read_bytes(), 13, list[int]()
    while at < len(data):
        if data[at] == 8:
            places.append(at + 4)
        at += 15 + int.from_bytes(data[at + 1 : at + 4], "big")
    return places


def move_flv_stamps(path: Path, places: list[int], seconds: float) -> None:
    data = bytearray(path.read_bytes())
    for at in places:
        stamp = int.from_bytes(bytes((data[at + 3], *data[at : at + 3])), "big") + round(seconds * 1000)
        data[at : at + 4] = bytes((*stamp.to_bytes(4, "big")[1:], stamp >> 24))
    path.write_bytes(data)


@pytest.mark.parametrize("place", [slice(100, 101), slice(100, 104), slice(-1, None)])
@pytest.mark.parametrize("ahead", [4.0, 5000.0])
def test_single_stamps_far_off_are_told_and_not_followed(tmp_path: Path, place: slice, ahead: float) -> None:
    path = tmp_path / "a.flv"
    places = make_flv(path)
    before = extract(path, tmp_path / "whole")
    move_flv_stamps(path, places[place], ahead)
    facts = extract(path, tmp_path / "out")
    if place.stop is None and ahead == 4.0:  # a little sound after a gap
        assert facts.duration == pytest.approx(10.0, abs=0.1)
        assert any("is not in the file" in note for note in facts.notes)
        return
    assert "Some time stamps of the sound lie far off; they are not followed." in facts.notes
    assert not any("in the file" in note for note in facts.notes)
    assert facts.duration == pytest.approx(before.duration, abs=0.05)
    assert click_at(facts.sound) == pytest.approx(click_at(before.sound), abs=0.02)
    clip_tools.cut(path, probe(path), tmp_path / "part.wav", start=4.0, end=6.0)
    assert click_at(tmp_path / "part.wav") == pytest.approx(click_at(before.sound) - 4.0, abs=0.02)


def test_a_gap_of_minutes_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.flv"
    places = make_flv(path)
    move_flv_stamps(path, places[100:], 200.0)
    facts = extract(path, tmp_path / "out")
    assert facts.duration == pytest.approx(206.0, abs=0.1)
    assert any("200.0 s of the sound at 0:02 is not in the file" in note for note in facts.notes)
    assert click_at(facts.sound) == pytest.approx(205.0, abs=0.1)
