"""What the branches of the graph share while one job runs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import msgspec

from pipeline.catalog import MAX_DURATION, MAX_SIZE
from pipeline.errors import AudioProcessingError, Cancelled, QueueError, StoreError
from pipeline.graph.stage import InputsT, OutputT, ParamsT, Stage, StageExecutor
from pipeline.speech.model_selection import ModelOption
from pipeline.types import Artefact, Failure, ModelUse, Request, StageTiming

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a clip may be."""

    max_duration: float = MAX_DURATION
    """Seconds."""
    max_size: int = MAX_SIZE
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLog:
    """What the stages of a job leave beside their outputs, in the order in which they end."""

    timings: list[StageTiming] = field(default_factory=list[StageTiming])
    models: list[ModelUse] = field(default_factory=list[ModelUse])
    failures: list[Failure] = field(default_factory=list[Failure])
    notes: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphContext:
    """The job, and how its stages are run."""

    request: Request
    source: Artefact
    execute: StageExecutor
    dub: Artefact | None = None
    limits: Limits = Limits()
    log: RunLog = field(default_factory=RunLog)

    async def run(self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT) -> OutputT:
        """Run one stage and log what it cost, which models it used and what it has to say.

        Raises:
            AudioProcessingError: What the stage raised.
        """
        done = await self.execute(stage, inputs, params)
        self.log.timings.append(
            StageTiming(stage=stage.name, seconds=done.seconds, engine_seconds=done.engine_seconds, reused=done.reused)
        )
        self.log.models.extend(done.output.models)
        self.log.notes.extend(done.output.notes)
        return done.output

    async def run_first(
        self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, options: Sequence[ModelOption[ParamsT]]
    ) -> OutputT:
        """Run a stage with the first option that works; what stopped those before it is logged as a failure."""
        *better, last = options
        for option in better:
            output = await self.attempt(stage.name, lambda option=option: self.run(stage, inputs, option.params))
            if output is not None:
                self.log.notes.append(option.reason)
                return output
        self.log.notes.append(last.reason)
        return await self.run(stage, inputs, last.params)

    async def attempt(self, name: str, branch: Callable[[], Awaitable[T]]) -> T | None:
        """Run a branch of the graph; when it fails, log the failure and give None, so that the other branches go on.

        Args:
            name: The stage that is named where the error names none.
            branch: Starts the branch.

        Raises:
            Cancelled: The job was stopped.
            QueueError: The broker is away; another attempt at the job may mend it.
            StoreError: The store is away; likewise.
        """
        try:
            return await branch()
        except (Cancelled, QueueError, StoreError):
            raise
        except AudioProcessingError as error:
            failure = error.to_failure()
            self.log.failures.append(failure if failure.stage else msgspec.structs.replace(failure, stage=name))
            return None


def renamed(artefact: Artefact, name: str) -> Artefact:
    """Return the artefact under another name for people."""
    return replace(artefact, name=name)


def by_name(*artefacts: Artefact) -> tuple[Artefact, ...]:
    """Sort artefacts by their name for people."""
    return tuple(sorted(artefacts, key=lambda artefact: artefact.name))
