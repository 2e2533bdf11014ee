"""The packages that the material comes from: the rows of `packages.toml`."""

import tomllib
from pathlib import Path

import pydantic

from pipeline.training.material.kinds import Package

PATH = Path(__file__).with_name("packages.toml")


class _Table(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    package: tuple[Package, ...]


def read_packages() -> tuple[Package, ...]:
    """Read the table."""
    return _Table.model_validate(tomllib.loads(PATH.read_text(encoding="utf-8"))).package
