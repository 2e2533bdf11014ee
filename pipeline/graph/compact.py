"""Smaller copies of sounds that are too large to be handed out in a place with a limit per file.

The originals stay as they are; a copy of `stems/vocals.flac` is called `compact/vocals.opus`.
"""

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from pipeline.graph.context import GraphContext, renamed
from pipeline.graph.stage import StageExecutor
from pipeline.media.contracts import COMPRESS, CompressInputs, CompressParams
from pipeline.types import Artefact, Result

SOUNDS: Final = ("audio.wav", "final.m4a")
"""What is handed out as it is heard, beside everything below `stems/`."""


def compact_name(name: str) -> str:
    """Return what the smaller copy of a sound is called."""
    return f"compact/{PurePosixPath(name).stem}.opus"


async def add_compact(result: Result, source: Artefact, size: int, execute: StageExecutor) -> Result:
    """Add a smaller copy of each sound that is too large, where that can be; a copy that fails is named in `failures`.

    Args:
        result: What the job gave.
        source: The clip.
        size: Bytes that a copy may have.
        execute: Runs the stages.

    Raises:
        Cancelled: The job was stopped.
        QueueError: The broker is away.
        StoreError: The store is away.
    """
    context = GraphContext(request=result.request, source=source, execute=execute)
    made: list[Artefact] = []
    for sound in result.artefacts:
        if sound.size <= size or not (sound.name in SOUNDS or sound.name.startswith("stems/")):
            continue
        inputs, params = CompressInputs(sound=sound), CompressParams(size=size)
        output = await context.attempt(COMPRESS.name, lambda i=inputs, p=params: context.run(COMPRESS, i, p))
        if output is not None and output.sound is not None:
            made.append(renamed(output.sound, compact_name(sound.name)))
    return replace(
        result,
        artefacts=(*result.artefacts, *made),
        timings=(*result.timings, *context.log.timings),
        failures=(*result.failures, *context.log.failures),
    )
