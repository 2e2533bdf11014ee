"""Crops of the material, drawn by chance."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.training.material.kinds import Kind, Split
from pipeline.training.material.manifest import Source

Samples = NDArray[np.float32]
"""Shape (frames, channels)."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A stretch of a recording."""

    samples: Samples
    loudness_lufs: float
    """Of the whole recording, so that quiet passages stay quiet."""


class Pool:
    """The recordings of one kind; a package counts with the square root of its number of recordings."""

    def __init__(self, sources: Sequence[Source], arrays: Path) -> None:
        self._sources = sources
        self._arrays = {name: np.load(arrays / name, mmap_mode="r") for name in {source.array for source in sources}}
        counts = Counter(source.package for source in sources)
        weights = np.array([counts[source.package] ** -0.5 for source in sources])
        self._edges = np.cumsum(weights / weights.sum())

    def __len__(self) -> int:
        return len(self._sources)

    def draw(self, generator: np.random.Generator, frames: int) -> Crop:
        """Take a recording, or a stretch of that many frames of a longer one."""
        index = min(int(np.searchsorted(self._edges, generator.random())), len(self._sources) - 1)
        source = self._sources[index]
        start = int(generator.integers(0, max(1, source.frames - frames + 1)))
        length = min(frames, source.frames)
        first = source.offset + start
        samples = np.asarray(self._arrays[source.array][first : first + length], np.float32)
        return Crop(samples, source.loudness_lufs)


def load_pools(sources: Sequence[Source], cache: Path, split: Split) -> dict[Kind, Pool]:
    """The recordings of a split by kind; kinds without any are missing."""
    chosen = {kind: [s for s in sources if s.kind is kind and s.split is split] for kind in Kind}
    return {kind: Pool(rows, cache / "arrays") for kind, rows in chosen.items() if rows}


def fade_ends(samples: Samples, frames: int) -> Samples:
    """Fade the first and last frames in and out."""
    frames = min(frames, len(samples) // 2)
    if not frames:
        return samples
    ramp = np.linspace(0, 1, frames, dtype=np.float32)[:, None]
    faded = samples.copy()
    faded[:frames] *= ramp
    faded[-frames:] *= ramp[::-1]
    return faded
