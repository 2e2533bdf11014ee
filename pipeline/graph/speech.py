"""The speech branch of the graph: who says what, in every format.

prepare_speech ─ diarize ─ transcribe ─ align ─ (embed_speakers ─ match_speakers)
─ (apply_glossary) ─ (edit_transcript) ─ subtitles
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.catalog import PRESETS
from pipeline.edits.contracts import EDIT_TRANSCRIPT, EditTranscriptInputs
from pipeline.export.contracts import SUBTITLES, SubtitlesInputs, SubtitlesOutput, SubtitlesParams
from pipeline.graph.context import GraphContext, by_name
from pipeline.graph.stage import NoParams
from pipeline.media.contracts import PREPARE_SPEECH, PrepareSpeechInputs
from pipeline.models.loader import model_digest
from pipeline.separation.contracts import StemFiles
from pipeline.speech.contracts import (
    ALIGN,
    DIARIZE,
    EMBED_SPEAKERS,
    MATCH_SPEAKERS,
    TRANSCRIBE,
    AlignInputs,
    AlignOutput,
    DiarizeInputs,
    EmbedSpeakersInputs,
    EmbedSpeakersParams,
    MatchSpeakersInputs,
    TranscribeInputs,
)
from pipeline.speech.glossary.contracts import APPLY_GLOSSARY, ApplyGlossaryInputs, ApplyGlossaryParams
from pipeline.speech.model_selection import assign_names, options_to_diarize, options_to_transcribe, params_to_align
from pipeline.types import Artefact, MediaInfo, Speaker

NO_SPEECH = "No speech was found, so the transcript is empty."


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What is known of a clip's speech."""

    transcript: Artefact
    turns: Artefact
    """The transcript that a mix follows: as recognised, unless it is to follow edits."""
    voices: Artefact
    """When each speaker is heard."""
    speakers: tuple[Speaker, ...]
    language: str
    embeddings: Artefact | None = None
    """An embedding of each speaker; biometric, so it is kept apart from what is delivered."""
    subtitles: Artefact | None = None
    """The SRT; None where nobody speaks or it could not be written."""
    artefacts: tuple[Artefact, ...] = ()
    """What is delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """Who says what, before it is written in every format."""

    transcript: Artefact
    voices: Artefact
    speakers: tuple[Speaker, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identified:
    embeddings: Artefact | None = None
    names: Mapping[str, str]
    """Of the speakers whom the request's voice-book knows, by id."""


async def transcribe(context: GraphContext, media: MediaInfo, sound: Artefact, stems: StemFiles[Artefact]) -> Speech:
    """Write down who says what.

    Words are heard in the whole sound; `pipeline.speech.diarization.input_selection` says where speakers are.

    Raises:
        AudioProcessingError: A stage before the exports failed.
    """
    voices = await context.run(PREPARE_SPEECH, PrepareSpeechInputs(sound=stems.vocals or sound), NoParams())
    mixed = await context.run(PREPARE_SPEECH, PrepareSpeechInputs(sound=sound), NoParams())
    vocals = None if stems.vocals is None else voices.speech
    diarized = await context.run_first(
        DIARIZE, DiarizeInputs(speech=mixed.speech, vocals=vocals), options_to_diarize(context.request)
    )
    recognized = await context.run_first(
        TRANSCRIBE,
        TranscribeInputs(speech=mixed.speech, diarization=diarized.diarization),
        options_to_transcribe(context.request),
    )
    aligned = await context.run(
        ALIGN,
        AlignInputs(diarization=diarized.diarization, recognition=recognized.recognition, speech=mixed.speech),
        params_to_align(context.request, media.duration, diarized.models),
    )
    if not aligned.speakers:
        context.log.notes.append(NO_SPEECH)
    found = await context.attempt(EMBED_SPEAKERS.name, lambda: _identify(context, voices.speech, aligned))
    return await _export(context, aligned, found or _Identified(names={}))


async def _export(context: GraphContext, aligned: AlignOutput[Artefact], found: _Identified) -> Speech:
    corrected = await context.attempt(APPLY_GLOSSARY.name, lambda: _apply_glossary(context, aligned.transcript))
    recognized = _Spoken(transcript=corrected or aligned.transcript, voices=aligned.voices, speakers=aligned.speakers)
    edited = await context.attempt(EDIT_TRANSCRIPT.name, lambda: _edit(context, recognized))
    spoken = edited or recognized
    names, missed = assign_names(found.names, context.request.names, spoken.speakers)
    context.log.notes.extend(missed)
    written = await _write(context, spoken, names)
    transcript = written.transcript or spoken.transcript
    follows_edits = spoken is recognized or context.request.mix_edits is True
    return Speech(
        transcript=transcript,
        turns=transcript if follows_edits else await _name_recognized(context, recognized, found),
        voices=spoken.voices,
        speakers=written.speakers if names else spoken.speakers,
        language=aligned.language,
        embeddings=found.embeddings,
        subtitles=written.subtitles if spoken.speakers else None,
        artefacts=by_name(transcript, *written.exports),
    )


async def _name_recognized(context: GraphContext, recognized: _Spoken, found: _Identified) -> Artefact:
    """Return the transcript without edits, with the names that are known."""
    names, _ = assign_names(found.names, context.request.names, recognized.speakers)
    if not names:
        return recognized.transcript
    return (await _write(context, recognized, names)).transcript or recognized.transcript


async def _apply_glossary(context: GraphContext, transcript: Artefact) -> Artefact:
    """Put the terms of the request's glossary in place of what sounds like them."""
    terms = context.request.glossary_terms
    if not terms:
        return transcript
    inputs = ApplyGlossaryInputs(transcript=transcript)
    return (await context.run(APPLY_GLOSSARY, inputs, ApplyGlossaryParams(terms=terms))).transcript


async def _edit(context: GraphContext, recognized: _Spoken) -> _Spoken:
    """Apply what people corrected, if anything."""
    edits = context.request.transcript_edits
    if edits is None:
        return recognized
    inputs = EditTranscriptInputs(transcript=recognized.transcript, voices=recognized.voices, edits=edits)
    edited = await context.run(EDIT_TRANSCRIPT, inputs, NoParams())
    return _Spoken(transcript=edited.transcript, voices=edited.voices, speakers=edited.speakers)


async def _write(context: GraphContext, spoken: _Spoken, names: Mapping[str, str]) -> SubtitlesOutput[Artefact]:
    return await context.run(
        SUBTITLES,
        SubtitlesInputs(transcript=spoken.transcript, voices=spoken.voices),
        SubtitlesParams(names=names, style=context.request.subtitles),
    )


async def _identify(context: GraphContext, speech: Artefact, aligned: AlignOutput[Artefact]) -> _Identified:
    """Keep an embedding of each speaker; look them up in the request's voice-book."""
    if not aligned.speakers:
        return _Identified(names={})
    model = PRESETS[context.request.preset].embedding
    embedded = await context.run(
        EMBED_SPEAKERS,
        EmbedSpeakersInputs(speech=speech, voices=aligned.voices),
        EmbedSpeakersParams(embedding=model, weights=model_digest(model)),
    )
    book = context.request.voice_book
    if book is None:
        return _Identified(embeddings=embedded.embeddings, names={})
    looked_up = MatchSpeakersInputs(embeddings=embedded.embeddings, book=book)
    matched = await context.attempt(MATCH_SPEAKERS.name, lambda: context.run(MATCH_SPEAKERS, looked_up, NoParams()))
    return _Identified(embeddings=embedded.embeddings, names={} if matched is None else matched.names)
