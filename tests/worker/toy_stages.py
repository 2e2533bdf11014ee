"""Small real stages and a small real graph: what the worker is tested with.

The clip is a JSON file that says where runs are tallied and how each stage behaves.
"""

import asyncio
import dataclasses
import json
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeAlias

from pipeline.errors import MediaError
from pipeline.graph.concurrency import run_branches, run_side_by_side
from pipeline.graph.context import Limits
from pipeline.graph.stage import (
    AnyStage,
    FileT,
    ModelParams,
    Stage,
    StageContext,
    StageExecutor,
    StageOutput,
    StageRequest,
)
from pipeline.media.probe import check_duration
from pipeline.models.entries import Environment
from pipeline.types import Artefact, AudioStream, DraftLine, MediaInfo, Request, Result, Route, RouteName, StageTiming

STEP = 0.05
EMBEDDINGS_FILE = "embeddings.npy"
"""What parts leave that is as personal as voices are."""
CRASHES = {"crash once": 1, "crash three times": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyInputs(Generic[FileT]):
    plan: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyParams(ModelParams):
    model: str = ""
    weights: str = ""
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyOutput(StageOutput, Generic[FileT]):
    plan: FileT
    stage: str
    pid: int


def behave(context: StageContext, inputs: ToyInputs[Path], params: ToyParams) -> ToyOutput[Path]:
    """Do what the plan says for the stage of `params.stage` and pass the plan on."""
    plan: dict[str, Any] = json.loads(inputs.plan.read_text())
    stage = params.stage
    with Path(plan["tally"]).open("a") as tally:
        tally.write(f"{stage}\n")
    how = plan.get(stage, "ok")
    if how in CRASHES:
        how = "ok" if tally_of(Path(plan["tally"]), stage) > CRASHES[how] else "be killed"
    {
        "ok": lambda: None,
        "sleep": lambda: sleep(context, plan["seconds"]),
        "sleep deeply": lambda: time.sleep(plan["seconds"]),
        "exit": lambda: sys.exit(3),
        "be killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "refuse": refuse,
        "refuse late": lambda: (sleep(context, 1.0), refuse()),
        "stumble": lambda: json.loads("{"),
        "print": print_everywhere,
        "write to a full disk": lambda: Path("/dev/full").write_bytes(b"1"),
        "fill the disk": lambda: (context.out / "large").write_bytes(bytes(8_000_000)),
        "map more than fits": lambda: map_file(context.out / "large"),
        "leave a process": leave_a_process,
        "draft": lambda: show_drafts(context),
        "leave files": lambda: leave_files(plan["seconds"]),
    }[how]()
    if stage.startswith("part-"):
        (context.out / EMBEDDINGS_FILE).write_text(f"numbers of the voices of {stage}")
    passed_on = context.out / f"{stage}.json"
    passed_on.write_text(json.dumps(plan | {"by": stage, "pid": os.getpid()}))
    return ToyOutput(plan=passed_on, stage=stage, pid=os.getpid())


def sleep(context: StageContext, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        context.report(1 - (end - time.monotonic()) / seconds, "sleeping")
        time.sleep(STEP)


def show_drafts(context: StageContext) -> None:
    context.report(0.5, "listening")
    lines = tuple(DraftLine(start=float(number), text=f"Line {number}.") for number in range(3))
    for count in (1, 3):
        context.show_draft(lines[:count])
    context.report(0.9, "listening")


def ignore_progress(_fraction: float, _message: str, _draft: tuple[DraftLine, ...] = ()) -> None:
    """Take no note of progress."""


def leave_files(seconds: float) -> None:
    """Write temporary files, also from a program, and keep them until the engine is killed."""
    with tempfile.TemporaryDirectory(prefix="toy-") as folder, tempfile.NamedTemporaryFile(prefix="toy-") as file:
        (Path(folder) / "speech.f32").write_bytes(bytes(1_000_000))
        file.write(bytes(1_000_000))
        file.flush()
        subprocess.run(["mktemp", "-t", "toy-XXXXXX"], check=True, capture_output=True)
        time.sleep(seconds)


def map_file(path: Path) -> None:
    with path.open("w+b") as file:
        file.truncate(8_000_000)
        with mmap.mmap(file.fileno(), 8_000_000) as memory:
            memory[:] = b"1" * 8_000_000


def leave_a_process() -> None:
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)


def refuse() -> None:
    raise MediaError("The toy is no clip.")


def print_everywhere() -> None:
    print('{"kind":"done"}', flush=True)
    os.write(1, b"more noise\n")
    subprocess.run(["echo", "from a program"], check=True)
    assert sys.stdin.read() == ""


def tally_of(tally: Path, stage: str) -> int:
    return tally.read_text().splitlines().count(stage) if tally.exists() else 0


SECONDS = 1.0
"""Length of a toy clip."""
ToyStage: TypeAlias = Stage[ToyInputs[Artefact], ToyParams, ToyOutput[Artefact]]


def toy(name: str, environment: Environment = "media") -> ToyStage:
    return Stage(
        name=name,
        title=name,
        function="tests.worker.toy_stages:behave",
        inputs=ToyInputs[Artefact],
        params=ToyParams,
        output=ToyOutput[Artefact],
        environment=environment,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyPartParams(ToyParams):
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyJoinInputs(Generic[FileT]):
    plan: FileT
    parts: tuple[FileT, ...]


PARTS = 4
PART = Stage(
    name="part",
    title="part",
    function="tests.worker.toy_stages:behave",
    shared=True,
    inputs=ToyInputs[Artefact],
    params=ToyPartParams,
    output=ToyOutput[Artefact],
)
HEARD_PART = dataclasses.replace(PART, name="heard_part", environment="asr", shared=False)
JOIN = Stage(
    name="join",
    title="join",
    function="tests.worker.toy_stages:join",
    inputs=ToyJoinInputs[Artefact],
    params=ToyParams,
    output=ToyOutput[Artefact],
)
LONG = Stage(
    name="long",
    title="long",
    function="tests.worker.toy_stages:behave",
    costly=True,
    parted="tests.worker.toy_stages:behave_in_parts",
    inputs=ToyInputs[Artefact],
    params=ToyParams,
    output=ToyOutput[Artefact],
)


def join(context: StageContext, inputs: ToyJoinInputs[Path], params: ToyParams) -> ToyOutput[Path]:
    """Behave as the plan says, and list the processes in which the parts were made."""
    made = [json.loads(part.read_text()) for part in inputs.parts]
    output = behave(context, ToyInputs(plan=inputs.plan), params)
    output.plan.write_text(json.dumps([[part["by"], part["pid"]] for part in made]))
    return output


async def behave_in_parts(
    execute: StageExecutor, inputs: ToyInputs[Artefact], params: ToyParams
) -> StageRequest[ToyJoinInputs[Artefact], ToyParams, ToyOutput[Artefact]]:
    """Four parts, `part-0` to `part-3` in the plan, and one stage that joins them."""
    stage = PART if inputs.plan.name == "long.json" else HEARD_PART

    async def run(number: int) -> Artefact:
        if stage is HEARD_PART:
            # Its worker takes them in this order.
            await asyncio.sleep(0.05 * number)
        part = ToyPartParams(stage=f"part-{number}", share=1 / PARTS)
        return (await execute(stage, inputs, part)).output.plan

    parts = await run_side_by_side(run, range(PARTS), limit=PARTS)
    return StageRequest(
        stage=JOIN, inputs=ToyJoinInputs(plan=inputs.plan, parts=tuple(parts)), params=ToyParams(stage="join")
    )


TOYS: Mapping[str, AnyStage] = {
    **{name: toy(name) for name in ("first", "second")},
    "heard": toy("heard", "asr"),
    **{stage.name: stage for stage in (LONG, PART, HEARD_PART, JOIN)},
}


NAMES = {
    "heard.json": ["first", "second", "heard"],
    "long.json": ["long"],
    "long-heard.json": ["long"],
    "beside.json": ["first", "long"],
}
"""Stages by the name of the file."""


async def run_toys(
    request: Request,
    source: Artefact,
    execute: StageExecutor,
    *,
    dub: Artefact | None = None,
    limits: Limits | None = None,
) -> Result:
    """first, second and, when the file is called heard.json, one stage of the other environment; or long alone.

    When it is called beside.json, first and long side by side.
    """
    if limits is not None:
        check_duration(SECONDS, limits.max_duration)
    names = NAMES.get(source.name, ["first", "second"])
    if source.name == "beside.json":
        await run_branches(*(execute(TOYS[name], ToyInputs(plan=source), ToyParams(stage=name)) for name in names))
    timings: list[StageTiming] = []
    artefact = source
    for name in names:
        done = await execute(TOYS[name], ToyInputs(plan=artefact), ToyParams(stage=name))
        artefact = done.output.plan
        timings.append(
            StageTiming(stage=name, seconds=done.seconds, engine_seconds=done.engine_seconds, reused=done.reused)
        )
    audio = AudioStream(codec="toy", sample_rate=1, channels=1, layout="mono", start=0.0)
    return Result(
        request=request,
        media=MediaInfo(container="toy", duration=SECONDS, audio=audio),
        route=Route(name=RouteName.BASIC, engine="toy", model=None, reason="", asked=True),
        artefacts=(artefact,),
        timings=tuple(timings),
    )
