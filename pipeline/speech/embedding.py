"""The CAM++ speaker embedding (Wang et al. 2023, 3D-Speaker) as a model of pyannote.audio.

Import only after `pipeline.speech.torchaudio_compat.install()`; it loads torch, torchaudio
and pyannote.audio.
"""

from pathlib import Path
from typing import Any, cast

import torch
from pyannote.audio import Model
from torch import Tensor
from torchaudio.compliance import kaldi  # pyright: ignore[reportMissingTypeStubs]

from pipeline.models import load_module

SAMPLE_RATE = 16_000
MEL_BINS = 80
_kaldi = cast("Any", kaldi)


class CAMPPlusEmbedding(Model):
    """One voice in, one vector of 192 numbers out; NaN where too little of the voice is heard."""

    dimension = 192
    min_samples = SAMPLE_RATE // 5
    """Below 0.2 s the vector says nothing; pyannote keeps shorter stretches out of clustering by itself."""

    def __init__(self, *, network: Path, checkpoint: Path) -> None:
        super().__init__(sample_rate=SAMPLE_RATE, num_channels=1, task=None)
        self.network = load_module(network, "stemcord_campplus").CAMPPlus(
            feat_dim=MEL_BINS, embedding_size=self.dimension, memory_efficient=False
        )
        self.network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True), strict=True)

    def forward(self, waveforms: Tensor, weights: Tensor | None = None, **_: object) -> Tensor:
        """Vectors of shape (batch, 192) for waveforms (batch, 1, samples) and optional masks (batch, frames).

        A mask says where the voice is heard; the rest is cut out. Raises `ValueError` for unmasked
        sound that is too short, by which pyannote finds the shortest length.
        """
        return torch.stack(
            [self._embed(waveform[0], None if weights is None else weights[i]) for i, waveform in enumerate(waveforms)]
        )

    def _embed(self, samples: Tensor, mask: Tensor | None) -> Tensor:
        if mask is None:
            if len(samples) < self.min_samples:
                raise ValueError(f"{len(samples)} samples are too few for a speaker embedding")
        else:
            frame = torch.arange(len(samples), device=samples.device) * len(mask) // len(samples)
            samples = samples[mask[frame] > 0.5]
            if len(samples) < self.min_samples:
                return torch.full((self.dimension,), float("nan"), device=samples.device)
        features: Tensor = _kaldi.fbank(
            samples[None], num_mel_bins=MEL_BINS, sample_frequency=float(SAMPLE_RATE), dither=0.0
        )
        return self.network((features - features.mean(0, keepdim=True))[None])[0]
