"""The result of a job, from what its stages left."""

from collections.abc import Mapping, Sequence

from pipeline.graph.context import GraphContext
from pipeline.graph.speech import Speech
from pipeline.types import Artefact, Loudness, MediaInfo, Result, Route, SpeakerStem


def build_result(
    context: GraphContext,
    media: MediaInfo,
    route: Route,
    artefacts: Sequence[Artefact],
    speech: Speech | None = None,
    loudness: Mapping[str, Loudness] | None = None,
    speaker_stems: tuple[SpeakerStem, ...] = (),
) -> Result:
    """Put the result together; what was told twice stands in it once."""
    log = context.log
    return Result(
        request=context.request,
        media=media,
        route=route,
        artefacts=tuple(artefacts),
        voices=None if speech is None else speech.embeddings,
        speakers=() if speech is None else speech.speakers,
        language=None if speech is None else speech.language,
        loudness=loudness or {},
        models=tuple(dict.fromkeys(log.models)),
        timings=tuple(log.timings),
        failures=tuple(dict.fromkeys(log.failures)),
        notes=tuple(note for note in dict.fromkeys(log.notes) if note),
        speaker_stems=speaker_stems,
    )
