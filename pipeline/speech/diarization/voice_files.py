"""The files that say who speaks when."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from pipeline.graph.stage import StageContext
from pipeline.speech.contracts import (
    DIARIZE,
    FIND_SPEECH,
    DiarizeOutput,
    DiarizeParams,
    FindSpeechOutput,
    FindSpeechParams,
)
from pipeline.speech.diarization.pyannote_pipeline import DiarizationOutput
from pipeline.speech.diarization.segments import close_gaps, drop_short_segments
from pipeline.types import Diarization, SpeakerSegment

MAX_GAP_SECONDS = 0.2
"""A shorter pause is a breath inside a group of words."""
MIN_SEGMENT_SECONDS = 0.2
"""A shorter segment is a noise."""


def write_speech(
    context: StageContext, found: DiarizationOutput, params: FindSpeechParams, notes: tuple[str, ...] = ()
) -> FindSpeechOutput[Path]:
    """Write what the segmentation found to `speech.json` and `voices.json`."""
    speech, voices = context.out / "speech.json", context.out / "voices.json"
    speech.write_bytes(msgspec.json.encode(post_process(found)))
    voices.write_bytes(
        msgspec.json.encode(Diarization(speakers=(), segments=found.segments, exclusive=found.exclusive))
    )
    context.report(1.0)
    models = (context.models.use(FIND_SPEECH.name, params.segmentation),)
    return FindSpeechOutput(speech=speech, voices=voices, notes=notes, models=models)


def write_diarization(
    context: StageContext, found: DiarizationOutput, params: DiarizeParams, notes: tuple[str, ...] = ()
) -> DiarizeOutput[Path]:
    """Write who speaks when to `diarization.json`."""
    diarization = post_process(found)
    path = context.out / "diarization.json"
    path.write_bytes(msgspec.json.encode(diarization))
    speakers = len(diarization.speakers)
    context.report(1.0, f"{speakers} speaker{'' if speakers == 1 else 's'}")
    names = (params.segmentation, params.embedding) if params.pipeline is None else (params.pipeline,)
    models = tuple(context.models.use(DIARIZE.name, name) for name in names)
    return DiarizeOutput(diarization=path, speakers=speakers, notes=notes, models=models)


def read_voices(path: Path) -> DiarizationOutput:
    """Read the `voices` of a `FindSpeechOutput`."""
    voices = msgspec.json.decode(path.read_bytes(), type=Diarization)
    return DiarizationOutput(segments=voices.segments, exclusive=voices.exclusive)


def post_process(found: DiarizationOutput) -> Diarization:
    """Close short gaps, drop short segments, and call the speakers S1, S2, … in order of first appearance."""
    segments = _clean(found.segments, exclusive=False)
    exclusive = _clean(found.exclusive, exclusive=True)
    order = dict.fromkeys(segment.speaker for segment in sorted(segments, key=lambda segment: segment.start))
    names = {label: f"S{number}" for number, label in enumerate(order, start=1)}
    return Diarization(
        speakers=tuple(names.values()),
        segments=tuple(_relabel(segments, names)),
        exclusive=tuple(_relabel(exclusive, names)),
    )


def _clean(segments: Sequence[SpeakerSegment], *, exclusive: bool) -> list[SpeakerSegment]:
    return drop_short_segments(close_gaps(segments, MAX_GAP_SECONDS, exclusive=exclusive), MIN_SEGMENT_SECONDS)


def _relabel(segments: Sequence[SpeakerSegment], names: dict[str, str]) -> Iterator[SpeakerSegment]:
    for segment in sorted(segments, key=lambda segment: segment.start):
        if segment.speaker in names:
            yield SpeakerSegment(
                start=round(segment.start, 3), end=round(segment.end, 3), speaker=names[segment.speaker]
            )
