"""The commands that need no engine: exports made anew, and a voice-book."""

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import build_app
from pipeline.speech.speakers.matching import Voice, VoiceBook
from pipeline.speech.speakers.voice_book import read_book, write_book
from tests.pipeline.export.dialogue import talk


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path / "home"))


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(build_app(), [str(each) for each in arguments], env={"COLUMNS": "200"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "transcript.json").write_bytes(msgspec.json.encode(talk()))
    return tmp_path / "job"


def test_exports_are_made_anew_with_other_names(folder: Path) -> None:
    out = folder.parent / "new"
    result = call("export", folder, "--name", "S1=Anna", "--line-length", "20", "--out", out)
    assert result.exit_code == 0, result.output
    kinds = {"json", "txt", "md", "srt", "vtt", "ass", "rttm", "TextGrid", "docx", "csv", "talktime.csv", "xlsx", "edl"}
    assert {path.name for path in out.iterdir()} == {f"transcript.{kind}" for kind in kinds}
    lines = (out / "transcript.vtt").read_text().splitlines()
    assert any(line.startswith("<v Anna>") for line in lines)
    again = call("export", out / "transcript.json", "--name", "Anna=Ada", "--out", out)
    assert again.exit_code == 0, again.output
    assert " Ada " in (out / "transcript.rttm").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--name", "S9=Anna"), "no speaker"),
        (("--name", "Anna"), "S1=Anna"),
        (("--line-length", "3"), "line_length"),
        (("--reading-speed", "nan"), "reading_speed"),
        (("--min-duration", "-1"), "min_duration"),
    ],
)
def test_what_cannot_be_exported_is_said(arguments: tuple[str, ...], says: str, folder: Path) -> None:
    result = call("export", folder, *arguments, "--out", folder.parent / "new")
    assert result.exit_code == 2
    assert says in result.output
    assert not (folder.parent / "new").exists()


def test_a_broken_transcript_ends_with_one_sentence(folder: Path) -> None:
    (folder / "transcript.json").write_text("{")
    result = call("export", folder, "--out", folder.parent / "new")
    assert result.exit_code == 2
    assert "transcript.json is not a whole transcript" in result.output


def test_voices_are_listed_and_forgotten(tmp_path: Path) -> None:
    book = tmp_path / "book.json"
    write_book(VoiceBook(model="m", digest="d", voices=(Voice(name="Anna", vector=(1.0,), seconds=9.0),)), book)
    assert "Anna" in call("voices", "list", "--book", book).output
    assert call("voices", "forget", "Anna", "--book", book).exit_code == 0
    assert read_book(book).voices == ()
    assert call("voices", "forget", "Anna", "--book", book).exit_code == 2


def test_a_run_with_a_book_of_another_model_ends_before_it_starts(tmp_path: Path) -> None:
    book = tmp_path / "book.json"
    write_book(VoiceBook(model="m", digest="d", voices=(Voice(name="Anna", vector=(1.0,), seconds=9.0),)), book)
    (tmp_path / "clip.wav").write_bytes(b"x")
    result = call("run", tmp_path / "clip.wav", "--voices", book, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "was made with m" in result.output


def test_enrolling_from_nothing_is_refused(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "none.wav"):
        result = call("voices", "enrol", source, "--name", "Anna", "--book", tmp_path / "book.json")
        assert result.exit_code == 2, result.output
    assert not (tmp_path / "book.json").exists()
