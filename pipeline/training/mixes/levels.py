"""Loudness of the parts of a mix, as Divide and Remaster has it."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pipeline.training.material.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Loudness of the parts: mean and spread over mixes, and spread over the events of one mix."""

    loudness_lufs: MappingProxyType[Kind, float]
    mix_spread: float
    event_spread: float
    normal: bool
    """Spreads are deviations of a normal distribution; else the half-width of a uniform one."""

    def draw(self, generator: np.random.Generator, spread: float) -> float:
        """A deviation from a level, dB."""
        return float(generator.normal(0, spread) if self.normal else generator.uniform(-spread, spread))


DNR_V2 = Levels(
    loudness_lufs=MappingProxyType({Kind.SPEECH: -17, Kind.MUSIC: -24, Kind.SFX: -21, Kind.AMBIENT: -29}),
    mix_spread=2,
    event_spread=1,
    normal=False,
)
DNR_V3 = Levels(
    loudness_lufs=MappingProxyType({Kind.SPEECH: -27, Kind.MUSIC: -32, Kind.SFX: -32, Kind.AMBIENT: -40}),
    mix_spread=6,
    event_spread=4,
    normal=True,
)
