"""On POSIX a file name is any bytes: every command works with it or says one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from deploy.cli import build_app
from deploy.cli.printable import artefact_name, printable
from pipeline.types import Result
from tests.pipeline.clips import make_clip

APP = build_app()
NAMES = {
    "latin-1": b"caf\xe9",
    "no text at all": b"\xff\xfe\x80",
    "newline": b"a\nb",
    "escape sequence": b"a\x1b[31mb",
    "markup": b"[red]a[bold] %d {b}",
    "pattern": b"a%03d",
    "emoji": "a\N{GRINNING FACE}".encode(),
    "right to left": "a\N{RIGHT-TO-LEFT OVERRIDE}b".encode(),
    "quotes": b"a'b\"c\\ ",
    "as long as can be": b"x" * 251,
    "dash": b"-a",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path / "home"))
    made = tmp_path / "clips"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


@pytest.mark.parametrize("command", ["audio", "cut", "frame"])
@pytest.mark.parametrize("kind", NAMES)
def test_each_tool_takes_any_name(folder: Path, command: str, kind: str) -> None:
    name = os.fsdecode(NAMES[kind])
    make_clip(folder / "made.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac").rename(
        folder / f"{name}.mp4"
    )
    out = name + {"audio": ".mp3", "cut": ".wav", "frame": ".png"}[command]
    done = CliRunner().invoke(APP, [command, "--out", f"./{out}", "--", f"{name}.mp4"])
    assert done.exit_code == 0, done.output
    assert (folder / out).stat().st_size > 50
    assert done.output.count("\n") == 1
    assert "\x1b" not in done.output


@pytest.mark.parametrize("command", ["audio", "cut", "frame", "run"])
@pytest.mark.parametrize(
    ("name", "sentence"), [(b"no\xe9.mp4", r"no file no\xe9.mp4"), (b"x" * 300 + b".mp4", "File name too long")]
)
def test_a_name_that_is_not_there_is_one_sentence(folder: Path, command: str, name: bytes, sentence: str) -> None:
    done = CliRunner().invoke(APP, [command, os.fsdecode(name), "--out", "a"])
    assert done.exit_code == 2
    assert sentence in done.output
    assert done.output.count("\n") == 1


def test_a_target_with_too_long_a_name_is_one_sentence(folder: Path) -> None:
    make_clip(folder / "a.wav", picture=False)
    done = CliRunner().invoke(APP, ["audio", "a.wav", "--out", "x" * 300 + ".mp3"])
    assert done.exit_code == 2
    assert "cannot be used: File name too long" in done.output


def test_a_speaker_whose_name_is_no_text_is_one_sentence(folder: Path) -> None:
    make_clip(folder / "a.wav", picture=False)
    done = CliRunner().invoke(APP, ["run", "a.wav", "--out", "o", "--speaker", os.fsdecode(b"\xe9=1")])
    assert done.exit_code == 2
    assert done.output.count("\n") == 1


@pytest.mark.parametrize("kind", ["latin-1", "as long as can be"])
def test_a_clip_and_a_folder_with_any_name_are_run(folder: Path, kind: str) -> None:
    name = NAMES[kind]
    make_clip(folder / "made.wav", picture=False).rename(folder / os.fsdecode(name + b".wav"))
    words: list[bytes | str] = ["run", name + b".wav", "--out", name, "--task", "separate", "--route", "basic"]
    program = "from deploy.cli import main; main()"
    # A terminal of most systems refuses what is no UTF-8.
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, timeout=120, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    result = msgspec.json.decode((folder / os.fsdecode(name) / "result.json").read_bytes(), type=Result)
    assert [artefact.name for artefact in result.artefacts] == ["audio.wav", "report.png"]
    assert printable(os.fsdecode(name))[:20] in done.stdout.decode()


def test_what_cannot_be_printed_is_escaped() -> None:
    assert printable(os.fsdecode(b"caf\xe9\n\x1b")) == r"caf\xe9\n\x1b"
    assert printable("naïve 話 \N{GRINNING FACE} [b]") == "naïve 話 \N{GRINNING FACE} [b]"
    assert printable("a\N{RIGHT-TO-LEFT OVERRIDE}b") == r"a\u202eb"
    assert artefact_name(Path(os.fsdecode(b"clips/caf\xe9\n.wav"))) == "caf__.wav"
