"""What a stage is, and the list of all stages.

A stage is a pure function of content: its output depends on the bytes of its inputs,
its parameters, its version and the weights it uses, and on nothing else. That is what
lets a result be kept and used again (`worker.jobs.stage_runner`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeAlias, cast

from pipeline.catalog import Environment
from pipeline.models.loader import Models
from pipeline.types import Artefact, JsonValue

StageMetadata: TypeAlias = dict[str, JsonValue]


class ProgressCallback(Protocol):
    """Called by a stage as it goes; raises `Cancelled` when the job was stopped."""

    def __call__(self, fraction: float, message: str = "") -> None:
        """Tell how far the stage is, from 0 to 1, and what it is doing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StageContext:
    """What a stage function is given."""

    inputs: Mapping[str, Path]
    params: Mapping[str, JsonValue]
    out: Path
    """An empty folder; every file left in it becomes an artefact of the stage, by its name."""
    report: ProgressCallback
    models: Models


StageFunction: TypeAlias = Callable[[StageContext], StageMetadata]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A named stage, where its code is and which environment runs it."""

    name: str
    function: str
    """`module:function`, imported in the engine process only."""
    environment: Environment = "media"
    version: int = 1
    """Raised when the same inputs would now give another output."""
    limit: float = 30 * 60.0
    """Seconds before the engine is stopped, at the least."""
    limit_per_second: float = 4.0
    """Further seconds for each second of the clip."""

    def load(self) -> StageFunction:
        """The function itself."""
        module, _, function = self.function.partition(":")
        return cast("StageFunction", getattr(import_module(module), function))


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutput:
    """What a stage gave: facts as JSON and files in the store, by file name."""

    facts: StageMetadata
    artefacts: Mapping[str, Artefact]
    engine_seconds: float
    reused: bool = False
    seconds: float = 0.0


class StageExecutor(Protocol):
    """Runs a stage somewhere, or finds its output in the store.

    Raises the `AudioProcessingError` that the stage raised.
    """

    async def __call__(
        self, stage: str, inputs: Mapping[str, Artefact], params: Mapping[str, JsonValue]
    ) -> StageOutput:
        """Give the output of a stage for these inputs and parameters."""
        ...


STAGES: Mapping[str, Stage] = MappingProxyType(
    {
        stage.name: stage
        for stage in (
            Stage(name="probe", function="pipeline.media:probe_stage"),
            Stage(name="extract", function="pipeline.media:extract_stage", version=2),
            Stage(name="route", function="pipeline.routing.stage:route_stage", version=4),
            Stage(name="separate", function="pipeline.separation.stage:separate_stage", version=3),
            Stage(name="listen", function="pipeline.media:listen_stage", version=2),
            Stage(name="diarize", function="pipeline.speech.diarization.stage:diarize_stage", version=4),
            Stage(
                name="transcribe",
                function="pipeline.speech.recognition.stage:transcribe_stage",
                environment="asr",
                version=2,
            ),
            Stage(name="align", function="pipeline.speech.alignment.stage:align_stage"),
            Stage(name="measure", function="pipeline.mix.loudness_stage:measure_stage"),
            Stage(name="dub", function="pipeline.mix.dub.stage:dub_stage", version=2),
            Stage(name="compare", function="pipeline.mix.dub.compare:compare_stage"),
            Stage(name="mix", function="pipeline.mix.stage:mix_stage", version=4),
            Stage(name="join", function="pipeline.media:join_stage", version=2),
            Stage(name="voices", function="pipeline.speech.speakers.embedding_model:voices_stage"),
            Stage(name="identify", function="pipeline.speech.speakers.voice_book:identify_stage"),
            Stage(name="subtitles", function="pipeline.export.stage:subtitles_stage", version=2),
            Stage(name="report", function="pipeline.export.report.stage:report_stage"),
            Stage(name="shrink", function="pipeline.media.compress:shrink_stage"),
        )
    }
)
