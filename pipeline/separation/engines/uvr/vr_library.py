"""Typed wrapper around the VR networks of audio-separator, the oldest of Ultimate Vocal Remover.

The library's class gets arrays where it expects a file, and a loaded network: it would load the
checkpoint unsafely and guess the architecture from the size of the file.
"""

import logging
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.separation.engines.uvr.library import UnsafeCheckpointError, suppress_warnings

SAMPLE_RATE = 44_100
PATCH_SPECTRA = 512
"""Spectra that a network sees at a time, those at both ends for context only."""
AGGRESSION_PERCENT = 5
"""How much masks are sharpened; UVR's default."""
RESAMPLER = "soxr_hq"
"""Resampler that brings the bands back to one rate."""
WAV_SUBTYPE = "FLOAT"
"""Subtype of the file in memory in which the library takes an array."""

_torch = cast("Any", torch)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class VRSettings:
    """Settings that are not in a checkpoint; UVR keeps them in tables beside its models."""

    bands: str
    """Name of the library's description of the bands that make up the spectrum."""
    architecture: int
    """UVR's number for the network."""
    primary: Literal["vocals", "instrumental"]
    """Source of the mask."""
    nout: int = 0
    nout_lstm: int = 0
    """Sizes of the newer networks (UVR 5.1), which have recurrent layers; 0 for the older ones."""


class VRNetwork(Protocol):
    """A loaded network with its bands."""

    torch_device: torch.device
    model_run: Any
    primary_stem_name: str


def load_network(path: Path, settings: VRSettings, device: str) -> VRNetwork:
    """Load a network. The library raises errors of any type, `SystemExit` too.

    Raises:
        UnsafeCheckpointError: The file holds anything but numbers.
        ValueError: The bands are for another sample rate.
    """
    state = _read_weights(path)
    with suppress_warnings():
        from audio_separator.separator.architectures import vr_separator  # pyright: ignore[reportMissingTypeStubs]
        from audio_separator.separator.uvr_lib_v5 import spec_utils  # pyright: ignore[reportMissingTypeStubs]
        from audio_separator.separator.uvr_lib_v5.vr_network import (  # pyright: ignore[reportMissingTypeStubs]
            nets,
            nets_new,
        )

        library: Any = vr_separator
        # Its progress bars would go to the log of the process.
        library.tqdm = iter
        # Its own choice needs libsamplerate, which a machine may lack.
        cast("Any", spec_utils).wav_resolution = RESAMPLER
        network: Any = library.VRSeparator(
            common_config={
                "logger": _LOG,
                "log_level": logging.WARNING,
                "torch_device": _torch.device(device),
                "torch_device_cpu": _torch.device("cpu"),
                "model_name": path.stem,
                "model_path": str(path),
                "model_data": {"vr_model_param": settings.bands, "primary_stem": settings.primary.title()},
                "sample_rate": SAMPLE_RATE,
            },
            arch_config={"aggression": AGGRESSION_PERCENT, "window_size": PATCH_SPECTRA, "batch_size": 1},
        )
        bins = network.model_params.param["bins"] * 2
        makers: Any = (nets, nets_new)
        if settings.nout:
            made = makers[1].CascadedNet(bins, settings.architecture, nout=settings.nout, nout_lstm=settings.nout_lstm)
        else:
            made = makers[0].determine_model_capacity(bins, settings.architecture)
    if network.model_samplerate != SAMPLE_RATE:
        raise ValueError(f"{settings.bands} is for {network.model_samplerate} Hz")
    made.load_state_dict(state)
    network.model_run = made.eval().to(device)
    network.is_vr_51_model = bool(settings.nout)
    network.wav_subtype = WAV_SUBTYPE
    return cast("VRNetwork", network)


def hop(network: VRNetwork) -> int:
    """Return the frames between two spectra at 44.1 kHz."""
    band: Mapping[int, Any] = cast("Any", network).model_params.param["band"]
    return int(band[max(band)]["hl"])


def count_steps(network: VRNetwork, frames: int) -> int:
    """Count the calls of `done` in `vocals` for so many frames, a multiple of the hop."""
    seen = PATCH_SPECTRA - 2 * int(network.model_run.offset)
    return (frames // hop(network) + 1) // seen + 1


def vocals(network: VRNetwork, mixture: NDArray[np.float32], *, done: Callable[[], None]) -> NDArray[np.float32]:
    """Find the vocals of a mixture.

    Args:
        network: The loaded network.
        mixture: Shape (frames, 2), not silent; frames are a multiple of the hop.
        done: Called after each patch of spectra; what it raises ends the work.

    Returns:
        The same shape.
    """

    def on_forward(_module: object, _inputs: object, _output: object) -> None:
        done()

    library = cast("Any", network)
    library.audio_file_path = mixture
    # The library calls the parts of a network and not the network, so a hook on the network would never run.
    hook = library.model_run.out.register_forward_hook(on_forward)
    try:
        with suppress_warnings():
            spectrum = library.loading_mix()
            primary, rest = library.inference_vr(spectrum, library.torch_device, library.aggressiveness)
            voice = primary if library.primary_stem_name == "Vocals" else rest
            return np.asarray(library.spec_to_wav(voice), np.float32).T
    finally:
        hook.remove()
        library.audio_file_path = None


def move(network: VRNetwork, device: str) -> None:
    """Move a network to a torch device and return the cached memory of the graphics card."""
    if network.torch_device != _torch.device(device):
        network.torch_device = _torch.device(device)
        network.model_run.to(device)
        _torch.cuda.empty_cache()


def _read_weights(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read the weights of a checkpoint, a pickle that may hold nothing but numbers."""
    try:
        return _torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        raise UnsafeCheckpointError(f"{path.name}: {error}") from error
