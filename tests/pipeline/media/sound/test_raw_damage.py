"""Damage within sounds that have no time stamps is told and, where its length can be known, moves nothing."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.media import clip_tools
from pipeline.media.containers.raw_frames import find_damage
from pipeline.media.probe import probe
from tests.pipeline.clips import extract, ffmpeg

CODINGS = {
    "a.mp3": ("-c:a", "libmp3lame", "-b:a", "128k"),
    "xing.mp3": ("-c:a", "libmp3lame", "-b:a", "128k", "-ar", "44100"),
    "bare.mp3": ("-c:a", "libmp3lame", "-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0"),
    "low.mp3": ("-c:a", "libmp3lame", "-b:a", "32k", "-ar", "22050"),
    "a.mp2": ("-c:a", "mp2", "-b:a", "192k"),
    "a.ac3": ("-c:a", "ac3", "-b:a", "192k"),
    "a.eac3": ("-c:a", "eac3", "-b:a", "128k"),
}
RANDOM = np.random.default_rng(17)


def click_clip(path: Path, *coding: str) -> Path:
    """A soft noise of 8 s with a loud burst at 6 s."""
    samples = np.random.default_rng(3).uniform(-0.02, 0.02, (8 * 48_000, 1)).astype(np.float32)
    samples[6 * 48_000 : 6 * 48_000 + 2400] *= 20
    audio_io.write(path.parent / "click.wav", samples, 48_000)
    ffmpeg("-i", path.parent / "click.wav", *coding, path)
    return path


def loud_at(sound: Path, after: float = 5.0) -> float:
    """When the burst is heard; frames beside the damage may be loud as well."""
    rate = audio_io.info(sound).sample_rate
    samples = np.abs(audio_io.read(sound)).max(axis=1)[int(after * rate) :]
    return after + float(np.argmax(samples > 0.15)) / rate


@pytest.mark.parametrize("name", CODINGS)
def test_bytes_that_are_no_frames_move_nothing_and_are_told(tmp_path: Path, name: str) -> None:
    path = click_clip(tmp_path / name, *CODINGS[name])
    before = extract(path, tmp_path / "whole")
    data = bytearray(path.read_bytes())
    start, count = len(data) // 3, len(data) // 10
    data[start : start + count] = RANDOM.bytes(count)
    path.write_bytes(data)
    facts = extract(path, tmp_path / "out")
    assert facts.duration == pytest.approx(before.duration, abs=0.03)
    assert loud_at(facts.sound) == pytest.approx(loud_at(before.sound), abs=0.02)
    assert [note for note in facts.notes if "0.8 s of the sound at 0:02 could not be decoded" in note], facts.notes
    clip_tools.cut(path, probe(path), tmp_path / "part.wav", start=5.0, end=7.0)
    assert loud_at(tmp_path / "part.wav", 0.2) == pytest.approx(loud_at(before.sound) - 5.0, abs=0.02)


def test_damaged_adts_is_told_and_nearly_on_time(tmp_path: Path) -> None:
    path = click_clip(tmp_path / "a.aac", "-c:a", "aac", "-b:a", "96k")
    before = extract(path, tmp_path / "whole")
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 2] = RANDOM.bytes(len(data) // 2 - len(data) // 3)
    path.write_bytes(data)
    facts = extract(path, tmp_path / "out")
    assert loud_at(facts.sound) == pytest.approx(loud_at(before.sound), abs=0.1)
    assert any("of the sound at 0:02 could not be decoded" in note for note in facts.notes), facts.notes


@pytest.mark.parametrize("name", ["a.mp3", "a.ac3"])
def test_several_holes_are_each_in_their_place(tmp_path: Path, name: str) -> None:
    path = click_clip(tmp_path / name, *CODINGS[name])
    before = extract(path, tmp_path / "whole")
    data = bytearray(path.read_bytes())
    for part in (0.2, 0.4, 0.6):
        start = int(len(data) * part)
        data[start : start + 6000] = bytes(6000)
    path.write_bytes(data)
    facts = extract(path, tmp_path / "out")
    assert loud_at(facts.sound) == pytest.approx(loud_at(before.sound), abs=0.02)
    note = next(note for note in facts.notes if "could not be decoded" in note)
    assert [place in note for place in ("0:01", "0:03", "0:04")] == [True] * 3, note


@pytest.mark.parametrize("name", ["a.mp3", "a.aac", "a.ac3"])
def test_bytes_that_were_lost_are_told(tmp_path: Path, name: str) -> None:
    path = click_clip(tmp_path / name, *CODINGS.get(name, ("-c:a", "aac")))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + data[len(data) // 2 + 5050 :])
    notes = extract(path, tmp_path / "out").notes
    assert any("The sound is damaged at 0:0" in note for note in notes), notes


@pytest.mark.parametrize("name", [*CODINGS, "a.aac"])
def test_whole_files_have_no_damage(tmp_path: Path, name: str) -> None:
    path = click_clip(tmp_path / name, *CODINGS.get(name, ("-c:a", "aac")))
    assert probe(path).damage is None
    assert extract(path, tmp_path / "out").notes == ()


def test_tags_between_recordings_are_no_damage(tmp_path: Path) -> None:
    part = click_clip(tmp_path / "part.mp3", *CODINGS["a.mp3"]).read_bytes()
    tags = b"TAG" + bytes(125), b"ID3\x03\0\0\0\0\x0f\x7f" + b"\x01" * 2047
    path = tmp_path / "joined.mp3"
    path.write_bytes(part + tags[0] + tags[1] + part)
    assert probe(path).damage is None
    assert probe(path).media.duration == pytest.approx(16.0, abs=0.1)


def test_what_is_no_sound_for_long_is_told_and_not_filled(tmp_path: Path) -> None:
    part = click_clip(tmp_path / "part.mp3", *CODINGS["low.mp3"]).read_bytes()
    path = tmp_path / "joined.mp3"
    path.write_bytes(part + RANDOM.bytes(2_000_000) + part)
    assert probe(path).media.duration == pytest.approx(16.0, abs=0.2)
    assert any("The sound is damaged at 0:08" in note for note in extract(path, tmp_path / "out").notes)


def test_a_file_made_of_beginnings_of_frames_is_given_up_soon(tmp_path: Path) -> None:
    part = click_clip(tmp_path / "part.mp3", *CODINGS["a.mp3"]).read_bytes()
    path = tmp_path / "hostile.mp3"
    path.write_bytes(part + b"\xff\xfb\x90\x64" * 2_000_000)
    first = part.find(b"\xff\xfb")
    damage = find_damage(path, first)
    assert damage is None or damage.whole_duration < 2000
