"""How several workers find out who speaks when in a long clip.

                ┌ segment_part ┐                                ┌ embed_part ┐
survey_speech ──┼ segment_part ┼─ join_speech   survey_voices ──┼ embed_part ┼─ join_voices
                └ …            ┘                                └ …          ┘

Parts depend on the clip alone, so one worker finds what many do.
"""

from pipeline.graph.concurrency import run_side_by_side
from pipeline.graph.stage import MAX_PARTS_AT_ONCE, NoParams, PartRange, StageExecutor, StageRequest
from pipeline.speech.contracts import (
    DiarizeInputs,
    DiarizeOutput,
    DiarizeParams,
    FindSpeechInputs,
    FindSpeechOutput,
    FindSpeechParams,
)
from pipeline.speech.diarization.parts.contracts import (
    EMBED_PART,
    JOIN_SPEECH,
    JOIN_VOICES,
    SEGMENT_PART,
    SURVEY_SPEECH,
    SURVEY_VOICES,
    EmbedPartInputs,
    EmbedPartParams,
    JoinSpeechInputs,
    JoinVoicesInputs,
    SegmentPartInputs,
    SegmentPartParams,
    SurveyVoicesInputs,
)
from pipeline.types import Artefact

SEGMENTATION_SHARE = 0.35
"""Of the work on a diarization whose segmentation was not done before."""


async def find_speech_in_parts(
    execute: StageExecutor, inputs: FindSpeechInputs[Artefact], params: FindSpeechParams
) -> StageRequest[JoinSpeechInputs[Artefact], FindSpeechParams, FindSpeechOutput[Artefact]] | None:
    """Hear the windows of a clip in parts, and return how they are joined; see `PartedStage`."""
    heard = SegmentPartInputs(speech=inputs.speech)
    return await _segment(execute, heard, params, background_gain=1.0, share=1.0)


async def diarize_in_parts(
    execute: StageExecutor, inputs: DiarizeInputs[Artefact], params: DiarizeParams
) -> StageRequest[JoinVoicesInputs[Artefact], DiarizeParams, DiarizeOutput[Artefact]] | None:
    """Embed the voices of a clip in parts, and return how they are told apart; see `PartedStage`.

    A pretrained pipeline hears a clip as a whole.
    """
    if params.pipeline is not None:
        return None
    segmentation, embedding = params.weights
    found, share = inputs.found, 1.0
    if found is None:
        heard = SegmentPartInputs(speech=inputs.speech, vocals=inputs.vocals)
        asked = FindSpeechParams(segmentation=params.segmentation, weights=segmentation)
        request = await _segment(
            execute, heard, asked, background_gain=params.background_gain, share=SEGMENTATION_SHARE
        )
        if request is None:
            return None
        found = (await execute(request.stage, request.inputs, request.params)).output.voices
        share -= SEGMENTATION_SHARE
    voices = found
    survey = await execute(SURVEY_VOICES, SurveyVoicesInputs(speech=inputs.speech, found=voices), NoParams())
    parts = survey.output.parts
    if len(parts) < 2 and inputs.found is not None:
        return None
    chunks = sum(part.count for part in parts)

    async def embed(part: PartRange) -> Artefact:
        asked = EmbedPartParams(
            embedding=params.embedding,
            weights=embedding,
            background_gain=params.background_gain,
            part=part,
            share=share * part.count / chunks,
        )
        heard = EmbedPartInputs(speech=inputs.speech, found=voices, vocals=inputs.vocals)
        return (await execute(EMBED_PART, heard, asked)).output.embeddings

    made = await run_side_by_side(embed, parts, limit=MAX_PARTS_AT_ONCE)
    return StageRequest(
        stage=JOIN_VOICES,
        inputs=JoinVoicesInputs(speech=inputs.speech, found=voices, parts=tuple(made)),
        params=params,
    )


async def _segment(
    execute: StageExecutor,
    inputs: SegmentPartInputs[Artefact],
    params: FindSpeechParams,
    *,
    background_gain: float,
    share: float,
) -> StageRequest[JoinSpeechInputs[Artefact], FindSpeechParams, FindSpeechOutput[Artefact]] | None:
    """Hear the windows of a sound in parts; None where there is only one."""
    survey = await execute(SURVEY_SPEECH, FindSpeechInputs(speech=inputs.speech), NoParams())
    parts = survey.output.parts
    if len(parts) < 2:
        return None
    windows = sum(part.count for part in parts)

    async def hear(part: PartRange) -> Artefact:
        asked = SegmentPartParams(
            segmentation=params.segmentation,
            weights=params.weights,
            background_gain=background_gain,
            part=part,
            share=share * part.count / windows,
        )
        return (await execute(SEGMENT_PART, inputs, asked)).output.active

    made = await run_side_by_side(hear, parts, limit=MAX_PARTS_AT_ONCE)
    return StageRequest(stage=JOIN_SPEECH, inputs=JoinSpeechInputs(parts=tuple(made)), params=params)
