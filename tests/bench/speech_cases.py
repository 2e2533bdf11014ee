"""The clips that `tests.bench.speech` judges, each with its truth."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.bench import speech_set

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A clip with its truth."""

    name: str
    group: str
    """A part of the set (`speech_set.HALVES`), `sample` or `phone`."""
    sound: Path
    rttm: Path
    turns: tuple[tuple[str, str], ...]
    """Speaker and text, in order of time."""
    edges: tuple[tuple[float, float], ...] = ()
    """Start and end of each turn, where the truth knows them to a hundredth."""
    background: str = "clean"
    speakers: int = 2


def set_cases(folder: Path, halves: Sequence[str]) -> list[Case]:
    """The clips of the labelled set."""
    cases: list[Case] = []
    for clip in speech_set.build(folder, halves):
        turns = json.loads((folder / f"{clip.name}.turns.json").read_text(encoding="utf-8"))
        cases.append(
            Case(
                name=clip.name,
                group=clip.half,
                sound=folder / f"{clip.name}.flac",
                rttm=folder / f"{clip.name}.rttm",
                turns=tuple((turn["speaker"], turn["text"]) for turn in turns),
                edges=tuple((turn["start"], turn["end"]) for turn in turns),
                background=clip.background,
                speakers=clip.speakers,
            )
        )
    return [case for case in cases if case.group in halves]


def own_cases() -> list[Case]:
    """The sample, and the phone call that pyannote.audio ships."""
    turns = json.loads((DATA / "sample.turns.json").read_text(encoding="utf-8"))
    sample = Case(
        name="sample",
        group="sample",
        sound=DATA / "sample.mp4",
        rttm=DATA / "sample.rttm",
        turns=tuple((turn["speaker"], turn["text"]) for turn in turns),
        edges=tuple((turn["start"], turn["end"]) for turn in turns),
        speakers=3,
    )
    package = find_spec("pyannote.audio")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "sample"
    # An STM line is: file, channel, speaker, start, end, text.
    rows = [line.split(None, 5) for line in (folder / "sample.stm").read_text(encoding="utf-8").splitlines()]
    phone = Case(
        name="phone",
        group="phone",
        sound=folder / "sample.wav",
        rttm=folder / "sample.rttm",
        turns=tuple((row[2], row[5]) for row in sorted(rows, key=lambda row: float(row[3])) if len(row) > 5),
    )
    return [sample, phone]
