"""Several engines on one recording: their vocals, weighted and added.

Engines that were trained on different things err in different places, and what they err in adds
up in power while the voice adds up in amplitude. DeepFilterNet hears speech and lets notes
through; Spleeter hears music and takes sibilants away: 0.7 and 0.3 of them, chosen on the `tune`
half of `tests.bench.mixes`, keep more of the voice and less of loud music than either alone.

Each member reads the recording at its own rate; what it makes is brought to the rate of the
ensemble and taken in step with the others, so that no more than a window of each is held.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.audio import io as sound
from pipeline.audio.io import Samples
from pipeline.graph.stage import ProgressCallback
from pipeline.models.loader import Models
from pipeline.separation.base import BLOCK, Engine, Recording
from pipeline.separation.streaming import Reel, fit
from pipeline.types import StemName

Opener = Callable[[str, Models, str], Engine]
"""Opens an engine by its name, for a model; `stage.open_engine`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An engine whose first stem is vocals, and the part of its vocals in the sum."""

    engine: Engine
    weight: float


class Ensemble:
    """The engine. It works at the highest rate of its members, so that none loses its top."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.sample_rate = max(member.engine.sample_rate for member in members)
        self.stems: tuple[StemName, ...] = (StemName.VOCALS,)
        self.notes: list[str] = []
        self.digest = ""
        self._members = tuple(members)

    @classmethod
    def open(cls, models: Models, name: str, open_engine: Opener) -> "Ensemble":
        """The members are the names among the model's settings, their values the weights; raises what they raise."""
        parts = models.entry(name).settings
        return cls(
            [
                Member(engine=open_engine(models.entry(part).engine, models, part), weight=float(weight))
                for part, weight in parts.items()
            ]
        )

    def separate(self, recording: Recording, report: ProgressCallback) -> Iterator[Samples]:
        """Vocals of shape (frames, channels); see `Engine.separate`."""
        done = [0.0] * len(self._members)

        def reporter(index: int) -> ProgressCallback:
            def tell(fraction: float, message: str = "") -> None:
                done[index] = max(done[index], fraction)
                report(sum(done) / len(done), message)

            return tell

        reels = [
            Reel(self._vocals(member.engine, recording, reporter(index)), recording.channels)
            for index, member in enumerate(self._members)
        ]
        for first in range(0, recording.frames, BLOCK):
            frames = min(BLOCK, recording.frames - first)
            total = np.zeros((frames, recording.channels), np.float32)
            for member, reel in zip(self._members, reels, strict=True):
                total += np.float32(member.weight) * reel.take(frames)
            yield total
        for member in self._members:
            self.notes.extend(note for note in member.engine.notes if note not in self.notes)
        report(1.0)

    def _vocals(self, engine: Engine, recording: Recording, report: ProgressCallback) -> Iterator[Samples]:
        """What one member makes, at the ensemble's rate."""
        own = Recording.open(recording.path, engine.sample_rate)
        vocals = (block[:, : recording.channels] for block in engine.separate(own, report))
        resampled = sound.resample_blocks(
            vocals, engine.sample_rate, self.sample_rate, channels=recording.channels, quality="VHQ"
        )
        return fit(resampled, recording.frames, recording.channels)
