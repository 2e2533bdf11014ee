"""How a long sound is taken apart by several workers.

         ┌ separate_part ┐
survey ──┼ separate_part ┼─ join_parts
         └ …             ┘

Cuts depend on the sound alone (`pipeline.separation.parts`), so one worker makes the same stems as many.
"""

from pipeline.graph.concurrency import run_side_by_side
from pipeline.graph.stage import MAX_PARTS_AT_ONCE, NoParams, StageExecutor, StageRequest
from pipeline.separation.contracts import (
    JOIN,
    SEPARATE_PART,
    SURVEY,
    JoinInputs,
    JoinParams,
    SeparateInputs,
    SeparateOutput,
    SeparateParams,
    SeparatePartOutput,
    SeparatePartParams,
    SoundPart,
)
from pipeline.types import Artefact


async def separate_in_parts(
    execute: StageExecutor, inputs: SeparateInputs[Artefact], params: SeparateParams
) -> StageRequest[JoinInputs[Artefact], JoinParams, SeparateOutput[Artefact]] | None:
    """Separate the parts of a sound side by side, and return how they are joined; see `PartedStage`."""
    survey = (await execute(SURVEY, inputs, NoParams())).output
    if len(survey.parts) < 2:
        return None

    whole = sum(part.kept for part in survey.parts)

    async def separate(part: SoundPart) -> SeparatePartOutput[Artefact]:
        asked = SeparatePartParams(
            engine=params.engine,
            model=params.model,
            weights=params.weights,
            part=part,
            survey=survey.survey,
            share=part.kept / whole,
        )
        return (await execute(SEPARATE_PART, inputs, asked)).output

    made = await run_side_by_side(separate, survey.parts, limit=MAX_PARTS_AT_ONCE)
    return StageRequest(
        stage=JOIN,
        inputs=JoinInputs(sound=inputs.sound, parts=tuple(part.made for part in made)),
        params=JoinParams(
            engine=params.engine,
            model=params.model,
            weights=params.weights,
            lengths=tuple(part.kept for part in survey.parts),
            stems=made[0].stems,
            weights_digest=made[0].weights_digest,
            notes=tuple(dict.fromkeys(note for part in made for note in part.notes)),
        ),
    )
