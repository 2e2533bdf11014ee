"""Weights on disk: safetensors in half precision, with the sizes of the network beside them."""

import hashlib
import json
from pathlib import Path
from typing import Any, cast

import safetensors
import torch
from safetensors import torch as safetensors_torch
from torch import Tensor

from pipeline.separation.engines.background.network.base import MaskNetwork, NetworkConfig
from pipeline.separation.engines.background.network.masks import build_network

_safetensors = cast("Any", safetensors)
_torch = cast("Any", safetensors_torch)


def save_weights(state: dict[str, Tensor], config: NetworkConfig, path: Path) -> str:
    """Write weights in half precision; returns the SHA-256 of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    halves = {name: value.to("cpu", torch.float16).contiguous() for name, value in state.items()}
    partial = path.with_suffix(".partial")
    _torch.save_file(halves, partial, metadata={"config": json.dumps(config.as_dict())})
    partial.replace(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_weights(path: Path) -> MaskNetwork:
    """Build the network that a file of weights is for; no code of the file is run."""
    with _safetensors.safe_open(path, "pt") as file:
        config = NetworkConfig(**json.loads(file.metadata()["config"]))
        state: dict[str, Tensor] = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    network = build_network(config)
    network.load_state_dict(state)
    return network.eval()
