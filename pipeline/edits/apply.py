"""Applies edits to a transcript; nothing that is given is changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.edits.checks import check_edit
from pipeline.edits.lines import MAX_SHIFT_SECONDS, EditableTranscript, Line, difference, find, fresh_id
from pipeline.edits.operations import (
    AddLine,
    DeleteLine,
    Edit,
    GiveWords,
    MergeLines,
    Operation,
    RenameSpeaker,
    ReplaceLines,
    SeenLine,
    SetWords,
    SplitLine,
)
from pipeline.edits.word_times import retime, share_time
from pipeline.errors import ValidationError
from pipeline.speech.alignment.text import join_words
from pipeline.types import Speaker, Turn, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A transcript after an edit, and what undoes it."""

    transcript: EditableTranscript
    undo: Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """An edit that was left out."""

    number: int
    """Place in the list of edits, from 1."""
    edit: Edit
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A transcript after a list of edits."""

    transcript: EditableTranscript
    undo: tuple[Edit, ...]
    """What undoes those that fit, in the order in which to apply it."""
    misfits: tuple[Misfit, ...]


def apply_edits(transcript: EditableTranscript, edits: Iterable[Edit]) -> Outcome:
    """Apply edits as far as they fit; those that do not are left out and listed."""
    undo: list[Edit] = []
    misfits: list[Misfit] = []
    for number, edit in enumerate(edits, 1):
        try:
            edited = apply_edit(transcript, edit)
        except ValidationError as error:
            misfits.append(Misfit(number=number, edit=edit, reason=error.message))
        else:
            transcript = edited.transcript
            undo.append(edited.undo)
    return Outcome(transcript=transcript, undo=tuple(reversed(undo)), misfits=tuple(misfits))


def way_between(now: EditableTranscript, then: EditableTranscript) -> tuple[Edit, ...]:
    """Return the edits that make one state of a transcript another."""
    lines = difference(now, then)
    changed = (lines,) if lines.gone or lines.put or lines.added or lines.dropped else ()
    names = {speaker.id: speaker.name for speaker in now.speakers}
    renamed = (
        RenameSpeaker(speaker=speaker.id, name=speaker.name)
        for speaker in then.speakers
        if names.get(speaker.id, speaker.name) != speaker.name
    )
    return (*changed, *renamed)


def apply_edit(transcript: EditableTranscript, edit: Edit) -> Edited:
    """Apply an edit.

    Raises:
        ValidationError: What it brings in cannot be used, or it does not fit the transcript.
    """
    if isinstance(edit, ReplaceLines):
        # It was checked where it was read; one that was made here may give back what a recogniser wrote.
        after = _replace_lines(transcript, edit)
        return Edited(transcript=after, undo=difference(after, transcript))
    check_edit(edit)
    if isinstance(edit, RenameSpeaker):
        return _rename(transcript, edit)
    after = _change(transcript, edit)
    return Edited(transcript=after, undo=difference(after, transcript))


def _change(transcript: EditableTranscript, edit: Operation) -> EditableTranscript:
    match edit:
        case SetWords():
            return _set_words(transcript, edit)
        case GiveWords():
            return _give(transcript, edit)
        case SplitLine():
            return _split(transcript, edit)
        case MergeLines():
            return _merge(transcript, edit)
        case DeleteLine():
            return _delete(transcript, edit)
        case AddLine():
            return _add(transcript, edit)
        case _:
            raise AssertionError(edit)


def _set_words(transcript: EditableTranscript, edit: SetWords) -> EditableTranscript:
    place = find(transcript, edit.seen)
    line = transcript.lines[place.index]
    old = line.turn.words[place.first : place.past]
    new = retime(old, edit.words) if old else share_time(edit.words, line.turn.start, line.turn.end)
    words = (*line.turn.words[: place.first], *new, *line.turn.words[place.past :])
    text = join_words((word.text for word in words), transcript.language)
    return _with(transcript, place.index, 1, [replace(line, turn=replace(line.turn, words=words, text=text))])


def _give(transcript: EditableTranscript, edit: GiveWords) -> EditableTranscript:
    transcript = _with_speaker(transcript, edit.speaker, edit.name)
    place = find(transcript, edit.seen)
    line = transcript.lines[place.index]
    past = len(edit.seen.words) if edit.past is None else edit.past
    if not line.turn.words and (edit.first, past) == (0, 0):
        return _with(transcript, place.index, 1, [replace(line, turn=replace(line.turn, speaker=edit.speaker))])
    if not 0 <= edit.first < past <= len(edit.seen.words):
        raise ValidationError("There are no such words in the line.", hint="Choose words of the line.")
    first, past = place.first + edit.first, place.first + past
    if (first, past) == (0, len(line.turn.words)):
        return _with(transcript, place.index, 1, [replace(line, turn=replace(line.turn, speaker=edit.speaker))])
    parts = _cut(transcript, line, (first, past))
    given = [
        replace(part, turn=replace(part.turn, speaker=edit.speaker)) if begun == first else part
        for begun, part in parts
    ]
    return _with(transcript, place.index, 1, given)


def _split(transcript: EditableTranscript, edit: SplitLine) -> EditableTranscript:
    place = find(transcript, edit.seen)
    if not 0 < edit.at < len(edit.seen.words):
        raise ValidationError("A line cannot be split there.", hint="Split it between two of its words.")
    parts = _cut(transcript, transcript.lines[place.index], (place.first + edit.at,))
    return _with(transcript, place.index, 1, [part for _, part in parts])


def _merge(transcript: EditableTranscript, edit: MergeLines) -> EditableTranscript:
    first, second = find(transcript, edit.seen), find(transcript, edit.second)
    one, other = transcript.lines[first.index], transcript.lines[second.index]
    if first.index == second.index:
        raise ValidationError("The two lines are one already.", hint="Choose two lines.")
    between = {line.turn.speaker for line in transcript.lines[first.index + 1 : second.index]}
    if first.index > second.index or between & {one.turn.speaker, other.turn.speaker}:
        raise ValidationError("The lines do not follow one another.", hint="Merge a line with the next of its speaker.")
    words = tuple(sorted((*one.turn.words, *other.turn.words), key=lambda word: word.start))
    turn = Turn(
        start=min(one.turn.start, other.turn.start),
        end=max(one.turn.end, other.turn.end),
        speaker=one.turn.speaker,
        text=join_words((word.text for word in words), transcript.language),
        overlap=one.turn.overlap or other.turn.overlap,
        words=words,
    )
    merged = _with(transcript, first.index, 1, [Line(id=one.id, turn=turn)])
    return replace(merged, lines=tuple(line for line in merged.lines if line.id != other.id))


def _delete(transcript: EditableTranscript, edit: DeleteLine) -> EditableTranscript:
    place = find(transcript, edit.seen)
    line = transcript.lines[place.index]
    if place.past - place.first == len(line.turn.words):
        return _with(transcript, place.index, 1, [])
    kept = [part for begun, part in _cut(transcript, line, (place.first, place.past)) if begun != place.first]
    return _with(transcript, place.index, 1, kept)


def _add(transcript: EditableTranscript, edit: AddLine) -> EditableTranscript:
    transcript = _with_speaker(transcript, edit.speaker, edit.name)
    if edit.end > transcript.duration:
        raise ValidationError("The line ends after the clip.", hint="Let it end within the clip.")
    words = share_time(edit.words, edit.start, edit.end)
    line = Line(id=fresh_id(transcript, "N"), turn=_turn(transcript, words, edit.speaker, overlap=False))
    return _with(transcript, _place_by_time(transcript.lines, edit.start), 0, [line])


def _rename(transcript: EditableTranscript, edit: RenameSpeaker) -> Edited:
    speaker = next((each for each in transcript.speakers if each.id == edit.speaker), None)
    if speaker is None:
        raise ValidationError("The speaker is gone.", hint="Choose a speaker of the transcript.")
    renamed = tuple(replace(each, name=edit.name) if each is speaker else each for each in transcript.speakers)
    undo = RenameSpeaker(speaker=edit.speaker, name=speaker.name)
    return Edited(transcript=replace(transcript, speakers=renamed), undo=undo)


def _replace_lines(transcript: EditableTranscript, edit: ReplaceLines) -> EditableTranscript:
    for speaker in edit.added:
        transcript = _with_speaker(transcript, speaker.id, speaker.name)
    gone = {_find_whole(transcript, seen).id for seen in edit.gone}
    lines = [line for line in transcript.lines if line.id not in gone]
    for placed in edit.put:
        if placed.turn.end > transcript.duration + MAX_SHIFT_SECONDS:
            raise ValidationError("The line ends after the clip.", hint="Let it end within the clip.")
        if any(line.id == placed.line for line in lines):
            raise ValidationError(f"Line {placed.line[:20]} is there already.", hint="Leave this edit out.")
        places = {line.id: index + 1 for index, line in enumerate(lines)}
        index = 0 if placed.after is None else places.get(placed.after, _place_by_time(lines, placed.turn.start))
        lines.insert(index, Line(id=placed.line, turn=placed.turn))
    speakers = tuple(speaker for speaker in transcript.speakers if speaker.id not in edit.dropped)
    if {line.turn.speaker for line in lines} - {speaker.id for speaker in speakers}:
        raise ValidationError("A line would be nobody's.", hint="Give it to another speaker first.")
    return replace(transcript, lines=tuple(lines), speakers=speakers)


def _find_whole(transcript: EditableTranscript, seen: SeenLine) -> Line:
    """Find a line that has the words that were seen and no others."""
    place = find(transcript, seen)
    line = transcript.lines[place.index]
    if place.past - place.first < len(line.turn.words):
        raise ValidationError(f"Line {seen.line[:20]} has more words now.", hint="Leave this edit out.")
    return line


def _with_speaker(transcript: EditableTranscript, speaker: str, name: str | None) -> EditableTranscript:
    """Add a speaker who is new, and check that one who is not is there."""
    known = next((each for each in transcript.speakers if each.id == speaker), None)
    if known is None and name is not None:
        return replace(transcript, speakers=(*transcript.speakers, Speaker(id=speaker, name=name)))
    if known is None:
        raise ValidationError("The speaker is gone.", hint="Choose a speaker of the transcript.")
    if name is not None and name != known.name:
        raise ValidationError("There is another speaker of this id.", hint="Choose the speaker again.")
    return transcript


def _cut(transcript: EditableTranscript, line: Line, bounds: Sequence[int]) -> list[tuple[int, Line]]:
    """Cut a line before the words of these indices; return the index of each part's first word, and the part."""
    words = line.turn.words
    inner = [bound for bound in bounds if 0 < bound < len(words)]
    parts: list[tuple[int, Line]] = []
    for first, past in zip([0, *inner], [*inner, len(words)], strict=True):
        name = fresh_id(transcript, f"{line.id}.", [part.id for _, part in parts]) if parts else line.id
        turn = _turn(transcript, words[first:past], line.turn.speaker, overlap=line.turn.overlap)
        parts.append((first, Line(id=name, turn=turn)))
    return parts


def _turn(transcript: EditableTranscript, words: Sequence[Word], speaker: str, *, overlap: bool) -> Turn:
    return Turn(
        start=min(word.start for word in words),
        end=max(word.end for word in words),
        speaker=speaker,
        text=join_words((word.text for word in words), transcript.language),
        overlap=overlap,
        words=tuple(words),
    )


def _with(transcript: EditableTranscript, index: int, count: int, new: Iterable[Line]) -> EditableTranscript:
    """Put lines in place of `count` of them from `index` on."""
    return replace(transcript, lines=(*transcript.lines[:index], *new, *transcript.lines[index + count :]))


def _place_by_time(lines: Sequence[Line], start: float) -> int:
    """Return the index at which a line of this start goes: after the last one that begins before it or with it."""
    return next((index + 1 for index in range(len(lines) - 1, -1, -1) if lines[index].turn.start <= start), 0)
