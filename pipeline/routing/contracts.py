"""Contract of the stage that chooses the route."""

from dataclasses import dataclass
from typing import Generic

from pipeline.graph.stage import FileT, Stage, StageOutput
from pipeline.types import Artefact, Budget, Preset, Route, RouteName


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteInputs(Generic[FileT]):
    """The master of the clip."""

    sound: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteParams:
    """What the route depends on beside the sound."""

    duration: float
    """Seconds."""
    budget: Budget
    preset: Preset
    asked: RouteName | None = None
    """The route that the person chose; None: it is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOutput(StageOutput):
    """The chosen route."""

    route: Route


ROUTE = Stage(
    name="route",
    title="Choosing the route",
    function="pipeline.routing.stage:route_stage",
    version=5,
    inputs=RouteInputs[Artefact],
    params=RouteParams,
    output=RouteOutput,
    limit=120.0,
    limit_per_second=4.0,
)
