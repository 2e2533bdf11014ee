"""The work of a job under faults: three small stages of both environments, told by the clip what to do.

A clip is a JSON file whatever its name says. What a stage leaves depends on the clip alone, so that the result of a
job that met faults can be compared byte for byte.
"""

import hashlib
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic

from pipeline.graph.context import Limits
from pipeline.graph.stage import FileT, NoParams, Stage, StageContext, StageExecutor, StageOutput
from pipeline.models.entries import Environment
from pipeline.types import Artefact, AudioStream, MediaInfo, Request, Result, Route, RouteName

STEP_S = 0.05
RESULT_BYTES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkInputs(Generic[FileT]):
    clip: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOutput(StageOutput, Generic[FileT]):
    made: FileT


def _work_stage(name: str, environment: Environment) -> Stage[WorkInputs[Artefact], NoParams, WorkOutput[Artefact]]:
    return Stage(
        name=name,
        title=name,
        function="tests.chaos.stages:work",
        inputs=WorkInputs[Artefact],
        params=NoParams,
        output=WorkOutput[Artefact],
        environment=environment,
    )


WORK_STAGES = {
    "cut": _work_stage("cut", "media"),
    "hear": _work_stage("hear", "asr"),
    "join": _work_stage("join", "media"),
}


def work(context: StageContext, inputs: WorkInputs[Path], params: NoParams) -> WorkOutput[Path]:
    """Take as long as the clip says, with a temporary file, then leave what follows from the clip."""
    content = inputs.clip.read_bytes()
    seconds = float(json.loads(content.partition(b"\n")[0])["seconds"])
    with tempfile.NamedTemporaryFile(prefix="chaos-") as file:
        file.write(bytes(RESULT_BYTES))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            context.report(1 - (end - time.monotonic()) / seconds, "working")
            time.sleep(STEP_S)
    made = context.out / "clip.bin"
    made.write_bytes(after(content))
    return WorkOutput(made=made)


def after(content: bytes) -> bytes:
    """Give what a stage makes of a clip."""
    head = content.partition(b"\n")[0]
    digest = hashlib.sha256(content).digest()
    return head + b"\n" + (digest * (RESULT_BYTES // len(digest) + 1))[:RESULT_BYTES]


def expected_digest(content: bytes) -> str:
    """Return the digest of the result of a clip."""
    for _ in WORK_STAGES:
        content = after(content)
    return hashlib.sha256(content).hexdigest()


async def run_work(
    request: Request,
    source: Artefact,
    execute: StageExecutor,
    *,
    dub: Artefact | None = None,
    limits: Limits | None = None,
) -> Result:
    """Run all stages one after the other."""
    artefact = source
    for stage in WORK_STAGES.values():
        artefact = (await execute(stage, WorkInputs(clip=artefact), NoParams())).output.made
    audio = AudioStream(codec="none", sample_rate=48_000, channels=1, layout="mono", start=0.0)
    return Result(
        request=request,
        media=MediaInfo(container="none", duration=1.0, audio=audio),
        route=Route(name=RouteName.BASIC, engine="none", model=None, reason="", asked=True),
        artefacts=(replace(artefact, name="stems/vocals.flac"),),
    )


def clip_content(seed: Mapping[str, float | int | str]) -> bytes:
    """Write a clip; `seconds` is how long each stage takes."""
    return json.dumps(seed).encode() + b"\n"
