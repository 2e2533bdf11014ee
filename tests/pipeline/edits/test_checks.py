"""What an edit may bring in, such as lines that somebody sends instead of those that an undo gave."""

from dataclasses import replace

import pytest

from pipeline.edits.apply import apply_edit
from pipeline.edits.checks import check_edit, check_words
from pipeline.edits.lines import EditableTranscript, see
from pipeline.edits.operations import DeleteLine, PlacedLine, ReplaceLines
from pipeline.errors import ValidationError
from pipeline.types import Speaker, Turn, Word
from tests.pipeline.export.dialogue import talk

HELLO = Word(start=1.0, end=2.0, text="Hello", confidence=1.0)
LINE = Turn(start=1.0, end=2.0, speaker="S1", text="Hello", overlap=False, words=(HELLO,))


def put(turn: Turn = LINE, line: str = "N9", *added: Speaker) -> ReplaceLines:
    return ReplaceLines(gone=(), put=(PlacedLine(line=line, after=None, turn=turn),), added=added)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(put(line="x" * 65), id="a long id"),
        pytest.param(put(line="a\u0007"), id="an id that cannot be seen"),
        pytest.param(put(line=""), id="no id"),
        pytest.param(put(replace(LINE, words=(replace(HELLO, start=900.0, end=901.0),))), id="a word elsewhere"),
        pytest.param(
            put(replace(LINE, text="Hello Hello", words=(HELLO, replace(HELLO, start=-0.5, end=0.1)))),
            id="words with times backwards",
        ),
        pytest.param(put(replace(LINE, text="Bye")), id="text that is not that of the words"),
        pytest.param(put(replace(LINE, text="Hello" * 100_000, words=())), id="a text without an end"),
        pytest.param(put(replace(LINE, text="a\u0000", words=())), id="a text that cannot be written"),
        pytest.param(put(replace(LINE, text=" ", words=())), id="no text"),
        pytest.param(put(LINE, "N9", Speaker(id="S3", name="x" * 1000)), id="a long name"),
        pytest.param(put(LINE, "N9", Speaker(id="S3", name="")), id="no name"),
        pytest.param(put(LINE, "N9", Speaker(id="", name="Eve")), id="a speaker without an id"),
    ],
)
def test_lines_that_nobody_said_are_refused(edit: ReplaceLines) -> None:
    check_edit(put())
    with pytest.raises(ValidationError):
        check_edit(edit)


def test_a_line_after_the_clip_is_refused() -> None:
    transcript = EditableTranscript.of(talk())
    late = replace(LINE, end=transcript.duration + 5.0)
    with pytest.raises(ValidationError, match="after the clip"):
        apply_edit(transcript, put(late))


@pytest.mark.parametrize(
    "word", ["\u200b", "\u202e", "a\u2028b", "\u3000", "\ud800"], ids=["no width", "direction", "line", "space", "half"]
)
def test_words_that_cannot_be_seen_are_refused(word: str) -> None:
    with pytest.raises(ValidationError):
        check_words([word])


def test_words_of_all_scripts_may_be_written() -> None:
    check_words(["שלום", "क्‍ष", "👩\u200d👩", "…", "é", "e\u0301"])


def test_what_a_recogniser_wrote_can_be_given_back() -> None:
    """Its words may begin a little before the clip, and not stand in the order of their times."""
    words = (replace(HELLO, start=-0.4, end=0.3), replace(HELLO, start=-0.6, end=-0.1, text="you"))
    turn = Turn(start=-0.6, end=0.3, speaker="S1", text="Hello you", overlap=False, words=words)
    transcript = EditableTranscript.of(replace(talk(), turns=(turn, *talk().turns)))
    gone = apply_edit(transcript, DeleteLine(seen=see(transcript.lines[0])))
    check_edit(gone.undo)
    assert apply_edit(gone.transcript, gone.undo).transcript == transcript
