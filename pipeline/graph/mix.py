"""The mix branch of the graph: the parts balanced or dubbed, and the final video.

measure ─ (dub) ─ mix ─ mux ─ (render_dub_comparison)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.graph.context import GraphContext, by_name, renamed
from pipeline.graph.speech import Speech
from pipeline.graph.stage import NoParams
from pipeline.graph.turns import mix_follows_turns
from pipeline.languages import container_code
from pipeline.media.contracts import MUX, MuxInputs, MuxParams
from pipeline.mix.contracts import (
    DUB,
    MEASURE,
    MIX,
    RENDER_DUB_COMPARISON,
    DubInputs,
    MeasureInputs,
    MixInputs,
    RenderDubComparisonInputs,
    RenderDubComparisonParams,
)
from pipeline.mix.dub.params import dub_params, is_zip, needs_turns
from pipeline.mix.params import mix_params
from pipeline.separation.contracts import StemFiles
from pipeline.types import Artefact, Loudness, MediaInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Remix:
    """The final mix."""

    mix: Artefact
    """`final.m4a`."""
    loudness: Mapping[str, Loudness] = field(default_factory=dict[str, Loudness])
    artefacts: tuple[Artefact, ...] = ()
    """What is delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dubbed:
    track: Artefact
    artefacts: tuple[Artefact, ...]


def follows_turns(context: GraphContext) -> bool:
    """Tell whether the mix needs to know who speaks when, and so waits for the transcript."""
    return mix_follows_turns(context.request, context.dub)


async def remix(context: GraphContext, sound: Artefact, stems: StemFiles[Artefact], speech: Speech | None) -> Remix:
    """Mix the parts; what does not change with the options of a mix is measured once, in a stage of its own.

    Raises:
        AudioProcessingError: A stage failed.
    """
    measured = await context.run(MEASURE, MeasureInputs(original=sound, stems=stems), NoParams())
    turns = speech.turns if speech is not None and follows_turns(context) else None
    dubbed = None
    if context.dub is not None and stems.vocals is not None:
        dubbed = await _dub(context, stems.vocals, context.dub, speech)
    mixed = await context.run(
        MIX,
        MixInputs(sound=sound, stems=stems, dub=None if dubbed is None else dubbed.track, transcript=turns),
        mix_params(context.request, measured.loudness, dub=context.dub is not None),
    )
    return Remix(
        mix=mixed.mix,
        loudness={**measured.loudness, **mixed.loudness},
        artefacts=(*(() if dubbed is None else dubbed.artefacts), *by_name(mixed.mix, *mixed.others)),
    )


async def _dub(context: GraphContext, vocals: Artefact, dub: Artefact, speech: Speech | None) -> _Dubbed:
    """Make the voice track that stands in for the vocals."""
    turns = speech.turns if speech is not None and needs_turns(context.request, dub.name) else None
    made = await context.run(
        DUB,
        DubInputs(vocals=vocals, dub=dub, transcript=turns),
        dub_params(context.request, dub, max_size=context.limits.max_size),
    )
    track = (renamed(made.track, "stems/dub.flac"),) if is_zip(dub.name) else ()
    return _Dubbed(track=made.track, artefacts=(*track, *by_name(*made.reports)))


async def mux(context: GraphContext, media: MediaInfo, mix: Artefact, speech: Speech | None) -> tuple[Artefact, ...]:
    """Join the final mix and the clip's picture, with subtitles where they are asked for."""
    if media.video is None:
        return ()
    subtitles = speech.subtitles if speech is not None and context.request.soft_subtitles else None
    chapters = speech.chapters if speech is not None else None
    spoken = speech.language if speech is not None and speech.speakers else None
    joined = await context.run(
        MUX,
        MuxInputs(source=context.source, sound=mix, subtitles=subtitles, chapters=chapters),
        MuxParams(
            language=container_code(context.request.language or spoken),
            track=media.track,
        ),
    )
    return () if joined.video is None else (joined.video,)


async def compare_dub(context: GraphContext, stems: StemFiles[Artefact], speech: Speech) -> tuple[Artefact, ...]:
    """Report how a dub that is one whole track fits the turns, where these are known."""
    dub = context.dub
    if dub is None or is_zip(dub.name) or stems.vocals is None or not speech.speakers:
        return ()
    compared = await context.run(
        RENDER_DUB_COMPARISON,
        RenderDubComparisonInputs(vocals=stems.vocals, dub=dub, transcript=speech.turns),
        RenderDubComparisonParams(name=dub.name),
    )
    return by_name(*compared.reports)
