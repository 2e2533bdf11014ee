"""How the words of a long clip are written down by several workers.

               ┌ transcribe_part ┐
survey_words ──┼ transcribe_part ┼─ join_words
               └ …               ┘

The windows are those of the clip as a whole, and the parts depend on their number alone, so one worker writes what many
do. A part does not know which languages were heard before it.
"""

from collections import Counter
from collections.abc import Sequence

from pipeline.graph.concurrency import run_side_by_side
from pipeline.graph.stage import MAX_PARTS_AT_ONCE, NoParams, PartRange, StageExecutor, StageRequest
from pipeline.speech.contracts import TranscribeInputs, TranscribeOutput, TranscribeParams
from pipeline.speech.recognition.contracts import (
    JOIN_WORDS,
    SURVEY_WORDS,
    TRANSCRIBE_PART,
    JoinWordsInputs,
    JoinWordsParams,
    TranscribePartParams,
)
from pipeline.types import Artefact


async def transcribe_in_parts(
    execute: StageExecutor, inputs: TranscribeInputs[Artefact], params: TranscribeParams
) -> StageRequest[JoinWordsInputs[Artefact], JoinWordsParams, TranscribeOutput[Artefact]] | None:
    """Write down the parts of a clip side by side, and return how they are joined; see `PartedStage`."""
    parts = (await execute(SURVEY_WORDS, inputs, NoParams())).output.parts
    if len(parts) < 2:
        return None
    windows = sum(part.count for part in parts)

    async def transcribe(part: PartRange) -> TranscribeOutput[Artefact]:
        asked = TranscribePartParams(
            model=params.model,
            weights=params.weights,
            language=params.language,
            part=part,
            share=part.count / windows,
        )
        return (await execute(TRANSCRIBE_PART, inputs, asked)).output

    made = await run_side_by_side(transcribe, parts, limit=MAX_PARTS_AT_ONCE)
    return StageRequest(
        stage=JOIN_WORDS,
        inputs=JoinWordsInputs(parts=tuple(part.recognition for part in made)),
        params=JoinWordsParams(
            model=params.model,
            weights=params.weights,
            language=params.language,
            windows=sum(part.windows for part in made),
            part_notes=_true_of_most(made),
        ),
    )


def _true_of_most(parts: Sequence[TranscribeOutput[Artefact]]) -> tuple[str, ...]:
    """Return what parts say of how the clip sounds, where it is true of half of the windows at least."""
    heard = Counter[str]()
    for part in parts:
        heard.update(dict.fromkeys(part.notes, part.windows))
    windows = sum(part.windows for part in parts)
    return tuple(note for note, count in heard.items() if 2 * count >= windows)
