"""The mean of several states of a network, and how sure of itself it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from pipeline.separation.engines.background.network.weights import load_weights, save_weights

LOGIT_WEIGHTS = ("head.weight", "head.bias", "offsets", "floor_weight", "note_weight")
"""Of a U-net over tiles: its logits are linear in these."""


def scale_logits(state: Mapping[str, Tensor], confidence: float) -> dict[str, Tensor]:
    """Multiply the logits of a U-net: weights that know their training material too well are too sure of all else."""
    return {name: value * confidence if name in LOGIT_WEIGHTS else value for name, value in state.items()}


def write_mean(paths: Sequence[Path], target: Path, *, confidence: float = 1.0) -> str:
    """Write the mean of the weights of some files, the logits multiplied; returns the SHA-256 of the file.

    Raises:
        ValueError: The files are of networks of different sizes.

    """
    networks = [load_weights(path) for path in paths]
    config = networks[0].config
    if any(network.config != config for network in networks):
        raise ValueError("The weights are of networks of different sizes.")
    states = [network.state_dict() for network in networks]
    mean = {name: torch.stack([state[name] for state in states]).mean(dim=0) for name in states[0]}
    return save_weights(scale_logits(mean, confidence), config, target)
