"""Which file of a dub stands for which turn of the transcript."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.errors import MixError, ValidationError
from pipeline.mix.dub.manifest import DubFile, normalize_name
from pipeline.types import Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The place of one line; times are seconds on the clip's clock."""

    start: float
    end: float | None
    """None for a line that is in no turn."""
    turn: int | None = None
    """Counted from 1."""
    speaker: str = ""
    """The name people see."""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DubPlan:
    """Which turns are replaced by which files."""

    lines: Sequence[tuple[DubFile, Slot]]
    """One piece each."""
    tracks: Sequence[tuple[DubFile, Sequence[Slot]]]
    """All the lines of a speaker in one piece, without those that have a piece of their own."""
    kept: Sequence[Slot] = field(default=())
    """The turns that nothing replaces."""


def turn_slots(transcript: Transcript) -> list[Slot]:
    """Return the turns in their order."""
    names = {speaker.id: speaker.name for speaker in transcript.speakers}
    return [
        Slot(
            start=turn.start,
            end=turn.end,
            turn=number,
            speaker=names.get(turn.speaker, turn.speaker),
            text=turn.text,
        )
        for number, turn in enumerate(transcript.turns, start=1)
    ]


def plan_dub(files: Sequence[DubFile], transcript: Transcript | None) -> DubPlan:
    """Assign every file its turns.

    Raises:
        ValidationError: There is no such turn or speaker, or a turn has two files.
        MixError: Turns are asked for and there is no transcript.
    """
    if transcript is None and any(file.start is None for file in files):
        raise MixError(
            "The dub cannot be placed, since there is no transcript of this clip.",
            hint="Send the dub as one whole track that is as long as the clip.",
        )
    slots = [] if transcript is None else turn_slots(transcript)
    lines = [_place_line(file, slots) for file in files if file.speaker is None]
    taken = {slot.turn for _, slot in lines}
    speakers = {} if transcript is None else _speaker_names(transcript)
    tracks = list[tuple[DubFile, Sequence[Slot]]]()
    for file in files:
        if file.speaker is None:
            continue
        name = _find_speaker(file, file.speaker, speakers)
        own = [slot for slot in slots if slot.speaker == name and slot.turn not in taken]
        if not own:
            raise ValidationError(
                f"{file.name} has no line to stand for: all turns of {name} have files of their own.",
                hint="Leave it out.",
            )
        if any(own == theirs for _, theirs in tracks):
            raise ValidationError(f"{name} has two files, {file.name} is one of them.", hint="Leave one out.")
        tracks.append((file, own))
    replaced = taken | {slot.turn for _, own in tracks for slot in own}
    return DubPlan(lines=lines, tracks=tracks, kept=[slot for slot in slots if slot.turn not in replaced])


def _place_line(file: DubFile, slots: Sequence[Slot]) -> tuple[DubFile, Slot]:
    if file.turn is None:
        assert file.start is not None
        return file, Slot(start=file.start, end=None)
    if not 1 <= file.turn <= len(slots):
        raise ValidationError(
            f"{file.name} is for turn {file.turn}, but the clip has {_count(len(slots), 'turn')}.",
            hint="Count the turns of transcript.json from 1.",
        )
    return file, slots[file.turn - 1]


def _speaker_names(transcript: Transcript) -> dict[str, str]:
    """Return the names of the speakers by what a file may call them: name or id."""
    return {
        normalize_name(word): speaker.name for speaker in transcript.speakers for word in (speaker.id, speaker.name)
    }


def _find_speaker(file: DubFile, asked: str, speakers: dict[str, str]) -> str:
    name = speakers.get(normalize_name(asked))
    if name is None:
        there = ", ".join(dict.fromkeys(speakers.values())) or "nobody"
        raise ValidationError(
            f"{file.name} is for the speaker {asked}, but only {there} speaks in this clip.",
            hint="Name files turn-001.wav, or after one of these speakers, or list them in dub.json.",
        )
    return name


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
