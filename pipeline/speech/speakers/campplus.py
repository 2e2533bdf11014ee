"""The CAM++ speaker embedding (Wang et al. 2023, 3D-Speaker).

Import only after `pipeline.speech.compat.torchaudio.install()`; it loads torch and torchaudio.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchaudio.compliance import kaldi  # pyright: ignore[reportMissingTypeStubs]

from pipeline.models.loader import Models, load_module
from pipeline.models.onnx_network import OnnxNetwork, ensure_exported

SAMPLE_RATE: Final = 16_000
MEL_BINS: Final = 80
EMBEDDING_SIZE: Final = 192
EXAMPLE_FRAMES: Final = 148
"""Length of the features with which the network is exported; it takes any other."""
RunNetwork: TypeAlias = Callable[[Tensor], NDArray[np.float32]]
"""Features of shape (stretches, frames, 80) in, embeddings out."""
_kaldi = cast("Any", kaldi)
_torch = cast("Any", torch)


class CAMPPlusEncoder:
    """The CAM++ network with its filter banks: by onnxruntime on a processor, by torch on a card."""

    def __init__(self, models: Models, name: str) -> None:
        """Load the network; for a processor it is exported at its first use, and read from the disk from then on.

        Args:
            models: Where the weights come from, and the device.
            name: The model in the catalogue.

        Raises:
            ModelError: The weights are missing or changed, or the network cannot be written.
        """
        files = models.files(name)
        if models.device != "cpu":
            self._run = _on_card(load_network(files), models.device)
            return
        example = _torch.zeros(2, EXAMPLE_FRAMES, MEL_BINS)
        exported = OnnxNetwork(ensure_exported(models, name, lambda: load_network(files), example, free_axes=(0, 1)))
        self._run: RunNetwork = lambda features: exported(features.numpy())

    def __call__(self, samples: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Embed sound of shape (stretches, samples) of at least 0.2 s; the embeddings have shape (stretches, 192)."""
        with _torch.inference_mode():
            return self._run(_torch.stack([compute_features(row) for row in _torch.from_numpy(samples)]))


def _on_card(network: torch.nn.Module, device: str) -> RunNetwork:
    network = network.to(device)
    return lambda features: np.asarray(network(features.to(device)).cpu().numpy(), np.float32)


def load_network(files: dict[str, Path]) -> torch.nn.Module:
    """Load the network that the package ships, ready to run."""
    network = load_module(files["network"], "stemcord_campplus").CAMPPlus(
        feat_dim=MEL_BINS, embedding_size=EMBEDDING_SIZE, memory_efficient=False
    )
    network.load_state_dict(_torch.load(files["checkpoint"], map_location="cpu", weights_only=True), strict=True)
    return network.eval()


def compute_features(samples: Tensor) -> Tensor:
    """Compute log filter banks of shape (frames, 80) without their mean."""
    features: Tensor = _kaldi.fbank(
        samples[None], num_mel_bins=MEL_BINS, sample_frequency=float(SAMPLE_RATE), dither=0.0
    )
    return features - features.mean(0, keepdim=True)
