"""The times of speakers after edits."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.edits.apply import apply_edit
from pipeline.edits.lines import EditableTranscript, difference, see
from pipeline.edits.operations import AddLine, DeleteLine, Edit, GiveWords, MergeLines, SetWords, SplitLine
from pipeline.edits.voices import follow_voices
from pipeline.types import Transcript
from tests.pipeline.edits.edit_strategies import edits, transcripts
from tests.pipeline.export.dialogue import heard, talk

TALK = EditableTranscript.of(talk())
FIRST, THANKS, QUESTION, DOES = (see(line) for line in TALK.lines)


def spans(edit: Edit) -> list[tuple[str, float, float]]:
    """When each speaker is heard after an edit of the dialogue."""
    after = apply_edit(TALK, edit).transcript.transcript()
    found = follow_voices(heard(talk()), talk(), after)
    assert found.speakers == tuple(speaker.id for speaker in after.speakers)
    return [(each.speaker, round(each.start, 3), round(each.end, 3)) for each in found.segments]


BEFORE = [("S1", 0.5, 8.06), ("S2", 7.9, 9.46), ("S1", 12.0, 16.76), ("S2", 13.1, 13.86)]


def test_words_that_were_given_are_heard_from_the_other() -> None:
    given = spans(GiveWords(seen=THANKS, first=1, past=3, speaker="S1"))
    assert given == [BEFORE[0], ("S2", 7.9, 8.3), ("S1", 8.3, 9.06), ("S2", 9.06, 9.46), *BEFORE[2:]]


def test_a_line_that_was_taken_out_is_not_heard_and_one_that_was_added_is() -> None:
    assert spans(DeleteLine(seen=DOES)) == BEFORE[:3]
    added = spans(AddLine(speaker="S3", name="Eve", start=10.0, end=11.0, words=("Oh,", "well.")))
    assert added == [*BEFORE[:2], ("S3", 10.0, 11.0), *BEFORE[2:]]


def test_other_words_and_other_lines_change_no_times() -> None:
    assert spans(SetWords(seen=THANKS, words=("Thanks", "to", "you", "all."))) == BEFORE
    assert spans(SplitLine(seen=THANKS, at=2)) == BEFORE
    assert spans(MergeLines(seen=FIRST, second=QUESTION)) == BEFORE


def test_of_somebody_whose_every_word_was_given_away_no_breath_is_left() -> None:
    lines = tuple(replace(line, turn=replace(line.turn, speaker="S1")) for line in TALK.lines)
    after = apply_edit(TALK, difference(TALK, replace(TALK, speakers=TALK.speakers[:1], lines=lines))).transcript
    voices = heard(talk())
    wider = [replace(each, start=each.start - 0.1, end=each.end + 0.1) for each in voices.segments]
    found = follow_voices(replace(voices, segments=tuple(wider)), talk(), after.transcript())
    assert {each.speaker for each in found.segments} == set(found.speakers) == {"S1"}


@given(transcripts(), st.data())
@settings(deadline=None)
def test_nobody_is_heard_who_is_gone_and_no_time_is_impossible(content: Transcript, data: st.DataObject) -> None:
    after = apply_edit(EditableTranscript.of(content), data.draw(edits(EditableTranscript.of(content)))).transcript
    found = follow_voices(heard(content), content, after.transcript())
    assert {each.speaker for each in found.segments} <= {speaker.id for speaker in after.speakers}
    assert all(each.start < each.end for each in found.segments)
    assert follow_voices(found, after.transcript(), after.transcript()) == found
