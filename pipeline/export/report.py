"""The report picture: a waveform per stem and a lane per speaker, readable on a phone in dark mode."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from pipeline.export.canvas import WIDTH, Canvas
from pipeline.export.envelope import Envelope, measure_envelope
from pipeline.stages import Facts, Work
from pipeline.types import Transcript

COLUMNS: Final = int(WIDTH * 90)
STEMS: Final[Mapping[str, tuple[str, str]]] = {
    "sound": ("Original", "#b5bac1"),
    "vocals": ("Vocals", "#57c7ff"),
    "music": ("Music", "#c792ea"),
    "sfx": ("SFX", "#ffb86c"),
    "ambient": ("Ambient", "#8bd5a0"),
    "background": ("Background", "#e8b45a"),
}
"""Title and colour by input name, from top to bottom."""
VOICES: Final = ("#ff7b93", "#7ee787", "#79c0ff", "#f2cc60", "#d2a8ff", "#ffa657", "#76e3ea", "#ff9bce")
MOST_LANES: Final = 12


def report_stage(work: Work) -> Facts:
    """Draw `report.png` from `sound`, any stems, and `transcript` when there is one."""
    names = [name for name in STEMS if name in work.inputs]
    envelopes = {name: _envelope(work, name, names.index(name), len(names)) for name in names}
    transcript = _transcript(work.inputs.get("transcript"))
    speakers = () if transcript is None else transcript.speakers[:MOST_LANES]
    duration = max((envelope.duration for envelope in envelopes.values()), default=0.0)
    canvas = Canvas(len(names) + len(speakers), duration)
    for row, name in enumerate(names):
        title, colour = STEMS[name]
        canvas.draw_wave(row, title, colour, envelopes[name])
    for index, speaker in enumerate(speakers):
        assert transcript is not None
        spans = [(turn.start, turn.end, turn.overlap) for turn in transcript.turns if turn.speaker == speaker.id]
        canvas.draw_lane(len(names) + index, speaker.name, VOICES[index % len(VOICES)], spans)
    work.report(0.95, "drawing")
    canvas.save(work.out / "report.png")
    return {}


def _envelope(work: Work, name: str, index: int, count: int) -> Envelope:
    return measure_envelope(
        work.inputs[name], COLUMNS, lambda done: work.report(0.9 * (index + done) / count, f"reading {name}")
    )


def _transcript(path: Path | None) -> Transcript | None:
    return None if path is None else msgspec.json.decode(path.read_bytes(), type=Transcript)
