"""What holds for all edits of all transcripts."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from pipeline.edits.apply import apply_edit, apply_edits
from pipeline.edits.edit_file import decode_edit, encode_edit
from pipeline.edits.lines import EditableTranscript
from pipeline.edits.operations import (
    AddLine,
    DeleteLine,
    Edit,
    GiveWords,
    MergeLines,
    RenameSpeaker,
    SetWords,
    SplitLine,
)
from pipeline.types import Transcript
from tests.pipeline.edits.edit_strategies import edits, transcripts


def words_of(transcript: EditableTranscript) -> Counter[str]:
    return Counter(word.text for line in transcript.lines for word in line.turn.words)


def expected_words(before: EditableTranscript, edit: Edit) -> Counter[str]:
    match edit:
        case SetWords():
            return words_of(before) - Counter(word.text for word in edit.seen.words) + Counter(edit.words)
        case DeleteLine():
            return words_of(before) - Counter(word.text for word in edit.seen.words)
        case AddLine():
            return words_of(before) + Counter(edit.words)
        case _:
            return words_of(before)


@given(transcripts(), st.data())
@settings(max_examples=150, deadline=None)
def test_each_edit_is_undone_and_redone_exactly(content: Transcript, data: st.DataObject) -> None:
    before = EditableTranscript.of(content)
    assert before.transcript() == content
    after = apply_edit(before, data.draw(edits(before)))
    back = apply_edit(after.transcript, after.undo)
    assert back.transcript == before
    assert apply_edit(back.transcript, back.undo).transcript == after.transcript


@given(transcripts(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_list_of_edits_is_applied_again_and_undone(content: Transcript, data: st.DataObject) -> None:
    before = now = EditableTranscript.of(content)
    made: list[Edit] = []
    for _ in range(data.draw(st.integers(0, 6))):
        made.append(data.draw(edits(now)))
        now = apply_edit(now, made[-1]).transcript
    outcome = apply_edits(before, [decode_edit(encode_edit(edit)) for edit in made])
    assert outcome.misfits == ()
    assert outcome.transcript == now
    undone = apply_edits(now, [decode_edit(encode_edit(edit)) for edit in outcome.undo])
    assert (undone.transcript, undone.misfits) == (before, ())


@given(transcripts(), st.data())
@settings(max_examples=150, deadline=None)
def test_no_word_is_lost_and_times_keep_their_order(content: Transcript, data: st.DataObject) -> None:
    before = EditableTranscript.of(content)
    edit = data.draw(edits(before))
    after = apply_edit(before, edit).transcript
    assert words_of(after) == expected_words(before, edit)
    for line in after.lines:
        words = line.turn.words
        assert all(0 <= word.start <= word.end for word in words)
        assert all(one.start <= other.start for one, other in pairwise(words))
        if not isinstance(edit, MergeLines):
            assert all(one.end <= other.start + 1e-9 for one, other in pairwise(words))
        assert line.turn.start <= words[0].start
        assert max(word.end for word in words) <= line.turn.end
    ids = [line.id for line in after.lines]
    assert len(set(ids)) == len(ids)
    assert {line.turn.speaker for line in after.lines} <= {speaker.id for speaker in after.speakers}


@given(transcripts(), st.data())
@settings(max_examples=150, deadline=None)
def test_lines_that_an_edit_does_not_name_stay_as_they_are(content: Transcript, data: st.DataObject) -> None:
    before = EditableTranscript.of(content)
    edit = data.draw(edits(before))
    after = {line.id: line for line in apply_edit(before, edit).transcript.lines}
    match edit:
        case MergeLines():
            named = {edit.seen.line, edit.second.line}
        case SetWords() | GiveWords() | SplitLine() | DeleteLine():
            named = {edit.seen.line}
        case _:
            named = set[str]()
    for line in before.lines:
        if line.id not in named:
            assert after[line.id] is line


@given(transcripts(), transcripts(), st.data())
@settings(max_examples=150, deadline=None)
def test_edits_of_another_transcript_change_only_what_they_fit(
    content: Transcript, other: Transcript, data: st.DataObject
) -> None:
    edit = data.draw(edits(EditableTranscript.of(other)))
    before = EditableTranscript.of(content)
    outcome = apply_edits(before, [edit])
    if outcome.misfits:
        assert outcome.transcript is before
        assert outcome.misfits[0].reason
    else:
        assert apply_edits(outcome.transcript, outcome.undo).transcript == before


@pytest.mark.parametrize(
    "kind",
    [SetWords, GiveWords, SplitLine, MergeLines, DeleteLine, AddLine, RenameSpeaker],
    ids=lambda kind: kind.__name__,
)
def test_the_strategies_make_all_kinds(kind: type) -> None:
    drawn = transcripts().flatmap(lambda content: edits(EditableTranscript.of(content)))
    patient = settings(max_examples=2_000, database=None, deadline=None, phases=[Phase.generate])
    assert isinstance(find(drawn, lambda edit: isinstance(edit, kind), settings=patient), kind)
