"""The CAM++ speaker embedding (Wang et al. 2023, 3D-Speaker).

Import only after `pipeline.speech.compat.torchaudio.install()`; it loads torch and torchaudio.
"""

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torchaudio.compliance import kaldi  # pyright: ignore[reportMissingTypeStubs]

from pipeline.models.loader import load_module

SAMPLE_RATE = 16_000
MEL_BINS = 80
_kaldi = cast("Any", kaldi)


class CAMPPlusEmbedding(torch.nn.Module):
    """The CAM++ network with its filter banks."""

    dimension = 192

    def __init__(self, *, network: Path, checkpoint: Path) -> None:
        super().__init__()
        self.network = load_module(network, "stemcord_campplus").CAMPPlus(
            feat_dim=MEL_BINS, embedding_size=self.dimension, memory_efficient=False
        )
        self.network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True), strict=True)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Embed waveforms of shape (batch, 1, samples) of at least 0.2 s; the embeddings have shape (batch, 192)."""
        return torch.stack([self._embed(waveform[0]) for waveform in waveforms])

    def _embed(self, samples: Tensor) -> Tensor:
        features: Tensor = _kaldi.fbank(
            samples[None], num_mel_bins=MEL_BINS, sample_frequency=float(SAMPLE_RATE), dither=0.0
        )
        return self.network((features - features.mean(0, keepdim=True))[None])[0]
