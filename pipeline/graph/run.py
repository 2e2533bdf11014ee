"""The stage graph: one request and one clip in, one result out.

    probe ─ extract ─ route ─ prepare_speech ─ find_speech ─┬─ separate ─ (split_background) ─┬─ ...
                                                            └─ transcribe ────────────────────┘

    ... ─┬─ measure ─ (dub) ─ mix ──────────────────────────────┬─ mux
         └─ diarize ─ align ─ (edit_transcript) ─ subtitles ────┴─ (split_speakers) ─ report

A mix that follows the turns (a gain for a speaker, a dub in pieces, ducking beside a transcript) waits for them.

A tool for clips has a short graph of its own, `pipeline.graph.clip`; so have voices alone, `pipeline.graph.voices`.

A branch that fails takes nothing else down: its error goes into `Result.failures` and
the other parts are delivered. Which stages run depends on the task alone; where they
run, and whether they run at all or come from the store, is up to the executor.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from pipeline.clip_options import needs_speech
from pipeline.errors import from_failure
from pipeline.export.contracts import REPORT, ReportInputs
from pipeline.graph import mix
from pipeline.graph.clip import Heard, use_tool
from pipeline.graph.concurrency import run_branches
from pipeline.graph.context import GraphContext, Limits
from pipeline.graph.mix import Remix, follows_turns, remix
from pipeline.graph.result import build_result
from pipeline.graph.separation import Separation, separate
from pipeline.graph.speaker_stems import SpeakerStems, split_speakers
from pipeline.graph.speech import FoundSpeech, Speech, find_speech, recognize, transcribe
from pipeline.graph.stage import NoParams, StageExecutor
from pipeline.graph.voices import VOICES_ROUTE, describe_voices
from pipeline.media.contracts import (
    EXTRACT,
    PROBE,
    ExtractInputs,
    ExtractOutput,
    ExtractParams,
    ProbeInputs,
    ProbeParams,
)
from pipeline.routing.contracts import ROUTE, RouteInputs, RouteParams
from pipeline.separation.contracts import (
    SEPARATE,
    StemFiles,
)
from pipeline.speaker_stems.contracts import SPLIT_SPEAKERS
from pipeline.speech.contracts import FIND_SPEECH, TRANSCRIBE, TranscribeOutput
from pipeline.types import Artefact, Loudness, MediaInfo, Request, Result, Route, Task


async def run(
    request: Request,
    source: Artefact,
    execute: StageExecutor,
    *,
    dub: Artefact | None = None,
    limits: Limits | None = None,
) -> Result:
    """Take a clip through the stages that its request asks for.

    Args:
        request: What to do with the clip.
        source: The clip.
        execute: Runs the stages.
        dub: What replaces the vocals.
        limits: What a clip may be.

    Raises:
        AudioProcessingError: The error of the first stage that failed, when nothing at all could be made.
        Cancelled: The job was stopped.
        QueueError: The broker is away; another attempt may work.
        StoreError: The store is away; another attempt may work.
    """
    context = GraphContext(request=request, source=source, dub=dub, limits=limits or Limits(), execute=execute)
    media = await _probe(context)
    if request.clip_tool is not None:
        return await use_tool(context, media, request.clip_tool, hear=lambda: _hear_alone(context, media))
    if request.task is Task.VOICES:
        return await _describe_voices(context, media)
    extracted = await _extract(context, media)
    sound = extracted.sound
    route = await _choose_route(context, media, sound)
    found = await context.attempt(FIND_SPEECH.name, lambda: find_speech(context, sound)) if _hears(context) else None
    separation, recognized = await _separate_and_recognize(context, route, sound, found)
    mixed, speech = await _mix_and_hear(
        context, sound, separation.stems, lambda: _hear(context, media, found, recognized, separation.stems)
    )
    made = [
        *separation.artefacts,
        *(() if mixed is None else mixed.artefacts),
        *(() if speech is None else speech.artefacts),
    ]
    if not made and context.log.failures:
        raise from_failure(context.log.failures[0])
    split = await _split_speakers(context, separation.stems, speech)
    made += [*split.artefacts, *await _finish(context, media, sound, separation.stems, mixed, speech)]
    loudness = _true_loudness(mixed, extracted.gain_db)
    return build_result(context, media, route, made, speech, loudness, split.stems)


async def _probe(context: GraphContext) -> MediaInfo:
    limits = context.limits
    params = ProbeParams(
        name=context.source.name,
        max_duration=limits.max_duration,
        max_size=limits.max_size,
        track=context.request.wanted_track,
        needs_sound=context.request.clip_tool is None or needs_speech(context.request),
    )
    return (await context.run(PROBE, ProbeInputs(source=context.source), params)).media


async def _extract(context: GraphContext, media: MediaInfo) -> ExtractOutput[Artefact]:
    return await context.run(EXTRACT, ExtractInputs(source=context.source), ExtractParams(track=media.track))


async def _choose_route(context: GraphContext, media: MediaInfo, sound: Artefact) -> Route:
    request = context.request
    params = RouteParams(duration=media.duration, budget=request.budget, preset=request.preset, asked=request.route)
    return (await context.run(ROUTE, RouteInputs(sound=sound), params)).route


async def _separate_and_recognize(
    context: GraphContext, route: Route, sound: Artefact, found: FoundSpeech | None
) -> tuple[Separation, TranscribeOutput[Artefact] | None]:
    """Take the sound apart, and meanwhile recognise the words where there is to be a transcript."""
    separation, recognized = await run_branches(
        context.attempt(SEPARATE.name, lambda: separate(context, route, sound, found)),
        None if found is None else context.attempt(TRANSCRIBE.name, lambda: recognize(context, found)),
    )
    return separation or Separation(stems=StemFiles()), recognized


async def _hear_alone(context: GraphContext, media: MediaInfo) -> Heard:
    """Write down who says what, as for a transcript alone."""
    sound = (await _extract(context, media)).sound
    route = await _choose_route(context, media, sound)
    found = await find_speech(context, sound)
    separation, recognized = await _separate_and_recognize(context, route, sound, found)
    if recognized is None:
        failures = context.log.failures
        raise from_failure(next((one for one in failures if one.stage == TRANSCRIBE.name), failures[-1]))
    speech = await transcribe(context, media, found, recognized, separation.stems.vocals)
    return Heard(route=route, speech=speech)


async def _describe_voices(context: GraphContext, media: MediaInfo) -> Result:
    found = await find_speech(context, (await _extract(context, media)).sound)
    voices = await describe_voices(context, found.sound, found.voices)
    return replace(build_result(context, media, VOICES_ROUTE, ()), voices=voices)


def _hears(context: GraphContext) -> bool:
    """Tell whether what the task asks for needs a transcript."""
    request = context.request
    remixes = request.task in (Task.REMIX, Task.ALL)
    return (
        request.task in (Task.TRANSCRIBE, Task.ALL)
        or request.wants_speaker_stems
        or (remixes and (request.soft_subtitles or follows_turns(context)))
    )


async def _hear(
    context: GraphContext,
    media: MediaInfo,
    found: FoundSpeech | None,
    recognized: TranscribeOutput[Artefact] | None,
    stems: StemFiles[Artefact],
) -> Speech | None:
    if found is None or recognized is None:
        return None
    return await context.attempt(TRANSCRIBE.name, lambda: transcribe(context, media, found, recognized, stems.vocals))


async def _mix_and_hear(
    context: GraphContext,
    sound: Artefact,
    stems: StemFiles[Artefact],
    hear: Callable[[], Awaitable[Speech | None]],
) -> tuple[Remix | None, Speech | None]:
    """Make what the task asks for of remix and transcript, side by side where neither needs the other."""
    remixes = context.request.task in (Task.REMIX, Task.ALL)

    def mixing(speech: Speech | None) -> Awaitable[Remix | None]:
        return context.attempt(mix.MIX.name, lambda: remix(context, sound, stems, speech))

    if not (remixes and follows_turns(context)):
        return await run_branches(mixing(None) if remixes else None, hear())
    speech = await hear()
    return await mixing(speech), speech


async def _split_speakers(context: GraphContext, stems: StemFiles[Artefact], speech: Speech | None) -> SpeakerStems:
    made = await context.attempt(SPLIT_SPEAKERS.name, lambda: split_speakers(context, stems.vocals, speech))
    return made or SpeakerStems()


async def _finish(
    context: GraphContext,
    media: MediaInfo,
    sound: Artefact,
    stems: StemFiles[Artefact],
    mixed: Remix | None,
    speech: Speech | None,
) -> list[Artefact]:
    """Make what needs both the mix and the words: the video, the comparison of a dub, the picture."""
    made: list[Artefact] = []
    if mixed is not None:
        made += await context.attempt(mix.MUX.name, lambda: mix.mux(context, media, mixed.mix, speech)) or ()
    if mixed is not None and speech is not None:
        made += (
            await context.attempt(mix.RENDER_DUB_COMPARISON.name, lambda: mix.compare_dub(context, stems, speech)) or ()
        )
    report = await context.attempt(
        REPORT.name,
        lambda: context.run(
            REPORT,
            ReportInputs(
                sound=sound,
                stems=stems,
                transcript=None if speech is None else speech.transcript,
                voices=None if speech is None else speech.voices,
            ),
            NoParams(),
        ),
    )
    return made if report is None else [*made, report.picture]


def _true_loudness(mixed: Remix | None, gain_db: float) -> Mapping[str, Loudness]:
    """Return what was measured, for the original as loud as it was before a gain."""
    if mixed is None:
        return {}
    original = mixed.loudness.get("original")
    if not gain_db or original is None:
        return mixed.loudness

    def before(level: float | None) -> float | None:
        return None if level is None else level - gain_db

    levels = replace(
        original,
        integrated=before(original.integrated),
        peak=before(original.peak),
        true_peak=before(original.true_peak),
    )
    return {**mixed.loudness, "original": levels}
