"""What a page's script is told of a transcript, as JSON."""

from collections.abc import Mapping, Sequence

import msgspec

from bot.database.models import StoredEdit
from bot.transcripts.editor import Change, TranscriptState
from pipeline.edits.apply import apply_edit
from pipeline.edits.lines import EditableTranscript, Line, difference
from pipeline.edits.operations import Edit
from pipeline.errors import ValidationError
from pipeline.types import Speaker, Word

MAX_EXCERPT_CHARS = 80


class WordForm(msgspec.Struct, frozen=True, array_like=True):
    """A word: start, end, text, confidence from 0 to 1, and what was heard where a glossary put it."""

    start: float
    end: float
    text: str
    confidence: float | None
    heard: str | None = None


class LineForm(msgspec.Struct, frozen=True, kw_only=True):
    """A line."""

    id: str
    speaker: str
    start: float
    end: float
    overlap: bool
    text: str
    words: tuple[WordForm, ...]


class SpeakerForm(msgspec.Struct, frozen=True, kw_only=True):
    """A speaker."""

    id: str
    name: str


class TranscriptForm(msgspec.Struct, frozen=True, kw_only=True):
    """A transcript at a revision."""

    revision: int
    duration: float
    language: str
    edit: bool
    """Whether the reader may change it."""
    speakers: tuple[SpeakerForm, ...]
    lines: tuple[LineForm, ...]


class PlacedForm(msgspec.Struct, frozen=True, kw_only=True):
    """A line and the id of the one before it; None: it is the first."""

    after: str | None
    line: LineForm


class ChangeForm(msgspec.Struct, frozen=True, kw_only=True):
    """What became of what the person saw."""

    revision: int
    gone: tuple[str, ...]
    put: tuple[PlacedForm, ...]
    speakers: tuple[SpeakerForm, ...]
    undo: tuple[Edit, ...]


class PastEditForm(msgspec.Struct, frozen=True, kw_only=True):
    """One edit of the history."""

    revision: int
    author: str
    created: float
    """Unix time."""
    what: str
    """`op` of the edit."""
    text: str
    """Beginning of the line that it changed."""
    speaker: str
    """Id of that line's speaker."""


class SubmittedEdits(msgspec.Struct, frozen=True, kw_only=True):
    """Edits that a person made to the transcript as it was at the revision `base`."""

    base: int
    edits: tuple[Edit, ...]


class SubmittedWayBack(msgspec.Struct, frozen=True, kw_only=True):
    """The wish to have the transcript as it was at a revision."""

    base: int
    revision: int


def transcript_form(state: TranscriptState, names: Mapping[str, str], *, edit: bool) -> TranscriptForm:
    """Describe a transcript, with later names of speakers."""
    transcript = state.transcript
    return TranscriptForm(
        revision=state.revision,
        duration=transcript.duration,
        language=transcript.language,
        edit=edit,
        speakers=speaker_forms(transcript.speakers, names),
        lines=tuple(_line(line) for line in transcript.lines),
    )


def change_form(change: Change, names: Mapping[str, str]) -> ChangeForm:
    """Describe a change of a transcript."""
    made = change.difference
    lines = {line.id: line for line in change.state.transcript.lines}
    return ChangeForm(
        revision=change.state.revision,
        gone=tuple(seen.line for seen in made.gone),
        put=tuple(PlacedForm(after=placed.after, line=_line(lines[placed.line])) for placed in made.put),
        speakers=speaker_forms(change.state.transcript.speakers, names),
        undo=change.undo,
    )


def history_forms(
    recognised: EditableTranscript, edits: Sequence[StoredEdit], authors: Mapping[str, str]
) -> list[PastEditForm]:
    """Describe each edit by the line that it changed.

    Args:
        recognised: The transcript before all edits.
        edits: All of them.
        authors: Names of people by id.

    """
    forms: list[PastEditForm] = []
    transcript = recognised
    for stored in edits:
        before = transcript
        try:
            transcript = apply_edit(transcript, stored.edit).transcript
        except ValidationError:
            transcript = before
        text, speaker = _changed_line(before, transcript)
        forms.append(
            PastEditForm(
                revision=stored.revision,
                author=authors.get(stored.author, ""),
                created=stored.created,
                what=str(stored.edit.__struct_config__.tag),
                text=text[:MAX_EXCERPT_CHARS],
                speaker=speaker,
            )
        )
    return forms


def _changed_line(before: EditableTranscript, after: EditableTranscript) -> tuple[str, str]:
    """Return text and speaker of the first line that differs; of one that is gone as it was."""
    changed = difference(before, after)
    if changed.put:
        return changed.put[0].turn.text, changed.put[0].turn.speaker
    gone = {seen.line for seen in changed.gone}
    line = next((line for line in before.lines if line.id in gone), None)
    return ("", "") if line is None else (line.turn.text, line.turn.speaker)


def _line(line: Line) -> LineForm:
    turn = line.turn
    return LineForm(
        id=line.id,
        speaker=turn.speaker,
        start=turn.start,
        end=turn.end,
        overlap=turn.overlap,
        text=turn.text,
        words=tuple(_word(word) for word in turn.words),
    )


def _word(word: Word) -> WordForm:
    return WordForm(word.start, word.end, word.text, word.confidence, word.heard or None)


def speaker_forms(speakers: Sequence[Speaker], names: Mapping[str, str]) -> tuple[SpeakerForm, ...]:
    """Describe speakers, with later names."""
    return tuple(SpeakerForm(id=speaker.id, name=names.get(speaker.id) or speaker.name) for speaker in speakers)
