"""The one typed door to the demucs library."""

import pickle
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
import yaml

from pipeline.separation.base import OutOfMemoryError
from pipeline.separation.segment_inference import PlanarSamples

_torch = cast("Any", torch)
GPU_BATCH_SEGMENTS = 8
"""Segments at a time on a graphics card; the processor gains nothing from more than one."""
MEMORY_ERROR_TEXTS = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
"""What torch's errors say when memory ran out and they have no type of their own."""


class DemucsNetwork(Protocol):
    """A Demucs network or a bag of them."""

    sources: Sequence[str]
    samplerate: int
    audio_channels: int

    def parameters(self) -> Any:  # noqa: ANN401 - tensors
        """All weights."""
        ...


class UnsafeCheckpointError(Exception):
    """A checkpoint that would run code, or holds no Demucs network."""


def load_checkpoint(path: Path) -> DemucsNetwork:
    """One network from a `.th` file, which is a pickle: only Demucs's own classes and numbers are let in."""
    from demucs import states
    from demucs.demucs import Demucs
    from demucs.hdemucs import HDemucs
    from demucs.htdemucs import HTDemucs

    scalar = cast("Any", np)._core.multiarray.scalar
    known = [Demucs, HDemucs, HTDemucs, Fraction, np.dtype, np.dtypes.Float64DType, np.dtypes.Int64DType]
    known += [scalar, (scalar, "numpy.core.multiarray.scalar")]
    try:
        with _torch.serialization.safe_globals(known):
            package = _torch.load(path, map_location="cpu", weights_only=True)
        return (
            cast("Any", states).load_model({key: package[key] for key in ("klass", "args", "kwargs", "state")}).eval()
        )
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise UnsafeCheckpointError(f"{path.name}: {error}") from error


def make_bag(networks: Sequence[DemucsNetwork], description: Mapping[str, Any]) -> DemucsNetwork:
    """Several networks as one, weighted as the bag's description says."""
    from demucs.apply import BagOfModels

    bag: Any = BagOfModels
    return bag(list(networks), description.get("weights"), description.get("segment")).eval()


def read_bag(path: Path) -> dict[str, Any]:
    """A bag's description: `models`, and perhaps `weights` and `segment`."""
    found: Any = yaml.safe_load(path.read_text())
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def published_bags() -> Path:
    """The folder of bag descriptions that the library brings."""
    from demucs.pretrained import REMOTE_ROOT

    return REMOTE_ROOT


class BagMember:
    """One network of a bag, or the only one: a `SegmentNetwork` that gives stems instead of sources."""

    def __init__(self, network: DemucsNetwork, shares: Sequence[Sequence[float]]) -> None:
        """`shares` has a row for each stem: how much of each source goes into it."""
        self._network: Any = network
        self._shares = [{source: share for source, share in enumerate(row) if share} for row in shares]
        self._device = "cpu"
        self.output_shape = (len(shares), int(network.audio_channels))
        self.segment_frames = int(self._network.samplerate * self._network.segment)

    def move(self, device: str) -> None:
        """Bring the weights to a device, where segments are then run. Raises `OutOfMemoryError`."""
        with _memory_errors():
            self._network.to(device).eval()
        self._device = device

    def valid_length(self, frames: int) -> int:
        """As `demucs.apply` asks: Demucs has lengths that leave no rest, HTDemucs the one it was trained with."""
        ask = getattr(self._network, "valid_length", None)
        return frames if ask is None else int(ask(frames))

    def run(self, segments: PlanarSamples) -> PlanarSamples:
        """See `SegmentNetwork.run`; the stems are summed where the network runs, so that less has to be fetched."""
        with _memory_errors(), _torch.inference_mode():
            made = self._network(_torch.from_numpy(np.ascontiguousarray(segments)).to(self._device))
            stems = [
                sum(made[:, source] if share == 1 else made[:, source] * share for source, share in row.items())
                if row
                else _torch.zeros_like(made[:, 0])
                for row in self._shares
            ]
            return cast("PlanarSamples", _torch.stack(stems, 1).cpu().numpy())


def open_members(network: DemucsNetwork, stems: Sequence[Sequence[int]]) -> list[BagMember]:
    """The networks of a bag, weighted as `apply_model` weights them, or a network alone.

    `stems` has the indices of its sources for each stem. Raises `ValueError` when a source has no weight at all.
    """
    bag: Any = network
    parts = list(getattr(bag, "models", [bag]))
    weights = np.asarray(getattr(bag, "weights", [[1.0] * len(network.sources)]), np.float64)
    totals = weights.sum(axis=0)
    if not np.all(totals):
        raise ValueError(f"weights {weights.tolist()}")
    return [
        BagMember(part, [[share if source in row else 0.0 for source, share in enumerate(shares)] for row in stems])
        for part, shares in zip(parts, (weights / totals).tolist(), strict=True)
    ]


def default_batch(device: str) -> int:
    """Segments at a time that suit a device."""
    return GPU_BATCH_SEGMENTS if device.startswith("cuda") else 1


def free_memory() -> None:
    """Let go of what torch keeps on the graphics card."""
    if _torch.cuda.is_available():
        _torch.cuda.empty_cache()


@contextmanager
def _memory_errors() -> Generator[None]:
    """What torch raises when memory runs out, as one type."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        typed = isinstance(error, MemoryError | _torch.OutOfMemoryError)
        if typed or any(words in str(error) for words in MEMORY_ERROR_TEXTS):
            raise OutOfMemoryError(repr(error)) from error
        raise
