"""`stemcord cut`, `audio` and `frame` end with 0 and a file, or with 2 and one sentence."""

import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from deploy.cli import build_app
from pipeline.media.probe import probe
from tests.pipeline.clips import decode, ffmpeg, make_clip

APP = build_app()


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path / "home"))
    return make_clip(tmp_path / "clip.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", seconds=2)


@pytest.mark.parametrize(
    ("command", "name", "options"),
    [("cut", "a.mp4", ["--from", "0:00.5", "--to", "1.5"]), ("audio", "a.mp3", []), ("frame", "a.png", ["--at", "1"])],
)
def test_each_makes_its_file(tmp_path: Path, clip: Path, command: str, name: str, options: list[str]) -> None:
    done = CliRunner().invoke(APP, [command, str(clip), "--out", str(tmp_path / name), *options])
    assert done.exit_code == 0, done.output
    assert (tmp_path / name).stat().st_size > 200
    if command == "cut":
        assert probe(tmp_path / name).media.audio.lead_in == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("command", ["cut", "audio"])
def test_a_sound_track_can_be_chosen_and_is_named(tmp_path: Path, clip: Path, command: str) -> None:
    two = tmp_path / "two.mkv"
    ffmpeg("-i", clip, "-f", "lavfi", "-i", "sine=880:d=2", "-map", "0", "-map", "1", "-c:v", "copy", two)
    out = tmp_path / "a.wav"
    done = CliRunner().invoke(APP, [command, str(two), "--out", str(out)])
    assert "Sound track 1 of 2 was heard" in done.output
    assert np.abs(np.fft.rfft(decode(out)[:48_000, 0])).argmax() == pytest.approx(440, abs=3)
    done = CliRunner().invoke(APP, [command, str(two), "--out", str(out), "--track", "2"])
    assert "Sound track 2 of 2 was heard" in done.output
    assert np.abs(np.fft.rfft(decode(out)[:44_100, 0])).argmax() == pytest.approx(880, abs=3)
    done = CliRunner().invoke(APP, [command, str(two), "--out", str(out), "--track", "3"])
    assert done.exit_code == 2
    assert "no sound track 3. There are 1 (vorbis, mono), 2" in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cut", "--out", "a.mp4", "--from", "2", "--to", "1"], "is empty"),
        (["cut", "--out", "a.mp4", "--from", "soon"], "is no time"),
        (["audio", "--out", "a.txt"], "cannot be written as"),
        (["frame", "--out", "a.png", "--at", "99"], "ends before"),
    ],
)
def test_bad_input_is_one_sentence(
    clip: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(clip.parent)
    done = CliRunner().invoke(APP, [arguments[0], str(clip), *arguments[1:]])
    assert done.exit_code == 2
    assert sentence in done.output
    assert [path.name for path in clip.parent.iterdir() if path.name.startswith("a.")] == []


def test_limits_of_the_settings_hold(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMCORD_MAX_DURATION", "1")
    done = CliRunner().invoke(APP, ["frame", str(clip), "--out", str(clip.with_name("a.png"))])
    assert done.exit_code == 2
    assert "at most 1 s are allowed" in done.output


NAMES = {
    "not utf-8": b"caf\xe9\xff.wav",
    "line break": b"a\nb\r.wav",
    "one number": b"%d.wav",
    "numbers": b"a%03d.wav",
    "dash": b"-rf.wav",
    "option": b"--out.wav",
    "longest": b"x" * 251 + b".wav",
    "from right to left": "a\u202egnp.wav".encode(),
    "joined files": b"concat:a|b.wav",
    "protocol": b"file:x.wav",
    "data": b"data:audio,x.wav",
    "pipe": b"pipe:0.wav",
    "pattern": b"{a,b}*?[c].wav",
    "quotes": b"q'u\"o`te;$(x).wav",
    "backslash": b"a\\b.wav",
    "colours": b"\x1b[31mred.wav",
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_only_a_name(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path / "home"))
    name = os.fsdecode(NAMES[kind])
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    make_clip(tmp_path / "clip.wav", picture=False).rename(tmp_path / "in" / name)
    monkeypatch.chdir(tmp_path / "in")
    for clip in (name, str(tmp_path / "in" / name)):
        for out in (str(tmp_path / "out" / name), f"../out/{name}"):
            done = CliRunner().invoke(APP, ["audio", f"--out={out}", "--", clip])
            assert done.exit_code == 0, done.output
            assert "\x1b[31m" not in done.output
            assert probe(tmp_path / "out" / name).media.duration == pytest.approx(0.6, abs=0.01)
            (tmp_path / "out" / name).unlink()
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == [name]
    assert list((tmp_path / "out").iterdir()) == []
