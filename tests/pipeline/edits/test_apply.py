"""What edits do to a transcript, also to one that was made anew, and what they refuse."""

from dataclasses import replace

import pytest
from msgspec import UNSET

from pipeline.edits.apply import apply_edit, apply_edits
from pipeline.edits.checks import MAX_LINE_WORDS, MAX_WORD_CHARS
from pipeline.edits.lines import EditableTranscript, Line, see
from pipeline.edits.operations import (
    AddLine,
    DeleteLine,
    Edit,
    GiveWords,
    MergeLines,
    RenameSpeaker,
    SeenLine,
    SeenWord,
    SetWords,
    SplitLine,
    touched,
)
from pipeline.errors import ValidationError
from pipeline.types import Turn, Word
from tests.pipeline.export.dialogue import talk, transcript, turn

TALK = EditableTranscript.of(talk())
THANKS = TALK.lines[1]
"""`Thanks for having me.`, from 7.9 s, a word each 0.4 s."""


def text_of(content: EditableTranscript) -> list[tuple[str, str, str]]:
    return [(line.id, line.turn.speaker, line.turn.text) for line in content.lines]


def words_of(line: Line) -> list[tuple[float, float, str]]:
    return [(round(word.start, 3), round(word.end, 3), word.text) for word in line.turn.words]


def mended(line: Line, words: str) -> Line:
    after = apply_edit(TALK, SetWords(seen=see(line), words=tuple(words.split()))).transcript
    return next(each for each in after.lines if each.id == line.id)


def test_other_words_take_the_times_of_those_that_they_replace() -> None:
    new = mended(THANKS, "Thanks for heaving we.")
    assert words_of(new) == [(7.9, 8.26, "Thanks"), (8.3, 8.66, "for"), (8.7, 9.06, "heaving"), (9.1, 9.46, "we.")]
    assert [word.confidence for word in new.turn.words] == [0.9, 0.9, 1.0, 1.0]
    assert new.turn.text == "Thanks for heaving we."


def test_a_word_that_a_person_writes_is_no_longer_what_a_glossary_put() -> None:
    words = tuple(replace(word, heard="mi.") if word.text == "me." else word for word in THANKS.turn.words)
    content = replace(TALK, lines=(replace(THANKS, turn=replace(THANKS.turn, words=words)),))
    edit = SetWords(seen=see(content.lines[0]), words=("Thanks", "for", "having", "mi."))
    edited = apply_edit(content, edit)
    assert [word.heard for word in edited.transcript.lines[0].turn.words] == [UNSET] * 4
    assert apply_edit(edited.transcript, edited.undo).transcript.lines[0].turn.words[3].heard == "mi."


def test_two_words_for_one_share_its_time_by_their_letters() -> None:
    new = mended(THANKS, "Thanks for ha ving me.")
    assert words_of(new)[2:4] == [(8.7, 8.82, "ha"), (8.82, 9.06, "ving")]
    assert words_of(mended(THANKS, "Thanks having me."))[1] == (8.7, 9.06, "having")


def test_a_word_in_a_pause_stands_in_the_pause() -> None:
    said = (Word(start=0, end=0.5, text="So", confidence=1), Word(start=2.5, end=3, text="yes.", confidence=1))
    content = transcript(Turn(start=0, end=3, speaker="S1", text="So yes.", overlap=False, words=said))
    line = EditableTranscript.of(content).lines[0]
    after = apply_edit(EditableTranscript.of(content), SetWords(seen=see(line), words=("So", "well", "then", "yes.")))
    expected = [(0, 0.5, "So"), (0.5, 1.5, "well"), (1.5, 2.5, "then"), (2.5, 3, "yes.")]
    assert words_of(after.transcript.lines[0]) == expected


def test_a_word_without_a_pause_shares_its_neighbours_time() -> None:
    assert words_of(mended(THANKS, "Many Thanks for having me."))[:2] == [(7.9, 8.044, "Many"), (8.044, 8.26, "Thanks")]
    assert words_of(mended(THANKS, "Thanks for having me. Bye."))[3:] == [(9.1, 9.254, "me."), (9.254, 9.46, "Bye.")]
    assert words_of(mended(THANKS, "Thanks for only having me."))[1:3] == [(8.3, 8.454, "for"), (8.454, 8.66, "only")]


def test_a_run_of_words_goes_to_a_new_speaker_and_back() -> None:
    edited = apply_edit(TALK, GiveWords(seen=see(THANKS), first=1, past=3, speaker="S3", name="Eve"))
    assert text_of(edited.transcript)[1:4] == [
        ("L2", "S2", "Thanks"),
        ("L2.1", "S3", "for having"),
        ("L2.2", "S2", "me."),
    ]
    assert [speaker.name for speaker in edited.transcript.speakers] == ["Alice", "Brian", "Eve"]
    assert edited.transcript.lines[2].turn.start == 8.3
    assert apply_edit(edited.transcript, edited.undo).transcript == TALK


def test_a_line_is_split_and_merged_again() -> None:
    halves = apply_edit(TALK, SplitLine(seen=see(THANKS), at=2)).transcript
    one, other = halves.lines[1:3]
    assert (one.turn.text, other.turn.text, other.id) == ("Thanks for", "having me.", "L2.1")
    whole = apply_edit(halves, MergeLines(seen=see(one), second=see(other))).transcript
    assert whole == TALK


def test_lines_merge_across_what_another_says_between_them() -> None:
    content = EditableTranscript.of(transcript(turn("I was", 0, "S1"), turn("Mhm.", 1, "S2"), turn("there.", 2, "S1")))
    first, _, last = content.lines
    merged = apply_edit(content, MergeLines(seen=see(first), second=see(last))).transcript
    assert text_of(merged) == [("L1", "S1", "I was there."), ("L2", "S2", "Mhm.")]
    more = EditableTranscript.of(transcript(*(turn("Yes.", start, "S1") for start in range(3))))
    for one, other in ((last, first), (first, first)):
        with pytest.raises(ValidationError):
            apply_edit(content, MergeLines(seen=see(one), second=see(other)))
    with pytest.raises(ValidationError, match="follow"):
        apply_edit(more, MergeLines(seen=see(more.lines[0]), second=see(more.lines[2])))


def test_a_new_line_stands_where_its_time_is() -> None:
    edit = AddLine(speaker="S2", start=9.8, end=11.0, words=("Oh,", "wonderful."))
    after = apply_edit(TALK, edit).transcript
    assert text_of(after)[2] == ("N1", "S2", "Oh, wonderful.")
    again = apply_edit(after, replace_start(edit, 0.0)).transcript
    assert text_of(again)[0] == ("N2", "S2", "Oh, wonderful.")


def replace_start(edit: AddLine, start: float) -> AddLine:
    return AddLine(speaker=edit.speaker, start=start, end=start + 1, words=edit.words)


def test_words_of_a_script_without_spaces_are_joined_without() -> None:
    content = EditableTranscript.of(transcript(turn(["今天", "天气"], 0, "S1"), language="zh"))
    after = apply_edit(content, SetWords(seen=see(content.lines[0]), words=("昨天", "天气", "好。")))
    assert after.transcript.lines[0].turn.text == "昨天天气好。"


def made_anew(*turns: Turn) -> EditableTranscript:
    return EditableTranscript.of(transcript(*turns))


@pytest.mark.parametrize(
    "turns",
    [
        pytest.param([turn("Hello.", 0, "S1"), turn("thanks for having me", 8.2, "S2")], id="later, another number"),
        pytest.param([turn("Well. Thanks for having me. So why?", 7.5, "S2")], id="in a longer line"),
        pytest.param(
            [turn("Thanks for having me.", 2, "S2"), turn("Thanks for having me.", 7.9, "S2")], id="said twice"
        ),
    ],
)
def test_an_edit_finds_its_words_in_a_transcript_made_anew(turns: list[Turn]) -> None:
    content = made_anew(*turns)
    after = apply_edit(content, SetWords(seen=see(THANKS), words=("Thanks", "for", "halving", "me."))).transcript
    changed = [line for line, before in zip(after.lines, content.lines, strict=True) if line != before]
    assert len(changed) == 1
    said = {word.text: word.start for word in changed[0].turn.words}
    assert abs(said["halving"] - 8.7) < 0.5
    assert len(after.lines) == len(content.lines)


@pytest.mark.parametrize(
    ("turns", "says"),
    [
        pytest.param([turn("Thanks for having me.", 20, "S2")], "gone", id="at another time"),
        pytest.param([turn(f"Thanks for having me. {'Well. ' * 30}", 2, "S2")], "gone", id="early in a long line"),
        pytest.param([turn("Hi.", 0, "S1"), turn("Thanks for me.", 7.9, "S2")], "other words", id="other words"),
        pytest.param([turn("Thanks for", 7.9, "S2"), turn("having me.", 8.7, "S2")], "words", id="in two lines"),
    ],
)
def test_an_edit_that_does_not_fit_is_listed_and_changes_nothing(turns: list[Turn], says: str) -> None:
    content = made_anew(*turns)
    seen = see(THANKS)
    edits: list[Edit] = [
        SetWords(seen=seen, words=("Thanks.",)),
        GiveWords(seen=seen, speaker="S1"),
        SplitLine(seen=seen, at=1),
        DeleteLine(seen=seen),
    ]
    outcome = apply_edits(content, [*edits, RenameSpeaker(speaker="S1", name="Ann")])
    assert [misfit.number for misfit in outcome.misfits] == [1, 2, 3, 4]
    assert all(says in misfit.reason for misfit in outcome.misfits)
    assert outcome.transcript.lines == content.lines
    assert outcome.transcript.speakers[0].name == "Ann"


def test_deleting_a_line_that_is_part_of_a_longer_one_leaves_the_rest() -> None:
    content = made_anew(turn("Well. Thanks for having me. So why?", 7.5, "S2"))
    after = apply_edit(content, DeleteLine(seen=see(THANKS))).transcript
    assert [line.turn.text for line in after.lines] == ["Well.", "So why?"]


def test_undoing_never_takes_out_more_words_than_were_put_in() -> None:
    edited = apply_edit(TALK, SetWords(seen=see(THANKS), words=("Thanks.",)))
    longer = replace(
        edited.transcript.lines[1].turn, words=(*edited.transcript.lines[1].turn.words, *THANKS.turn.words)
    )
    later = replace(edited.transcript, lines=(Line(id="L2", turn=longer),))
    assert [misfit.number for misfit in apply_edits(later, [edited.undo]).misfits] == [1]


SEEN = see(THANKS)
GONE = SeenLine(line="L99", speaker="S2", words=(SeenWord(3.0, 3.2, "Nothing"),))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (SetWords(seen=GONE, words=("x",)), "L99 is gone"),
        (SetWords(seen=SEEN, words=()), "no words"),
        (SetWords(seen=SEEN, words=("x" * 10_000,)), "10000 characters"),
        (SetWords(seen=SEEN, words=("x" * (MAX_WORD_CHARS + 1),)), "characters"),
        (SetWords(seen=SEEN, words=("x",) * (MAX_LINE_WORDS + 1)), "words"),
        (SetWords(seen=SEEN, words=("a\x00b",)), "cannot be seen"),
        (SetWords(seen=SEEN, words=("a\nb",)), "cannot be seen"),
        (SetWords(seen=SEEN, words=("\ud800",)), "cannot be seen"),
        (SetWords(seen=SEEN, words=(" ",)), "no letters"),
        (GiveWords(seen=SEEN, speaker="S9"), "speaker is gone"),
        (GiveWords(seen=SEEN, speaker="S1", name="Eve"), "another speaker"),
        (GiveWords(seen=SEEN, speaker="S3", name="x" * 101), "101 characters"),
        (GiveWords(seen=SEEN, speaker="S3", name="a\x1bb"), "cannot be seen"),
        (GiveWords(seen=SEEN, speaker="", name="Eve"), "id"),
        (GiveWords(seen=SEEN, first=-1, speaker="S1"), "no such words"),
        (GiveWords(seen=SEEN, first=2, past=2, speaker="S1"), "no such words"),
        (GiveWords(seen=SEEN, past=9, speaker="S1"), "no such words"),
        (SplitLine(seen=SEEN, at=0), "split"),
        (SplitLine(seen=SEEN, at=4), "split"),
        (AddLine(speaker="S1", start=5.0, end=4.0, words=("x",)), "times"),
        (AddLine(speaker="S1", start=0.0, end=float("nan"), words=("x",)), "times"),
        (AddLine(speaker="S1", start=0.0, end=9e3, words=("x",)), "after the clip"),
        (RenameSpeaker(speaker="S9", name="Eve"), "speaker is gone"),
        (RenameSpeaker(speaker="S1", name=" "), "name"),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused_in_a_sentence(edit: Edit, says: str) -> None:
    with pytest.raises(ValidationError, match=says) as caught:
        apply_edit(TALK, edit)
    assert caught.value.hint
    assert len(str(caught.value)) < 300


def test_edits_tell_which_lines_they_touch() -> None:
    assert touched(SetWords(seen=SEEN, words=("x",))) == {"L2"}
    assert touched(GiveWords(seen=SEEN, speaker="S3", name="Eve")) == {"L2", "speaker:S3"}
    assert touched(MergeLines(seen=SEEN, second=GONE)) == {"L2", "L99"}
    assert touched(RenameSpeaker(speaker="S1", name="Eve")) == {"speaker:S1"}
    assert touched(AddLine(speaker="S1", start=0, end=1, words=("x",))) == frozenset()
    assert touched(apply_edit(TALK, SplitLine(seen=SEEN, at=1)).undo) == {"L2", "L2.1"}
