"""Files of edits: read back, of another clip, of another version, broken, hostile."""

import json
from pathlib import Path

import pytest

from pipeline.edits.edit_file import MAX_EDITS, MAX_EDITS_BYTES, apply_file, decode_edit, encode_edits, read_edits
from pipeline.edits.lines import EditableTranscript, see
from pipeline.edits.operations import RenameSpeaker, SetWords
from pipeline.errors import ValidationError
from tests.pipeline.export.dialogue import talk, transcript, turn

TALK = EditableTranscript.of(talk())
EDITS = (
    SetWords(seen=see(TALK.lines[1]), words=("Thanks", "for", "halving", "me.")),
    RenameSpeaker(speaker="S1", name="Ann"),
)


def form(**changed: object) -> bytes:
    return json.dumps(json.loads(encode_edits(TALK.duration, EDITS)) | changed).encode()


def refused(content: bytes, folder: Path) -> ValidationError:
    (folder / "edits.json").write_bytes(content)
    with pytest.raises(ValidationError) as caught:
        apply_file(TALK, read_edits(folder / "edits.json"))
    assert caught.value.hint
    assert len(str(caught.value)) < 500
    return caught.value


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "edits.json").write_bytes(encode_edits(TALK.duration, EDITS))
    edits = read_edits(tmp_path / "edits.json")
    assert (edits.version, edits.duration, edits.operations) == (1, TALK.duration, EDITS)
    outcome = apply_file(TALK, edits)
    assert outcome.misfits == ()
    assert outcome.transcript.lines[1].turn.text == "Thanks for halving me."


def test_the_form_is_that_of_the_document(tmp_path: Path) -> None:
    written = json.loads(encode_edits(TALK.duration, EDITS[:1]))
    words = [[7.9, 8.26, "Thanks"], [8.3, 8.66, "for"], [8.7, 9.06, "having"], [9.1, 9.46, "me."]]
    seen = {"line": "L2", "speaker": "S2", "words": words}
    operation = {"op": "set_words", "seen": seen, "words": ["Thanks", "for", "halving", "me."]}
    assert written == {"version": 1, "duration": TALK.duration, "operations": [operation]}


WORD = {"op": "set_words", "seen": {"line": "L2", "speaker": "S2", "words": []}}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not whole"),
        (b"{", "not whole"),
        (b"[]", "not whole"),
        (b"\xff\xfe", "not whole"),
        (b"[" * 100_000, "not whole"),
        (b'{"version": 1}', "not whole"),
        (form(version=2), "version 2"),
        (form(version="1"), "not whole"),
        (form(duration=99.0), "another clip"),
        (form(operations=[{"op": "explode"}]), "not whole"),
        (form(operations=[WORD | {"words": ["x" * 10_000]}]), "Edit 1 cannot be used: A word has 10000 characters"),
        (form(operations=[WORD | {"words": ["a\x07"]}]), "cannot be seen"),
        (form(operations=[{"op": "rename", "speaker": "S1", "name": "Ann"}] * (MAX_EDITS + 1)), "more than"),
        (form(operations=[{"op": "rename", "speaker": "S8", "name": "Ann"}]), "None of the edits fits"),
        (b" " * (MAX_EDITS_BYTES + 1), "16 MB"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(content: bytes, says: str, tmp_path: Path) -> None:
    assert says in str(refused(content, tmp_path))


def test_a_file_of_another_clip_of_the_same_length_is_told(tmp_path: Path) -> None:
    other = EditableTranscript.of(transcript(turn("Another clip it is.", TALK.duration - 2.56, "S1")))
    assert abs(other.duration - TALK.duration) < 0.5
    content = encode_edits(other.duration, [SetWords(seen=see(other.lines[0]), words=("No.",))])
    assert "None of the edits fits" in str(refused(content, tmp_path))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ValidationError, match="cannot be read"):
            read_edits(path)


def test_a_stored_edit_of_another_version_is_told() -> None:
    with pytest.raises(ValidationError, match="another version"):
        decode_edit(b'{"version": 2, "edit": {"op": "explode"}}')
