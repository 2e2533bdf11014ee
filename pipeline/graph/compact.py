"""Smaller copies of sounds that are too large to be handed out in a place with a limit per file.

The originals stay as they are; a copy of `stems/vocals.flac` is called `compact/vocals.opus`.
"""

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from pipeline.errors import AudioProcessingError, Cancelled, QueueError, StoreError
from pipeline.graph.stage import StageExecutor
from pipeline.types import Artefact, Failure, Result, StageTiming

SOUNDS: Final = ("audio.wav", "final.m4a")
"""What is handed out as it is heard, beside everything below `stems/`."""


def compact_name(name: str) -> str:
    """What the smaller copy of a sound is called."""
    return f"compact/{PurePosixPath(name).stem}.opus"


async def add_compact(result: Result, size: int, perform: StageExecutor) -> Result:
    """The result with a copy of at most `size` bytes of each sound that is larger, where that can be.

    A copy that fails is named in `failures`. Raises `Cancelled`, `QueueError` and `StoreError`.
    """
    made: list[Artefact] = []
    timings: list[StageTiming] = []
    failures: list[Failure] = []
    for sound in result.artefacts:
        if sound.size <= size or not (sound.name in SOUNDS or sound.name.startswith("stems/")):
            continue
        try:
            output = await perform("shrink", {"sound": sound}, {"size": size})
        except (Cancelled, QueueError, StoreError):
            raise
        except AudioProcessingError as error:
            failures.append(error.to_failure())
            continue
        timings.append(
            StageTiming(
                stage="shrink", seconds=output.seconds, engine_seconds=output.engine_seconds, reused=output.reused
            )
        )
        made.extend(replace(copy, name=compact_name(sound.name)) for copy in output.artefacts.values())
    return replace(
        result,
        artefacts=(*result.artefacts, *made),
        timings=(*result.timings, *timings),
        failures=(*result.failures, *failures),
    )
