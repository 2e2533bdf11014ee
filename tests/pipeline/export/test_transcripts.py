"""Transcripts that are read back, broken ones, and other names in every export."""

import json
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ValidationError
from pipeline.export.transcripts import MAX_NAME_CHARS, check_name, read_transcript, read_voices_beside, rename_speakers
from pipeline.types import Speaker, Transcript
from tests.pipeline.export.dialogue import export, heard, talk, text_of, transcript, turn


def names_of(content: Transcript) -> list[str]:
    return [speaker.name for speaker in content.speakers]


def test_a_new_name_is_in_every_export(tmp_path: Path) -> None:
    out, made = export(talk(), tmp_path, names={"S2": "Zoë Ågren"})
    assert made.speakers == (Speaker(id="S1", name="Alice"), Speaker(id="S2", name="Zoë Ågren"))
    files = {path.name.removeprefix("transcript"): text_of(path) for path in out.iterdir()}
    assert len(files) == 13
    for suffix, text in files.items():
        assert ("Zoë_Ågren" if suffix == ".rttm" else "Zoë Ågren") in text, suffix
        assert "Brian" not in text, suffix
    assert read_transcript(out / "transcript.json") == rename_speakers(talk(), {"S2": "Zoë Ågren"})


def test_an_hour_is_exported_anew_in_well_under_a_second(tmp_path: Path) -> None:
    content = transcript(*(turn("And so it went on, word after word.", 8.0 * i, f"S{i % 2 + 1}") for i in range(450)))
    export(content, tmp_path)
    started = time.process_time()
    export(content, tmp_path, names={"S1": "Anna"})
    assert time.process_time() - started < 2.0


def test_a_speaker_is_found_by_id_or_by_name() -> None:
    assert names_of(rename_speakers(talk(), {"S1": " Anna\n ", "Brian": "Ben"})) == ["Anna", "Ben"]
    assert names_of(rename_speakers(talk(), {"S1": "Brian", "S2": "Alice"})) == ["Brian", "Alice"]
    assert names_of(rename_speakers(talk(), {})) == ["Alice", "Brian"]


@pytest.mark.parametrize(
    "names", [{"S3": "Anna"}, {"S1": "  \n"}, {"S1": "x" * (MAX_NAME_CHARS + 1)}, {"S1": "\u202e"}]
)
def test_names_that_cannot_be_used_are_refused(names: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as error:
        rename_speakers(talk(), names)
    assert error.value.hint


def test_a_name_that_two_have_is_no_key() -> None:
    with pytest.raises(ValidationError, match="alone"):
        rename_speakers(transcript(turn("Hi.", 0, "S1"), turn("Ho.", 1, "S2"), names=("A", "A")), {"A": "B"})


def broken(content: bytes, tmp_path: Path) -> str:
    path = tmp_path / "transcript.json"
    path.write_bytes(content)
    with pytest.raises(ValidationError) as error:
        read_transcript(path)
    assert error.value.hint
    return error.value.message


def changed(**parts: object) -> bytes:
    return json.dumps(json.loads(msgspec.json.encode(talk())) | parts).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        msgspec.json.encode(talk())[:-20],
        changed(turns=[{"start": 1}]),
        changed(speakers=[]),
        changed(speakers=[{"id": "S1", "name": "A"}, {"id": "S1", "name": "B"}]),
        changed(duration=1e300),
        changed(duration=-5),
    ],
)
def test_a_broken_transcript_is_named(content: bytes, tmp_path: Path) -> None:
    assert "transcript.json is not a whole transcript" in broken(content, tmp_path)


def test_a_missing_transcript_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="cannot be read"):
        read_transcript(tmp_path / "transcript.json")


def test_the_voices_of_a_folder_come_from_its_rttm(tmp_path: Path) -> None:
    out, _ = export(talk(), tmp_path)
    assert read_voices_beside(talk(), out).segments == heard(talk()).segments
    (out / "transcript.rttm").write_text("SPEAKER clip 1 5.0 1.0 <NA> <NA> Alice <NA> <NA>\n")
    assert [each.start for each in read_voices_beside(talk(), out).segments] == [5.0]
    for bad in ("nonsense\n", "SPEAKER clip 1 5.0 1.0 <NA> <NA> Eve <NA> <NA>\n", "SPEAKER c 1 nan 1 x x Alice x x\n"):
        (out / "transcript.rttm").write_text(bad)
        assert read_voices_beside(talk(), out).segments == heard(talk()).segments


@given(st.text(max_size=150))
def test_a_name_is_one_line_or_refused(name: str) -> None:
    try:
        cleaned = check_name(name)
    except ValidationError:
        return
    assert 0 < len(cleaned) <= MAX_NAME_CHARS
    assert len(cleaned.splitlines()) == 1
    assert check_name(cleaned) == cleaned
