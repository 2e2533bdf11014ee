"""What a stage is.

A stage is a pure function of content: its output depends on the bytes of its inputs,
its parameters, its version and the weights it uses, and on nothing else. That is what
lets a result be kept and used again (`worker.jobs.stage_cache`).

Each stage has a contract in the `contracts` module of its subject: frozen dataclasses for
its inputs, parameters and output, and one `Stage` row. Inputs and outputs are generic over
what stands for a file: an `Artefact` in the graph, a `Path` in the engine process. The stage
function, which only the engine process imports, is

    def separate(context: StageContext, inputs: SeparateInputs[Path], params: SeparateParams) -> SeparateOutput[Path]
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast, runtime_checkable

from pipeline.models.entries import Environment
from pipeline.models.loader import Models
from pipeline.types import DraftLine, ModelUse

FileT = TypeVar("FileT")
"""What stands for a file: an `Artefact` in the graph, a `Path` in the engine process."""
InputsT = TypeVar("InputsT")
ParamsT = TypeVar("ParamsT")
OutputT = TypeVar("OutputT", bound="StageOutput")


class ProgressCallback(Protocol):
    """Called by a stage as it goes; raises `Cancelled` when the job was stopped."""

    def __call__(self, fraction: float, message: str = "") -> None:
        """Report how far the stage is, from 0 to 1, and what it is doing."""
        ...


def show_nothing(_lines: tuple[DraftLine, ...]) -> None:
    """Show a draft to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageContext:
    """What the engine process gives a stage function beside its inputs and parameters."""

    out: Path
    """An empty folder; every file that the stage leaves in it is kept as an artefact, by its name."""
    report: ProgressCallback
    models: Models
    show_draft: Callable[[tuple[DraftLine, ...]], None] = show_nothing
    """Called by a stage with the beginning of the transcript, each time with more of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParams:
    """The parameters of a stage that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParams:
    """Parameters of a stage that one model of the catalogue does; a person's own checkpoint may stand in for it."""

    model: str
    weights: str
    """`pipeline.models.loader.model_digest` of the model."""


MAX_PARTS_AT_ONCE = 16
"""Parts of a clip's work that are asked for at a time."""


@runtime_checkable
class PartParams(Protocol):
    """Parameters of a stage that does a part of another one's work."""

    @property
    def share(self) -> float:
        """Return the share of that work, from 0 to 1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRange:
    """Pieces of a clip that make a part of it, by their numbers."""

    first: int
    count: int


def plan_parts(pieces: int, size: int, *, least: int = 1) -> tuple[PartRange, ...]:
    """Cut a number of pieces into parts of one size, but for the last, which has `least` where there are so many."""
    borders = [*range(0, pieces, size), pieces]
    if len(borders) > 2 and pieces - borders[-2] < least:
        del borders[-2]
    return tuple(PartRange(first=first, count=last - first) for first, last in pairwise(borders))


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutput:
    """What every stage may give beside its own fields."""

    notes: tuple[str, ...] = ()
    """Sentences for people."""
    models: tuple[ModelUse, ...] = ()
    """The weights that were used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsOutput(StageOutput):
    """How the work on a clip is shared out."""

    parts: tuple[PartRange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Generic[InputsT, ParamsT, OutputT]):
    """One row of the registry: a stage's name, contract, cost and code."""

    name: str
    title: str
    """What the stage does, for people, in English; other languages have `stage-NAME` in their texts."""
    function: str
    """`module:function`, imported in the engine process only."""
    inputs: type[InputsT]
    params: type[ParamsT]
    output: type[OutputT]
    environment: Environment = "media"
    version: int = 1
    """Raised when the same inputs would now give another output."""
    costly: bool = False
    """Whether the stage counts against the minutes that a person may use in a day."""
    previewed: bool = False
    """Whether people may hear its files before the job is done."""
    parted: str = ""
    """`module:function` of a `PartedStage` that does the same for a long clip in several stages."""
    min_parted_seconds: float = 0.0
    """Length of a clip from which it does."""
    shared: bool = False
    """Whether any worker of its environment may take it, so that several work for one job side by side."""
    isolated: bool = False
    """Run in a process that ends with the stage, since it reads a file as a stranger sent it."""
    limit: float = 60.0
    """Seconds after which the stage is stopped: many times what it needs for the shortest clip."""
    limit_per_second: float = 2.0
    """Further seconds for each second of the clip, likewise; the defaults are those of work on media files."""


AnyStage: TypeAlias = Stage[Any, Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRequest(Generic[InputsT, ParamsT, OutputT]):
    """A stage that is to be run, with what it is given."""

    stage: Stage[InputsT, ParamsT, OutputT]
    inputs: InputsT
    params: ParamsT


StageFunction: TypeAlias = Callable[[StageContext, Any, Any], StageOutput]


def load_function(reference: str) -> StageFunction:
    """Import a stage function.

    Args:
        reference: `module:function`, as in `Stage.function`.
    """
    return cast("StageFunction", _import(reference))


def _import(reference: str) -> object:
    module, _, function = reference.partition(":")
    return getattr(import_module(module), function)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRun(Generic[OutputT]):
    """The output of a stage and what it cost."""

    output: OutputT
    engine_seconds: float
    """Seconds inside the stage function."""
    reused: bool = False
    """True when the output came from the store."""
    seconds: float = 0.0
    """Seconds that the job waited for it."""


class StageExecutor(Protocol):
    """Runs a stage somewhere, or finds its output in the store."""

    async def __call__(
        self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT
    ) -> StageRun[OutputT]:
        """Give the output of a stage for these inputs and parameters.

        Raises:
            AudioProcessingError: What the stage raised.
        """
        ...


class PartedStage(Protocol):
    """Does what a stage does by several others, for a clip that is long enough."""

    async def __call__(
        self,
        execute: StageExecutor,
        inputs: Any,  # noqa: ANN401 - those of its stage
        params: Any,  # noqa: ANN401 - likewise
    ) -> StageRequest[Any, Any, Any] | None:
        """Run all of them but the last, which gives what the stage itself would; None to have the stage itself run.

        Raises:
            AudioProcessingError: What one of them raised.
        """
        ...


def load_parted(reference: str) -> PartedStage:
    """Import what does a stage by several others.

    Args:
        reference: `module:function`, as in `Stage.parted`.
    """
    return cast("PartedStage", _import(reference))
