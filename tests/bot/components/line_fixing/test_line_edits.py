"""From what a person submits for a line to edits, and to the transcript after them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.components.line_fixing.line_edits import Steps, SubmittedLine, Then, edits_for, halves_of, new_speaker
from bot.exceptions import RefusedError
from pipeline.edits.apply import apply_edits
from pipeline.edits.lines import EditableTranscript, see
from pipeline.edits.operations import DeleteLine, GiveWords, MergeLines, SetWords, SplitLine
from pipeline.errors import ValidationError
from pipeline.types import Speaker
from tests.pipeline.export.dialogue import talk

TALK = EditableTranscript.of(talk())
FIRST, SECOND = TALK.speakers
THANKS = 1


def submit(text: str, speaker: Speaker = SECOND, then: Then = Then.KEEP, index: int = THANKS) -> Steps:
    steps = edits_for(TALK, index, SubmittedLine(text=text, speaker=speaker, then=then))
    outcome = apply_edits(TALK, steps.edits)
    assert outcome.misfits == ()
    assert outcome.transcript == steps.transcript
    return steps


def said(transcript: EditableTranscript) -> list[tuple[str, str]]:
    return [(line.turn.speaker, line.turn.text) for line in transcript.lines]


def test_the_talk_is_as_these_tests_take_it() -> None:
    assert said(TALK)[THANKS] == ("S2", "Thanks for having me.")
    assert len(TALK.lines) == 4


@pytest.mark.parametrize(
    "text", ["Thanks for having me.", " Thanks  for\thaving me. ", "\n\nThanks for having me.\r\n"]
)
def test_what_is_so_already_is_no_edit(text: str) -> None:
    assert submit(text).edits == []


def test_other_words_keep_the_times_of_those_that_stay() -> None:
    steps = submit("Thanks for halving me.")
    (edit,) = steps.edits
    assert isinstance(edit, SetWords)
    before, after = TALK.lines[THANKS].turn.words, steps.transcript.lines[THANKS].turn.words
    assert [word.text for word in after] == ["Thanks", "for", "halving", "me."]
    assert after[0] == before[0]
    assert (after[2].start, after[2].end) == (before[2].start, before[2].end)


def test_a_line_is_given_to_another_speaker_and_to_a_new_one() -> None:
    (edit,) = submit("Thanks for having me.", FIRST).edits
    assert isinstance(edit, GiveWords)
    assert (edit.speaker, edit.name) == ("S1", None)
    fresh = new_speaker(TALK.speakers, "Speaker 3")
    steps = submit("Thanks for having me.", fresh)
    assert steps.transcript.speakers == (FIRST, SECOND, Speaker(id="S3", name="Speaker 3"))
    assert steps.transcript.lines[THANKS].turn.speaker == "S3"


def test_the_id_of_a_new_speaker_is_free() -> None:
    assert new_speaker((Speaker(id="S3", name="a"), Speaker(id="S4", name="b")), "c").id == "S5"
    assert new_speaker((), "c").id == "S1"


def test_each_row_of_the_text_becomes_a_line() -> None:
    steps = submit("Thanks\nfor having\n\nme.")
    assert [type(edit) for edit in steps.edits] == [SplitLine, SplitLine]
    assert said(steps.transcript)[1:4] == [("S2", "Thanks"), ("S2", "for having"), ("S2", "me.")]
    words = [word for line in steps.transcript.lines[1:4] for word in line.turn.words]
    assert tuple(words) == TALK.lines[THANKS].turn.words
    assert steps.transcript.lines[THANKS].id == TALK.lines[THANKS].id


def test_everything_at_once() -> None:
    steps = submit("Thanks a lot\nfor having me.", FIRST, Then.JOIN)
    assert [type(edit) for edit in steps.edits] == [SetWords, GiveWords, SplitLine, MergeLines]
    texts = [text for _, text in said(steps.transcript)]
    assert texts[1] == "Thanks a lot"
    assert texts[2] == f"for having me. {TALK.lines[2].turn.text}"
    assert len(texts) == 4


def test_a_line_is_joined_with_the_next_and_the_last_with_none() -> None:
    steps = submit("Thanks for having me.", then=Then.JOIN)
    assert len(steps.transcript.lines) == 3
    assert steps.transcript.lines[THANKS].turn.text == f"Thanks for having me. {TALK.lines[2].turn.text}"
    last = TALK.lines[-1].turn
    (own,) = [speaker for speaker in TALK.speakers if speaker.id == last.speaker]
    with pytest.raises(RefusedError, match="no line after"):
        submit(last.text, own, Then.JOIN, index=3)


def test_a_line_is_deleted_whatever_its_text_says() -> None:
    steps = submit("", then=Then.DELETE)
    assert isinstance(steps.edits[0], DeleteLine)
    assert said(steps.transcript) == [each for index, each in enumerate(said(TALK)) if index != THANKS]


@pytest.mark.parametrize("text", ["", " \n ", "\u200b", "\x00\x07"])
def test_a_line_without_words_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="no words"):
        submit(text)


def test_a_word_that_never_ends_is_refused() -> None:
    with pytest.raises(RefusedError, match="more than 200"):
        submit("x" * 10_000)


def test_characters_that_cannot_be_seen_are_left_out() -> None:
    steps = submit("Thanks\x00 for\x1b hav\ue000ing\ud800 me.\x7f now")
    assert steps.transcript.lines[THANKS].turn.text == "Thanks for having me. now"


def test_a_speaker_who_is_not_there_is_refused() -> None:
    wanted = SubmittedLine(text="Thanks.", speaker=Speaker(id="S9" * 40, name="x"))
    with pytest.raises(ValidationError):
        edits_for(TALK, THANKS, wanted)


def without_words() -> EditableTranscript:
    """A transcript whose lines have no times of words, as some recognisers give none."""
    lines = tuple(replace(line, turn=replace(line.turn, words=())) for line in TALK.lines)
    return replace(TALK, lines=lines)


def test_a_line_without_times_of_words_can_be_corrected_too() -> None:
    bare = without_words()
    same = SubmittedLine(text="Thanks for having me.", speaker=SECOND)
    assert edits_for(bare, THANKS, same).edits == []
    assert [type(edit) for edit in edits_for(bare, THANKS, replace(same, speaker=FIRST)).edits] == [GiveWords]
    split = edits_for(bare, THANKS, replace(same, text="Thanks for\nhaving me."))
    assert [text for _, text in said(split.transcript)[1:3]] == ["Thanks for", "having me."]


def test_a_long_line_is_halved() -> None:
    steps = halves_of(without_words(), THANKS)
    assert [text for _, text in said(steps.transcript)[1:3]] == ["Thanks for", "having me."]
    one = edits_for(TALK, THANKS, SubmittedLine(text="Thanks.", speaker=SECOND)).transcript
    with pytest.raises(RefusedError, match="one word"):
        halves_of(one, THANKS)


def test_chinese_keeps_its_words_on_both_sides_of_a_break() -> None:
    turn = replace(TALK.lines[THANKS].turn, text="谢谢你们邀请我", words=())
    words = ("谢谢", "你们", "邀请", "我")
    chinese = replace(TALK, language="zh", lines=(replace(TALK.lines[0], turn=turn),))
    known = Steps(chinese)
    known.add(SetWords(seen=see(chinese.lines[0]), words=words))
    steps = edits_for(known.transcript, 0, SubmittedLine(text="谢谢你们\n邀请我", speaker=SECOND))
    assert [type(edit) for edit in steps.edits] == [SplitLine]
    assert [[word.text for word in line.turn.words] for line in steps.transcript.lines] == [
        ["谢谢", "你们"],
        ["邀请", "我"],
    ]


rows = st.lists(st.sampled_from(["Thanks", "for", "x\u0301", "風", "a-b", "1"]), max_size=8).map(" ".join)


@given(
    st.lists(rows, min_size=1, max_size=4).map("\n".join),
    st.sampled_from([FIRST, SECOND, Speaker(id="S3", name="Eve")]),
    st.sampled_from(Then),
    st.integers(0, 3),
)
def test_whatever_is_submitted_either_fits_or_is_refused(text: str, speaker: Speaker, then: Then, index: int) -> None:
    try:
        steps = submit(text, speaker, then, index)
    except RefusedError:
        return
    rest = [line for line in TALK.lines if line.id != TALK.lines[index].id]
    kept = {line.id for line in steps.transcript.lines}
    assert len([line for line in rest if line.id not in kept]) == (1 if then is Then.JOIN else 0)
