"""What a separator of backgrounds is compared with."""

import torch
from torch import Tensor

from pipeline.separation.ambience import extract_ambience
from pipeline.separation.engines.background.network.spectrogram import SAMPLE_RATE
from pipeline.separation.engines.background.network.tensors import tensor_of


def split_at_the_floor(waves: Tensor) -> Tensor:
    """Part a background as the presets without a network for it do: into ambience and events, by its noise floor.

    Args:
        waves: Shape (1, 1, frames).

    Returns:
        Shape (1, 3, 1, frames). Music is not told apart: its estimate is the background itself.

    """
    frames = waves.shape[-1]
    blocks = list(extract_ambience([waves[0].T.numpy()], SAMPLE_RATE, channels=1, frames=frames))
    ambience = torch.cat([tensor_of(block) for block in blocks]).T
    return torch.stack([waves[0], waves[0] - ambience, ambience])[None]
