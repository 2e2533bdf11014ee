"""Descriptions of voices, beside a transcript or alone.

Alone, for somebody who has their own voice kept:

probe ─ extract ─ prepare_speech ─ find_speech ─ diarize ─ embed_speakers
"""

from typing import Final

from pipeline.catalog import PRESETS
from pipeline.graph.context import GraphContext
from pipeline.models.loader import model_digest
from pipeline.speech.contracts import DIARIZE, DiarizeInputs
from pipeline.speech.model_selection import options_to_diarize
from pipeline.speech.speakers.contracts import EMBED_SPEAKERS, EmbedSpeakersInputs, EmbedSpeakersParams
from pipeline.types import Artefact, Route, RouteName

WHOLE_SOUND_GAIN: Final = 1.0
"""Linear gain of the background in the sound as it is."""
VOICES_ROUTE: Final = Route(
    name=RouteName.BASIC,
    engine="ffmpeg",
    model=None,
    reason="Voices are described in the sound as it is.",
    asked=True,
)


async def describe_voices(context: GraphContext, speech: Artefact, found: Artefact) -> Artefact:
    """Tell the voices of a clip apart and describe each.

    Args:
        context: The job.
        speech: The whole sound as speech models hear it.
        found: The `voices` of a `FindSpeechOutput`.

    Raises:
        AudioProcessingError: A stage failed.
    """
    inputs = DiarizeInputs(speech=speech, found=found)
    options = options_to_diarize(context.request, background_gain=WHOLE_SOUND_GAIN)
    diarized = await context.run_first(DIARIZE, inputs, options)
    return await embed_speakers(context, speech, diarized.diarization)


async def embed_speakers(context: GraphContext, speech: Artefact, voices: Artefact) -> Artefact:
    """Describe the voice of each speaker.

    Args:
        context: The job.
        speech: The sound, 16 kHz.
        voices: When each speaker is heard, a `pipeline.types.Diarization` as JSON.

    Raises:
        AudioProcessingError: The stage failed.
    """
    model = PRESETS[context.request.preset].embedding
    params = EmbedSpeakersParams(embedding=model, weights=model_digest(model))
    return (await context.run(EMBED_SPEAKERS, EmbedSpeakersInputs(speech=speech, voices=voices), params)).embeddings
