"""The stages that embed a clip's speakers and look them up in a voice-book."""

from pathlib import Path

import msgspec

from pipeline.graph.stage import NoParams, StageContext
from pipeline.models.loader import model_digest
from pipeline.speech.speakers.contracts import (
    EMBED_SPEAKERS,
    EmbedSpeakersInputs,
    EmbedSpeakersOutput,
    EmbedSpeakersParams,
    MatchSpeakersInputs,
    MatchSpeakersOutput,
)
from pipeline.speech.speakers.embedding_model import embed_speaker, load_speaker_encoder
from pipeline.speech.speakers.matching import Voice, VoiceBook, match_speakers
from pipeline.speech.speakers.voice_book import read_book
from pipeline.types import Diarization

MIN_MENTIONED_PROBABILITY = 0.5
"""From here on a note says who an unnamed speaker may be."""


def embed_speakers_stage(
    context: StageContext, inputs: EmbedSpeakersInputs[Path], params: EmbedSpeakersParams
) -> EmbedSpeakersOutput[Path]:
    """Write an embedding of each speaker who is heard long enough to `voices-embeddings.json`.

    Raises:
        DiarizationError: The sound or the model does not fit.
        ModelError: Weights are missing or changed.
        Cancelled: The job was stopped.
    """
    diarization = msgspec.json.decode(inputs.voices.read_bytes(), type=Diarization)
    context.report(0.0, "Listening to each voice")
    encoder = load_speaker_encoder(context.models, params.embedding)
    found: list[Voice] = []
    for number, speaker in enumerate(diarization.speakers, start=1):
        voice = embed_speaker(inputs.speech, diarization.segments, speaker, encoder)
        found += [] if voice is None else [voice]
        context.report(number / len(diarization.speakers), "Listening to each voice")
    book = VoiceBook(model=params.embedding, digest=model_digest(params.embedding), voices=tuple(found))
    path = context.out / "voices-embeddings.json"
    path.write_bytes(msgspec.json.encode(book))
    models = (context.models.use(EMBED_SPEAKERS.name, params.embedding),)
    return EmbedSpeakersOutput(embeddings=path, voices=len(found), models=models)


def match_speakers_stage(
    context: StageContext, inputs: MatchSpeakersInputs[Path], params: NoParams
) -> MatchSpeakersOutput:
    """Name the speakers whom the voice-book knows, with notes on how sure that is.

    Raises:
        ValidationError: The voice-book is broken or was made with another model.
    """
    matches = match_speakers(read_book(inputs.embeddings), read_book(inputs.book))
    names = {speaker: match.name for speaker, match in matches.items() if match.name is not None}
    notes = [f"{speaker} is {name} ({matches[speaker].confidence:.0%} sure)." for speaker, name in names.items()]
    notes += [
        f"{speaker} may be {match.nearest} ({match.confidence:.0%} sure), too little to say so."
        for speaker, match in matches.items()
        if match.name is None and match.nearest is not None and match.confidence >= MIN_MENTIONED_PROBABILITY
    ]
    return MatchSpeakersOutput(names=names, notes=tuple(notes))
