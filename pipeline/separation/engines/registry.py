"""The table of all separation engines, found in the packages beside this module."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import cast

from pipeline.models.entries import Model
from pipeline.separation import engines
from pipeline.separation.engines.spec import EngineSpec


def _find_engines() -> Iterable[EngineSpec]:
    for module in iter_modules(engines.__path__, f"{engines.__name__}."):
        if module.ispkg:
            yield from cast("tuple[EngineSpec, ...]", import_module(module.name).ENGINES)


ENGINES: Mapping[str, EngineSpec] = MappingProxyType({spec.name: spec for spec in _find_engines()})
"""Engines by name."""
MODELS: tuple[Model, ...] = tuple(model for spec in ENGINES.values() for model in spec.models)
"""The models of all engines."""
