"""`stemcord export --edits`: every file follows, and nothing of the original is lost."""

import hashlib
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import build_app
from pipeline.edits.apply import apply_edits
from pipeline.edits.edit_file import encode_edits
from pipeline.edits.lines import EditableTranscript, see
from pipeline.edits.operations import DeleteLine, Edit, GiveWords, RenameSpeaker, SetWords
from pipeline.export.transcripts import read_edited
from pipeline.types import Artefact, SpeakerStem
from pipeline.types import Result as JobResult
from pipeline.types.edited import EditedResult, EditedTranscript
from tests.bot.database.test_repository import result_of
from tests.pipeline.export.dialogue import export, heard, talk
from tests.pipeline.media.subtitled_video import make_subtitled, packets_of, words_in

TALK = EditableTranscript.of(talk())
FIRST, THANKS, QUESTION, DOES = TALK.lines
EDITS: tuple[Edit, ...] = (
    SetWords(seen=see(THANKS), words=("Thanks", "for", "halving", "me.")),
    GiveWords(seen=see(DOES), speaker="S3", name="Zoë"),
    RenameSpeaker(speaker="S1", name="Ann"),
)
TEXTS = ("txt", "md", "srt", "vtt", "ass", "TextGrid")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path / "home"))


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A result's folder with a transcript and its exports."""
    work = tmp_path / "work"
    work.mkdir()
    out, _ = export(talk(), work)
    (out / "transcript.json").write_bytes(msgspec.json.encode(talk()))
    return out.rename(tmp_path / "job")


@pytest.fixture
def edits(tmp_path: Path) -> Path:
    return save(tmp_path / "edits.json", *EDITS)


def save(path: Path, *made: Edit) -> Path:
    path.write_bytes(encode_edits(TALK.duration, made))
    return path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(build_app(), [str(each) for each in arguments], env={"COLUMNS": "200"})


def described(folder: Path, job: JobResult) -> None:
    (folder / "result.json").write_bytes(msgspec.json.encode(job))


def artefact(path: Path) -> Artefact:
    data = path.read_bytes()
    return Artefact(name=path.name, digest=hashlib.sha256(data).hexdigest(), size=len(data), media_type="x/y")


def test_all_exports_say_the_new_words_and_names(job: Path, edits: Path, tmp_path: Path) -> None:
    done = call("export", job, "--edits", edits, "--out", tmp_path / "new")
    assert done.exit_code == 0, done.output
    texts = {kind: (tmp_path / "new" / f"transcript.{kind}").read_text() for kind in (*TEXTS, "rttm")}
    for kind in TEXTS:
        assert "halving" in texts[kind], kind
        assert "having" not in texts[kind], kind
        assert all(name in texts[kind] for name in ("Ann", "Zoë")), kind
        assert "Alice" not in texts[kind], kind
    given = [row.split() for row in texts["rttm"].splitlines() if " Zoë " in row]
    assert [(row[3], row[4]) for row in given] == [("13.100", "0.760")]
    brian = [row.split()[3] for row in texts["rttm"].splitlines() if " Brian " in row]
    assert brian == ["7.900"]


def test_the_original_stays_beside_and_edits_are_applied_to_it_again(job: Path, edits: Path) -> None:
    assert call("export", job, "--edits", edits, "--out", job).exit_code == 0
    kept = read_edited(job / "transcript.json")
    assert kept.current() == apply_edits(TALK, EDITS).transcript.transcript()
    assert kept.before() == talk()
    assert kept.original is not None
    assert kept.original.voices == heard(talk()).segments
    assert call("export", job, "--edits", edits, "--out", job).exit_code == 0
    assert read_edited(job / "transcript.json") == kept
    none = save(job / "none.json")
    assert call("export", job, "--edits", none, "--out", job).exit_code == 0
    assert read_edited(job / "transcript.json").current() == talk()
    assert " 13.100 0.760 <NA> <NA> Brian " in (job / "transcript.rttm").read_text()


def test_other_names_later_keep_the_edits_and_the_original(job: Path, edits: Path) -> None:
    assert call("export", job, "--edits", edits, "--out", job).exit_code == 0
    assert call("export", job, "--name", "Brian=Ben", "--out", job).exit_code == 0
    kept = read_edited(job / "transcript.json")
    assert [speaker.name for speaker in kept.speakers] == ["Ann", "Ben", "Zoë"]
    assert kept.before() == talk()
    assert "halving" in (job / "transcript.srt").read_text()


def test_without_edits_the_transcript_has_the_form_that_it_had(job: Path, tmp_path: Path) -> None:
    assert call("export", job, "--out", tmp_path / "new").exit_code == 0
    written = (tmp_path / "new" / "transcript.json").read_bytes()
    assert b'"original"' not in written
    assert msgspec.json.decode(written, type=EditedTranscript).current() == talk()


def test_edits_that_do_not_fit_are_told_and_the_others_made(job: Path, tmp_path: Path) -> None:
    twice = save(tmp_path / "twice.json", DeleteLine(seen=see(DOES)), DeleteLine(seen=see(DOES)), EDITS[0])
    done = call("export", job, "--edits", twice, "--out", tmp_path / "new")
    assert done.exit_code == 0
    assert "Edit 2 was left out: Line L4 is gone." in done.output
    text = (tmp_path / "new" / "transcript.txt").read_text()
    assert "halving" in text
    assert "It does." not in text


@pytest.mark.parametrize("content", [b"{", b'{"version": 9}', b'{"version": 1, "duration": 3, "operations": []}'])
def test_edits_that_cannot_be_used_leave_everything_as_it_was(content: bytes, job: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    before = {path.name: path.read_bytes() for path in job.iterdir()}
    done = call("export", job, "--edits", tmp_path / "bad.json", "--out", job)
    assert done.exit_code == 2
    assert "ValidationError" in done.output
    assert {path.name: path.read_bytes() for path in job.iterdir()} == before


def test_the_file_of_edits_is_never_replaced(job: Path, edits: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    named = edits.rename(tmp_path / "new" / "transcript.json")
    before = named.read_bytes()
    done = call("export", job, "--edits", named, "--out", tmp_path / "new")
    assert done.exit_code == 2
    assert "The file of edits itself would be replaced." in done.output
    assert named.read_bytes() == before


@pytest.mark.parametrize("video", ["final.mp4", "final.mkv"])
def test_the_subtitles_in_the_video_and_the_result_follow(video: str, job: Path, edits: Path, tmp_path: Path) -> None:
    make_subtitled(job, video, job / "transcript.srt", seconds=15.0)
    old = tuple(artefact(job / name) for name in (video, "transcript.srt", "transcript.json"))
    stem = Artefact(name="stems/vocals.flac", digest="ab", size=3, media_type="audio/flac")
    (job / "stems").mkdir()
    (job / "stems" / "vocals.flac").write_bytes(b"abc")
    described(job, result_of(*old, stem))
    pictures = packets_of(job / video)
    assert call("export", job, "--edits", edits, "--out", job).exit_code == 0
    assert packets_of(job / video) == pictures
    words = words_in(job / video, 0, tmp_path)
    assert "halving" in words
    assert "Ann: " in words
    assert "clip's own words" in words_in(job / video, 1, tmp_path)
    result = msgspec.json.decode((job / "result.json").read_bytes(), type=EditedResult)
    assert [speaker.name for speaker in result.speakers] == ["Ann", "Brian", "Zoë"]
    assert result.artefacts == (*(replaced(each, job) for each in old), stem)
    assert result.original is not None
    assert result.original.artefacts == old
    assert result.original.speakers == talk().speakers
    assert call("export", job, "--edits", save(tmp_path / "none.json"), "--out", job).exit_code == 0
    assert "having" in words_in(job / video, 0, tmp_path)
    again = msgspec.json.decode((job / "result.json").read_bytes(), type=EditedResult)
    assert again.original == result.original


def replaced(old: Artefact, job: Path) -> Artefact:
    new = artefact(job / old.name)
    assert new.digest != old.digest
    return new


def test_the_result_names_the_tracks_of_speakers_that_are_beside_it(job: Path, edits: Path, tmp_path: Path) -> None:
    track = Artefact(name="stems/speaker-1.flac", digest="ab", size=3, media_type="audio/flac")
    stem = SpeakerStem(speaker="S1", file=track.name)
    (job / "stems").mkdir()
    (job / track.name).write_bytes(b"abc")
    described(job, replace(result_of(track), speaker_stems=(stem,)))
    for out, stems in ((tmp_path / "new", ()), (job, (stem,))):
        assert call("export", job, "--edits", edits, "--out", out).exit_code == 0
        written = msgspec.json.decode((out / "result.json").read_bytes(), type=EditedResult)
        assert written.speaker_stems == stems


def test_subtitles_of_the_clip_itself_are_left_alone(job: Path, edits: Path, tmp_path: Path) -> None:
    make_subtitled(job, "final.mp4", None, seconds=15.0)
    before = (job / "final.mp4").read_bytes()
    done = call("export", job, "--edits", edits, "--out", job)
    assert done.exit_code == 0
    assert "final.mp4 has no subtitles of this transcript" in done.output
    assert (job / "final.mp4").read_bytes() == before
