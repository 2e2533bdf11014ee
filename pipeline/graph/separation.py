"""The part of the graph that takes the sound apart.

separate ─ (split_background)
"""

from dataclasses import dataclass, replace

from pipeline.graph.context import GraphContext, renamed
from pipeline.graph.speech import FoundSpeech, are_voices_clear
from pipeline.graph.stage import NoParams
from pipeline.media.contracts import MIX_DOWN, MixDownInputs
from pipeline.models.loader import model_digest
from pipeline.separation.background_parts import choose_parts, explain_parts
from pipeline.separation.contracts import (
    SEPARATE,
    SPLIT_BACKGROUND,
    SeparateInputs,
    SeparateParams,
    SplitBackgroundInputs,
    SplitBackgroundParams,
    StemFiles,
)
from pipeline.separation.engines.background import STEMCORD_BACKGROUND
from pipeline.speech.contracts import SAMPLE_VOICES
from pipeline.types import Artefact, Route, RouteName, Task

BASIC_ROUTE_NOTE = "The basic route extracts the sound and does not take it apart."


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """What the sound was taken apart into."""

    stems: StemFiles[Artefact]
    artefacts: tuple[Artefact, ...] = ()
    """What of it is delivered."""


async def separate(context: GraphContext, route: Route, sound: Artefact, found: FoundSpeech | None) -> Separation:
    """Take the sound apart, unless only a transcript is wanted and the voices are clear without.

    On the basic route there is only the seed's plain extraction.

    Raises:
        AudioProcessingError: A stage failed, beside the one that parts the background.
    """
    task = context.request.task
    if task is Task.TRANSCRIBE and found is None:
        # Where somebody speaks could not be found, so there will be no transcript.
        return Separation(stems=StemFiles())
    if route.name is RouteName.BASIC or route.model is None:
        plain = await context.run(MIX_DOWN, MixDownInputs(sound=sound), NoParams())
        context.log.notes.append(BASIC_ROUTE_NOTE)
        delivered = (plain.sound,) if task in (Task.SEPARATE, Task.ALL) else ()
        return Separation(stems=StemFiles(), artefacts=delivered)
    params = SeparateParams(engine=route.engine, model=route.model, weights=model_digest(route.model))
    only_heard = task in (Task.TRANSCRIBE, Task.CLIP) and not context.request.wants_speaker_stems
    if only_heard and found is not None and await _is_clear(context, found, params):
        return Separation(stems=StemFiles())
    stems = (await context.run(SEPARATE, SeparateInputs(sound=sound), params)).stems
    if task not in (Task.TRANSCRIBE, Task.CLIP) and stems.background is not None and stems.music is None:
        background = stems.background
        parts = await context.attempt(SPLIT_BACKGROUND.name, lambda: _split_background(context, background))
        stems = stems if parts is None else replace(stems, music=parts.music, sfx=parts.sfx, ambient=parts.ambient)
    delivered = () if task is Task.TRANSCRIBE else tuple(renamed(file, f"stems/{file.name}") for _, file in stems)
    return Separation(stems=stems, artefacts=delivered)


async def _is_clear(context: GraphContext, found: FoundSpeech, params: SeparateParams) -> bool:
    """Tell whether the voices are known to be clear; where that cannot be told they are taken out."""
    clear = await context.attempt(SAMPLE_VOICES.name, lambda: are_voices_clear(context, found, params))
    return clear is True


async def _split_background(context: GraphContext, background: Artefact) -> StemFiles[Artefact]:
    """Part the background as far as it is asked for, or known to succeed."""
    wanted = choose_parts(context.request)
    context.log.notes.extend(explain_parts(context.request, wanted))
    if not wanted:
        return StemFiles()
    model = STEMCORD_BACKGROUND.name
    params = SplitBackgroundParams(model=model, weights=model_digest(model), parts=wanted)
    return (await context.run(SPLIT_BACKGROUND, SplitBackgroundInputs(background=background), params)).stems
