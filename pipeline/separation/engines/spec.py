"""How an engine declares itself."""

from dataclasses import dataclass

from pipeline.models.entries import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """One engine and the models of the catalogue that it can use."""

    name: str
    """What `Model.engine` and a route call it."""
    implementation: str
    """`module:class` of its `SeparationEngine`, imported when one is opened."""
    models: tuple[Model, ...]
