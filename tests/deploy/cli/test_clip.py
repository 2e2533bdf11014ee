"""`stemcord clip`: each tool makes its file through the queue, or ends with 2, one sentence and no file."""

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from deploy.cli import build_app
from pipeline.clip_options import TOOL_NAMES
from pipeline.media.probe import probe
from tests.pipeline.clips import ffmpeg, make_clip

APP = build_app(["clip"])


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STEMCORD_REDIS_URL", raising=False)
    return make_clip(tmp_path / "clip.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", seconds=2)


@pytest.mark.timeout(300)
def test_each_makes_its_file(tmp_path: Path, clip: Path) -> None:
    sizes = {
        ("cut", "a.mp4", "--from", "0:00.5", "--to", "1.5"): (64, 48),
        ("resize", "b.mp4", "--width", "32"): (32, 24),
        ("turn", "c.mp4", "--to", "left"): (48, 64),
        ("frame", "d.jpeg", "--at", "1"): (64, 48),
        ("gif", "e.webp", "--from", "0.5", "--rate", "10"): (64, 48),
        ("sheet", "f.png", "--columns", "2", "--rows", "1"): None,
        ("audio", "g.opus", "--to", "1"): None,
    }
    for (tool, name, *options), size in sizes.items():
        out = tmp_path / name
        done = CliRunner().invoke(APP, ["clip", tool, str(clip), "--out", str(out), *options])
        assert done.exit_code == 0, done.output
        assert f"File  {out}" in done.output
        if size is not None and out.suffix == ".mp4":
            video = probe(out).media.video
            assert video is not None
            assert (video.width, video.height) == size
        elif size is not None:
            with Image.open(out) as picture:
                assert picture.size == size
    assert probe(tmp_path / "a.mp4").media.duration == pytest.approx(1.0, abs=0.05)
    assert probe(tmp_path / "g.opus").media.duration == pytest.approx(1.0, abs=0.02)
    assert list(tmp_path.glob(".stemcord-*")) == []


@pytest.mark.timeout(300)
def test_what_the_clip_lacks_is_said_and_nothing_is_left(tmp_path: Path, clip: Path) -> None:
    ffmpeg("-i", clip, "-vn", "-c:a", "copy", tmp_path / "sound.m4a")
    for arguments, sentence in (
        (("cut", clip, "--from", "5", "--out", "a.mp4"), "The clip lasts 0:02, so there is nothing at 0:05."),
        (("frame", tmp_path / "sound.m4a", "--out", "a.png"), "The clip has no picture."),
        (("cut", tmp_path / "sound.m4a", "--from", "1", "--out", "a.mp4"), "End the name with m4a."),
    ):
        tool, source, *options, name = arguments
        done = CliRunner().invoke(APP, ["clip", tool, str(source), *options, str(tmp_path / name)])
        assert done.exit_code == 2, done.output
        assert sentence in done.output
    assert list(tmp_path.glob("a.*")) == []
    assert list(tmp_path.glob(".stemcord-*")) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cut", "--out", "a.mp4", "--from", "2", "--to", "1"], "is empty"),
        (["cut", "--out", "a.mp4", "--from", "nan"], "nan is no time"),
        (["cut", "--out", "a.mp4", "--from=-3"], "is no time"),
        (["cut", "--out", "a.mp4"], "needs a beginning or an end"),
        (["cut", "--out", "a.mkv", "--to", "1"], "End the name with mp4 or m4a"),
        (["resize", "--out", "a.mp4", "--width", "0"], "0 cannot be used for width. Choose a number from 16 to 4096"),
        (["resize", "--out", "a.mp4", "--width", "nan"], "nan is no number"),
        (["resize", "--out", "a.mp4", "--width", "inf"], "inf is no number"),
        (["resize", "--out", "a.mp4", "--width", "99", "--height", "9"], "9 cannot be used for height"),
        (["resize", "--out", "a.mp4", "--width", "64", "--fit", "x,y"], "x,y cannot be used for fit"),
        (["fps", "--out", "a.mp4", "--rate", "10000"], "10000 cannot be used for fps"),
        (["gif", "--out", "a.gif", "--to", "1:00:00"], "at most 30 s"),
        (["gif", "--out", "a.mp4"], "End the name with gif or webp"),
        (["turn", "--out", "a.mp4", "--to", "hflip,vflip"], "cannot be used for turn"),
        (["captions", "--out", "a.mp4", "--language", "klingon"], "option language cannot be used"),
        (["audio", "--out", "a.mp3", "--track", "0"], "option track cannot be used"),
        (["cut", "--to", "1", "--out", "no/a.mp4"], "folder that exists"),
        (["cut", "--to", "1", "--out", "clip.mp4"], "itself would be replaced"),
    ],
)
def test_options_that_make_no_sense_start_nothing(
    clip: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(clip.parent)
    known = clip.read_bytes()
    done = CliRunner().invoke(APP, ["clip", arguments[0], str(clip), *arguments[1:]])
    assert done.exit_code == 2, done.output
    assert sentence in done.output
    assert sorted(path.name for path in clip.parent.iterdir()) == ["clip.mp4"]
    assert clip.read_bytes() == known


def test_every_tool_is_a_command() -> None:
    shown = CliRunner().invoke(APP, ["clip", "--help"], env={"COLUMNS": "200"}).stdout
    assert [name for name in TOOL_NAMES if f" {name} " not in shown] == []
