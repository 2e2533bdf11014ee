"""The ensemble engine: several engines on one sound, their vocals weighted and added.

Engines that were trained on different data make different errors, which add up in power while
the voice adds up in amplitude. DeepFilterNet knows speech and lets notes through; Spleeter knows
music and removes sibilants: 0.7 and 0.3 of them, chosen on the `tune` half of
`tests.bench.mixes`, keep more of the voice and less of loud music than either alone.

Each member reads the sound at its own rate. Its vocals are resampled to the rate of the
ensemble and read in step with the others, so that at most one window of each is held.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.graph.stage import ProgressCallback
from pipeline.models.loader import Models
from pipeline.separation.base import BLOCK_FRAMES, Mixture, SeparationEngine, open_engine
from pipeline.separation.streaming import BlockReader, fit_length


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleMember:
    """An engine whose first stem is vocals, and the weight of its vocals in the sum."""

    engine: SeparationEngine
    weight: float


class Ensemble(SeparationEngine):
    """The engine; works at the highest rate of its members, so that none loses its treble."""

    def __init__(self, members: Sequence[EnsembleMember]) -> None:
        super().__init__(max(member.engine.sample_rate for member in members))
        self._members = tuple(members)

    @classmethod
    def open(cls, models: Models, name: str) -> "Ensemble":
        """Open the members, the models among the settings of the catalogue entry; see `SeparationEngine.open`."""
        parts = models.entry(name).settings
        return cls(
            [
                EnsembleMember(engine=open_engine(models.entry(part).engine, models, part), weight=float(weight))
                for part, weight in parts.items()
            ]
        )

    def separate(self, mixture: Mixture, report: ProgressCallback) -> Iterator[Samples]:
        """Find the vocals, blocks of shape (frames, channels); see `SeparationEngine.separate`."""
        done = [0.0] * len(self._members)

        def reporter(index: int) -> ProgressCallback:
            def report_member(fraction: float, message: str = "") -> None:
                done[index] = max(done[index], fraction)
                report(sum(done) / len(done), message)

            return report_member

        readers = [
            BlockReader(self._vocals(member.engine, mixture, reporter(index)), mixture.channels)
            for index, member in enumerate(self._members)
        ]
        for first in range(0, mixture.frames, BLOCK_FRAMES):
            frames = min(BLOCK_FRAMES, mixture.frames - first)
            total = np.zeros((frames, mixture.channels), np.float32)
            for member, reader in zip(self._members, readers, strict=True):
                total += np.float32(member.weight) * reader.read(frames)
            yield total
        for member in self._members:
            self.notes.extend(note for note in member.engine.notes if note not in self.notes)
        report(1.0)

    def close(self) -> None:
        """Close all members."""
        with ExitStack() as stack:
            for member in self._members:
                stack.enter_context(closing(member.engine))

    def _vocals(self, engine: SeparationEngine, mixture: Mixture, report: ProgressCallback) -> Iterator[Samples]:
        """Find the vocals with one member, at the ensemble's rate."""
        own = mixture.at_rate(engine.sample_rate)
        vocals = (block[:, : mixture.channels] for block in engine.separate(own, report))
        resampled = audio_io.resample_blocks(
            vocals, engine.sample_rate, self.sample_rate, channels=mixture.channels, quality="VHQ"
        )
        return fit_length(resampled, mixture.frames, mixture.channels)
