"""Typed wrapper around the demucs library."""

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
"""Segments at a time on a graphics card; a processor gains nothing from more than one."""
MEMORY_ERROR_TEXTS = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
"""Texts of the errors without a type that torch raises when memory runs out."""


class DemucsNetwork(Protocol):
    """A Demucs network or a bag of them."""

    sources: Sequence[str]
    samplerate: int
    audio_channels: int

    def parameters(self) -> Any:  # noqa: ANN401 - tensors
        """Return all weights."""
        ...


class UnsafeCheckpointError(Exception):
    """The checkpoint would run code, or holds no Demucs network."""


def load_checkpoint(path: Path) -> DemucsNetwork:
    """Load one network from a `.th` file, a pickle in which only Demucs' own classes and numbers are allowed.

    Raises:
        UnsafeCheckpointError: The file holds anything else.
    """
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
        if package["state"].get("__quantized"):
            # The library would end the process: the package that reads such states would have to be compiled.
            raise UnsafeCheckpointError(f"{path.name} is quantized")
        return (
            cast("Any", states).load_model({key: package[key] for key in ("klass", "args", "kwargs", "state")}).eval()
        )
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise UnsafeCheckpointError(f"{path.name}: {error}") from error


def make_bag(networks: Sequence[DemucsNetwork], description: Mapping[str, Any]) -> DemucsNetwork:
    """Combine networks, weighted as the bag's description says."""
    from demucs.apply import BagOfModels

    bag: Any = BagOfModels
    return bag(list(networks), description.get("weights"), description.get("segment")).eval()


def read_bag(path: Path) -> dict[str, Any]:
    """Read a bag's description: `models`, and perhaps `weights` and `segment`."""
    found: Any = yaml.safe_load(path.read_text())
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def published_bags() -> Path:
    """Return the folder of bag descriptions that the library brings."""
    from demucs.pretrained import REMOTE_ROOT

    return REMOTE_ROOT


class BagMember:
    """One network of a bag, or a network alone, as a `SegmentNetwork` that makes stems instead of sources."""

    def __init__(self, network: DemucsNetwork, shares: Sequence[Sequence[float]]) -> None:
        """Wrap a network; `shares` has a row for each stem with the weight of each source in it."""
        self._network: Any = network
        self._shares = [{source: share for source, share in enumerate(row) if share} for row in shares]
        self._device = "cpu"
        self.output_shape = (len(shares), int(network.audio_channels))
        self.segment_frames = int(self._network.samplerate * self._network.segment)

    def move(self, device: str) -> None:
        """Move the network to a torch device.

        Raises:
            OutOfMemoryError: The device has too little memory.
        """
        with _memory_errors():
            self._network.to(device).eval()
        self._device = device

    def valid_length(self, frames: int) -> int:
        """See `SegmentNetwork`; Demucs takes lengths its strides divide, HTDemucs the length it was trained with."""
        ask = getattr(self._network, "valid_length", None)
        return frames if ask is None else int(ask(frames))

    def run(self, segments: PlanarSamples) -> PlanarSamples:
        """See `SegmentNetwork`; the sources are summed to stems on the device, so that less is transferred."""
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
    """Wrap the networks of a bag, weighted as `apply_model` weights them, or a network alone.

    Args:
        network: The bag or network.
        stems: For each stem, the indices of its sources.

    Raises:
        ValueError: A source has no weight in any network.
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
    """Return the number of segments at a time that suits a device."""
    return GPU_BATCH_SEGMENTS if device.startswith("cuda") else 1


def free_memory() -> None:
    """Return the memory of the graphics card that torch caches."""
    if _torch.cuda.is_available():
        _torch.cuda.empty_cache()


@contextmanager
def _memory_errors() -> Generator[None]:
    """Raise `OutOfMemoryError` for all errors that torch raises when memory runs out."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        typed = isinstance(error, MemoryError | _torch.OutOfMemoryError)
        if typed or any(words in str(error) for words in MEMORY_ERROR_TEXTS):
            raise OutOfMemoryError(repr(error)) from error
        raise
