"""The report picture: a waveform per stem and a lane per speaker, readable on a phone in dark mode."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from pipeline.audio.envelope import Envelope, measure_envelope
from pipeline.export.contracts import ReportInputs, ReportOutput
from pipeline.export.report.canvas import WIDTH_INCHES, Canvas
from pipeline.graph.stage import NoParams, StageContext
from pipeline.types import Diarization, Speaker, SpeakerSegment, Transcript

WAVEFORM_COLUMNS: Final = int(WIDTH_INCHES * 90)
WAVEFORM_ROWS: Final[Mapping[str, tuple[str, str]]] = {
    "sound": ("Original", "#b5bac1"),
    "vocals": ("Vocals", "#57c7ff"),
    "music": ("Music", "#c792ea"),
    "sfx": ("SFX", "#ffb86c"),
    "ambient": ("Ambient", "#8bd5a0"),
    "background": ("Background", "#e8b45a"),
}
"""Title and colour by input name, from top to bottom."""
SPEAKER_COLOURS: Final = ("#ff7b93", "#7ee787", "#79c0ff", "#f2cc60", "#d2a8ff", "#ffa657", "#76e3ea", "#ff9bce")
MAX_SPEAKER_ROWS: Final = 12


def report_stage(context: StageContext, inputs: ReportInputs[Path], params: NoParams) -> ReportOutput[Path]:
    """Draw `report.png`: a waveform of the sound and of each stem, and a row for each speaker where speech is known.

    All rows are on the clip's clock.

    Raises:
        MediaError: A sound cannot be read.
    """
    files = {"sound": inputs.sound} | {stem.value: path for stem, path in inputs.stems}
    names = [name for name in WAVEFORM_ROWS if name in files]
    envelopes = {name: _envelope(context, name, files[name], index, len(names)) for index, name in enumerate(names)}
    speakers, voices = _read_speech(inputs)
    duration = max((envelope.duration for envelope in envelopes.values()), default=0.0)
    canvas = Canvas(len(names) + len(speakers), duration)
    for row, name in enumerate(names):
        title, colour = WAVEFORM_ROWS[name]
        canvas.draw_wave(row, title, colour, envelopes[name])
    for index, speaker in enumerate(speakers):
        canvas.draw_lane(
            len(names) + index,
            speaker.name,
            SPEAKER_COLOURS[index % len(SPEAKER_COLOURS)],
            speaker_spans(voices, speaker.id),
        )
    context.report(0.95, "drawing")
    target = context.out / "report.png"
    canvas.save(target)
    return ReportOutput(picture=target)


def _envelope(context: StageContext, name: str, path: Path, index: int, count: int) -> Envelope:
    return measure_envelope(
        path, WAVEFORM_COLUMNS, lambda done: context.report(0.9 * (index + done) / count, f"reading {name}")
    )


def speaker_spans(voices: Sequence[SpeakerSegment], speaker: str) -> list[tuple[float, float, bool]]:
    """List a speaker's segments, then the parts of them in which others are heard, as (start, end, overlap)."""
    own = [segment for segment in voices if segment.speaker == speaker]
    overlaps = [
        (max(segment.start, other.start), min(segment.end, other.end), True)
        for segment in own
        for other in voices
        if other.speaker != speaker and other.start < segment.end and segment.start < other.end
    ]
    return [(segment.start, segment.end, False) for segment in own] + overlaps


def _read_speech(inputs: ReportInputs[Path]) -> tuple[Sequence[Speaker], Sequence[SpeakerSegment]]:
    if inputs.transcript is None or inputs.voices is None:
        return (), ()
    transcript = msgspec.json.decode(inputs.transcript.read_bytes(), type=Transcript)
    voices = msgspec.json.decode(inputs.voices.read_bytes(), type=Diarization)
    return transcript.speakers[:MAX_SPEAKER_ROWS], voices.segments
