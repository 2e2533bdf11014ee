"""The one typed door to the demucs library."""

import pickle
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

_torch = cast("Any", torch)
OutOfMemoryError = cast("type[RuntimeError]", torch.OutOfMemoryError)


class Network(Protocol):
    """A Demucs network or a bag of them."""

    sources: Sequence[str]
    samplerate: int
    audio_channels: int

    def parameters(self) -> Any:  # noqa: ANN401 - tensors
        """All weights."""
        ...


class UnsafeCheckpointError(Exception):
    """A checkpoint that would run code, or holds no Demucs network."""


def load_checkpoint(path: Path) -> Network:
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


def make_bag(networks: Sequence[Network], description: Mapping[str, Any]) -> Network:
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


def load_published(name: str) -> Network:
    """A published model from the hub, checked by the library against the digest the hub names."""
    from demucs.pretrained import get_model

    return cast("Any", get_model)(name, repo=None)


def load_cached(name: str) -> Network | None:
    """A published model that an earlier run left in the hub's cache, without touching the network."""
    from demucs.hf import DEFAULT_NAMESPACE, hf_repo_name, load_safetensors_model
    from huggingface_hub import try_to_load_from_cache

    place = f"{DEFAULT_NAMESPACE}/{hf_repo_name(name)}"
    description = try_to_load_from_cache(place, f"{name}.yaml")
    if not isinstance(description, str):
        return None
    bag = read_bag(Path(description))
    files = [try_to_load_from_cache(place, f"{signature}.safetensors") for signature in bag.get("models", [])]
    if not files or not all(isinstance(file, str) for file in files):
        return None
    load: Any = load_safetensors_model
    return make_bag([load(file) for file in files], bag)


def hub_addresses() -> tuple[str, ...]:
    """Where published models come from."""
    from demucs.pretrained import ROOT_URL
    from huggingface_hub.constants import ENDPOINT

    return (ENDPOINT, ROOT_URL)


def segments(network: Network, frames: int, overlap: float) -> int:
    """How many segments `separate` will work through for that many frames, over all networks of a bag."""
    parts: Any = getattr(network, "models", [network])
    strides = [int((1 - overlap) * int(part.samplerate * part.segment)) for part in parts]
    return sum(-(-frames // stride) for stride in strides)


def separate(
    network: Network, mixture: NDArray[np.float32], *, overlap: float, device: str, done: Callable[[], None]
) -> NDArray[np.float32]:
    """All sources, shape (sources, channels, frames), of a mixture of shape (channels, frames).

    `done` is called after each segment; what it raises ends the work.
    """
    from demucs import apply

    def tell(state: Mapping[str, Any]) -> None:
        if state["state"] == "end":
            done()

    made = cast("Any", apply).apply_model(
        network,
        _torch.from_numpy(np.ascontiguousarray(mixture))[None],
        shifts=0,
        overlap=overlap,
        device=device,
        callback=tell,
    )
    return cast("NDArray[np.float32]", made[0].cpu().numpy())


def free_memory(network: Network) -> None:
    """Bring a network back from the graphics card and let go of what was kept there."""
    cast("Any", network).to("cpu")
    _torch.cuda.empty_cache()
