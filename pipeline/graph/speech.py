"""The speech branch of the graph: who says what, in every format.

prepare_speech ─ find_speech ─┬─ transcribe ─────────────────────────────────────┬─ align
                              └─ (separate ─ prepare_speech ─ compare_voices) ─ diarize ┘
─ (embed_speakers ─ match_speakers) ─ (apply_glossary) ─ (edit_transcript) ─ subtitles

Words are recognised in another process while the sound is taken apart and the speakers are told apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipeline.chapters.contracts import FIND_CHAPTERS, MIN_RECORDING_S, FindChaptersInputs
from pipeline.edits.contracts import EDIT_TRANSCRIPT, EditTranscriptInputs
from pipeline.export.contracts import SUBTITLES, SubtitlesInputs, SubtitlesOutput, SubtitlesParams
from pipeline.graph.context import GraphContext, by_name
from pipeline.graph.stage import NoParams
from pipeline.graph.voices import WHOLE_SOUND_GAIN, embed_speakers
from pipeline.media.contracts import PREPARE_SPEECH, PrepareSpeechInputs
from pipeline.separation.contracts import SeparateParams
from pipeline.speech.contracts import (
    ALIGN,
    COMPARE_VOICES,
    DIARIZE,
    FIND_SPEECH,
    SAMPLE_VOICES,
    TRANSCRIBE,
    AlignInputs,
    AlignOutput,
    CompareVoicesInputs,
    DiarizeInputs,
    FindSpeechInputs,
    SampleVoicesInputs,
    SampleVoicesParams,
    TranscribeInputs,
    TranscribeOutput,
)
from pipeline.speech.glossary.contracts import APPLY_GLOSSARY, ApplyGlossaryInputs, ApplyGlossaryParams
from pipeline.speech.model_selection import (
    assign_names,
    options_to_diarize,
    options_to_transcribe,
    params_to_align,
    params_to_find_speech,
)
from pipeline.speech.speakers.contracts import (
    EMBED_SPEAKERS,
    MATCH_SPEAKERS,
    MatchSpeakersInputs,
)
from pipeline.types import Artefact, MediaInfo, Speaker

NO_SPEECH = "No speech was found, so the transcript is empty."


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSpeech:
    """Where in a clip somebody speaks."""

    sound: Artefact
    """The whole sound as speech models hear it."""
    spans: Artefact
    """The `speech` of a `FindSpeechOutput`."""
    voices: Artefact
    """Its `voices`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What is known of a clip's speech."""

    transcript: Artefact
    turns: Artefact
    """The transcript that a mix follows: as recognised, unless it is to follow edits."""
    voices: Artefact
    """When each speaker is heard."""
    turn_voices: Artefact
    """When each speaker of `turns` is heard."""
    speakers: tuple[Speaker, ...]
    language: str
    embeddings: Artefact | None = None
    """An embedding of each speaker; biometric, so it is kept apart from what is delivered."""
    subtitles: Artefact | None = None
    """The SRT; None where nobody speaks or it could not be written."""
    chapters: Artefact | None = None
    """The chapters of a long recording; None where there are none."""
    artefacts: tuple[Artefact, ...] = ()
    """What is delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """Who says what, before it is written in every format."""

    transcript: Artefact
    voices: Artefact
    speakers: tuple[Speaker, ...]
    frame_rate: float | None
    """Of the clip's picture; None: it has none."""
    chapters: Artefact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identified:
    embeddings: Artefact | None = None
    names: Mapping[str, str]
    """Of the speakers whom the request's voice-book knows, by id."""


async def find_speech(context: GraphContext, sound: Artefact) -> FoundSpeech:
    """Find out where in the whole sound somebody speaks.

    Raises:
        AudioProcessingError: A stage failed.
    """
    prepared = await context.run(PREPARE_SPEECH, PrepareSpeechInputs(sound=sound), NoParams())
    inputs = FindSpeechInputs(speech=prepared.speech)
    found = await context.run(FIND_SPEECH, inputs, params_to_find_speech(context.request))
    return FoundSpeech(sound=prepared.speech, spans=found.speech, voices=found.voices)


async def recognize(context: GraphContext, found: FoundSpeech) -> TranscribeOutput[Artefact]:
    """Recognise the words in the whole sound, where somebody speaks.

    Raises:
        AudioProcessingError: The recogniser failed, and so did those that stand in for it.
    """
    return await _recognize_in(context, found, found.spans)


async def are_voices_clear(context: GraphContext, found: FoundSpeech, params: SeparateParams) -> bool:
    """Tell whether a transcript would be the same if the voices were separated first.

    Raises:
        AudioProcessingError: A stage failed.
    """
    sampled = await context.run(
        SAMPLE_VOICES,
        SampleVoicesInputs(speech=found.sound, found=found.spans),
        SampleVoicesParams(engine=params.engine, model=params.model, weights=params.weights),
    )
    return sampled.clear


async def transcribe(
    context: GraphContext,
    media: MediaInfo,
    found: FoundSpeech,
    recognized: TranscribeOutput[Artefact],
    vocals: Artefact | None,
) -> Speech:
    """Write down who says what.

    Words are heard in the whole sound; `pipeline.speech.diarization.input_selection` says where speakers are.

    Raises:
        AudioProcessingError: A stage before the exports failed.
    """
    voices, gain = found.sound, WHOLE_SOUND_GAIN
    if vocals is not None:
        voices = (await context.run(PREPARE_SPEECH, PrepareSpeechInputs(sound=vocals), NoParams())).speech
        compared = await context.run(COMPARE_VOICES, CompareVoicesInputs(speech=found.sound, vocals=voices), NoParams())
        gain = compared.background_gain
    turned_down = gain != WHOLE_SOUND_GAIN
    diarized = await context.run_first(
        DIARIZE,
        DiarizeInputs(
            speech=found.sound,
            vocals=voices if turned_down else None,
            found=None if turned_down else found.voices,
        ),
        options_to_diarize(context.request, background_gain=gain),
    )
    if turned_down:
        # Where the background is so loud, speech is found better without it.
        again = await context.attempt(TRANSCRIBE.name, lambda: _recognize_in(context, found, diarized.diarization))
        recognized = again or recognized
    aligned = await context.run(
        ALIGN,
        AlignInputs(diarization=diarized.diarization, recognition=recognized.recognition, speech=found.sound),
        params_to_align(context.request, media.duration, diarized.models),
    )
    if not aligned.speakers:
        context.log.notes.append(NO_SPEECH)
    identified = await context.attempt(EMBED_SPEAKERS.name, lambda: _identify(context, voices, aligned))
    return await _export(context, media, aligned, identified or _Identified(names={}))


async def _recognize_in(context: GraphContext, found: FoundSpeech, diarization: Artefact) -> TranscribeOutput[Artefact]:
    return await context.run_first(
        TRANSCRIBE,
        TranscribeInputs(speech=found.sound, diarization=diarization),
        options_to_transcribe(context.request),
    )


async def _export(
    context: GraphContext, media: MediaInfo, aligned: AlignOutput[Artefact], found: _Identified
) -> Speech:
    corrected = await context.attempt(APPLY_GLOSSARY.name, lambda: _apply_glossary(context, aligned.transcript))
    recognized = _Spoken(
        transcript=corrected or aligned.transcript,
        voices=aligned.voices,
        speakers=aligned.speakers,
        frame_rate=None if media.video is None else media.video.frame_rate,
    )
    edited = await context.attempt(EDIT_TRANSCRIPT.name, lambda: _edit(context, recognized))
    spoken = edited or recognized
    follows_edits = spoken is recognized or context.request.mix_edits is True
    if media.duration >= MIN_RECORDING_S and spoken.speakers:
        spoken = await context.attempt(FIND_CHAPTERS.name, lambda: _divide(context, spoken)) or spoken
    names, missed = assign_names(found.names, context.request.names, spoken.speakers)
    context.log.notes.extend(missed)
    written = await _write(context, spoken, names)
    transcript = written.transcript or spoken.transcript
    return Speech(
        transcript=transcript,
        turns=transcript if follows_edits else await _name_recognized(context, recognized, found),
        voices=spoken.voices,
        turn_voices=spoken.voices if follows_edits else recognized.voices,
        speakers=written.speakers if names else spoken.speakers,
        language=aligned.language,
        embeddings=found.embeddings,
        chapters=spoken.chapters,
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
    """Put the terms and people of the request in place of what sounds like them."""
    params = ApplyGlossaryParams(terms=context.request.glossary_terms, people=context.request.people_names)
    if params == ApplyGlossaryParams():
        return transcript
    return (await context.run(APPLY_GLOSSARY, ApplyGlossaryInputs(transcript=transcript), params)).transcript


async def _edit(context: GraphContext, recognized: _Spoken) -> _Spoken:
    """Apply what people corrected, if anything."""
    edits = context.request.transcript_edits
    if edits is None:
        return recognized
    inputs = EditTranscriptInputs(transcript=recognized.transcript, voices=recognized.voices, edits=edits)
    edited = await context.run(EDIT_TRANSCRIPT, inputs, NoParams())
    return replace(recognized, transcript=edited.transcript, voices=edited.voices, speakers=edited.speakers)


async def _divide(context: GraphContext, spoken: _Spoken) -> _Spoken:
    """Divide a long recording by topics."""
    divided = await context.run(FIND_CHAPTERS, FindChaptersInputs(transcript=spoken.transcript), NoParams())
    return replace(spoken, transcript=divided.transcript, chapters=divided.chapters)


async def _write(context: GraphContext, spoken: _Spoken, names: Mapping[str, str]) -> SubtitlesOutput[Artefact]:
    return await context.run(
        SUBTITLES,
        SubtitlesInputs(transcript=spoken.transcript, voices=spoken.voices),
        SubtitlesParams(names=names, style=context.request.subtitles, frame_rate=spoken.frame_rate),
    )


async def _identify(context: GraphContext, speech: Artefact, aligned: AlignOutput[Artefact]) -> _Identified:
    """Keep an embedding of each speaker; look them up in the request's voice-book."""
    if not aligned.speakers:
        return _Identified(names={})
    embeddings = await embed_speakers(context, speech, aligned.voices)
    book = context.request.voice_book
    if book is None:
        return _Identified(embeddings=embeddings, names={})
    looked_up = MatchSpeakersInputs(embeddings=embeddings, book=book)
    matched = await context.attempt(MATCH_SPEAKERS.name, lambda: context.run(MATCH_SPEAKERS, looked_up, NoParams()))
    return _Identified(embeddings=embeddings, names={} if matched is None else matched.names)
