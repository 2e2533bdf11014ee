"""What Spleeter's U-net for the accompaniment knows, as the start of a network of this package."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from pipeline.errors import ModelMissingError
from pipeline.models.entries import PackageFile
from pipeline.models.loader import find_file, verify_file
from pipeline.separation.engines.background import NOTES_FILE
from pipeline.separation.engines.background.network.base import MaskNetwork, NetworkConfig
from pipeline.separation.engines.background.network.tensors import product_singular_values
from pipeline.separation.engines.background.network.unet import CHANNELS, TileNetwork
from pipeline.separation.engines.spleeter import SPLEETER_2STEMS
from pipeline.separation.engines.spleeter.network import load_state
from pipeline.training.means import scale_logits

Weights = dict[str, Tensor]
BATCH_NORM_EPSILON = 1e-3


def start_from_spleeter() -> TileNetwork:
    """Make a U-net with the weights that ship with Spleeter's package.

    Raises:
        ModelMissingError: The package is not installed.
        ModelDigestError: Its weights are others than the catalogue's.

    """
    path = _verified(next(file for file in SPLEETER_2STEMS.files if file.name == "accompaniment"))
    network = TileNetwork(NetworkConfig(architecture="tiles", pretrained=True))
    take_over(network, load_state(path))
    return network


def listening(network: MaskNetwork) -> MaskNetwork:
    """Have notes heard where a network wants to be told of them; raises as `start_from_spleeter` does."""
    if network.config.notes:
        network.hear_notes(_verified(NOTES_FILE))
    return network


def _verified(file: PackageFile) -> Path:
    path = find_file(file)
    if path is None:
        raise ModelMissingError(f"The package {file.package} is not installed.", hint="Run `make env`.")
    verify_file(path, file)
    return path


def with_hints(network: MaskNetwork, *, confidence: float = 1.0) -> MaskNetwork:
    """Make a U-net that is also told of each bin's surroundings, and of the noise floor.

    Args:
        network: A U-net without.
        confidence: What its logits are multiplied by.

    Returns:
        A U-net that as yet makes nothing of the surroundings.

    """
    return _told_more(network, replace(network.config, hints=True, floor=True), confidence)


def with_notes(network: MaskNetwork, *, confidence: float = 1.0) -> MaskNetwork:
    """Make a U-net that is also told where notes sound; see `with_hints`."""
    return _told_more(network, replace(network.config, notes=True), confidence)


def _told_more(network: MaskNetwork, config: NetworkConfig, confidence: float) -> MaskNetwork:
    known = scale_logits(network.state_dict(), confidence)
    made = TileNetwork(config)
    missing = made.levels.in_channels - known["levels.weight"].shape[1]
    known["levels.weight"] = nn.functional.pad(known["levels.weight"], (0, 0, 0, 0, 0, missing))
    made.load_state_dict(made.state_dict() | known)
    return made


@torch.no_grad()
def take_over(network: TileNetwork, spleeter: Weights) -> None:
    """Copy what fits.

    Args:
        network: Its first layer hears one channel as Spleeter's hears two that are the same; its deepest level
            is the nearest one of its rank; its head is new.
        spleeter: Weights of Spleeter's U-net, by their names there.

    """
    known = _layer(spleeter, "down1_conv.1", "first")
    known["first.weight"] = known["first.weight"].sum(dim=1, keepdim=True)
    for level in range(1, len(CHANNELS)):
        known |= _layer(spleeter, f"down{level + 1}_conv.1", f"down.{level - 1}")
        known |= _layer(spleeter, f"up{level + 1}.0", f"up.{level - 1}")
        known |= _affine(spleeter, f"up{level + 1}.3", f"up_affine.{level - 1}")
    for level in range(len(CHANNELS)):
        known |= _affine(spleeter, f"down{level + 1}_act.0", f"down_affine.{level}")
    known |= _deepest(spleeter, network.config.deep_channels) | _affine(spleeter, "up1.3", "deep_affine")
    network.load_state_dict(network.state_dict() | known)


def _deepest(spleeter: Weights, rank: int) -> Weights:
    """Cut the product of the two linear layers that lie deepest to a rank."""
    down, up = spleeter["down6_conv.1.weight"], spleeter["up1.0.weight"]
    left, middle, right = product_singular_values(up.flatten(1).T, down.flatten(1), rank)
    reduced_up = left * middle.sqrt()
    reduced_down = right * middle.sqrt()[:, None]
    # The inner offset passes through the wide layer; what of it the narrow one can carry is kept.
    offset = (left.T @ up.flatten(1).T @ spleeter["down6_conv.1.bias"]) / middle.sqrt()
    return {
        "deep_down.weight": reduced_down.view(rank, *down.shape[1:]),
        "deep_down.bias": offset,
        "deep_up.weight": reduced_up.T.reshape(rank, *up.shape[1:]),
        "deep_up.bias": spleeter["up1.0.bias"],
    }


def _layer(spleeter: Weights, name: str, here: str) -> Weights:
    return {f"{here}.{key}": spleeter[f"{name}.{key}"] for key in ("weight", "bias")}


def _affine(spleeter: Weights, name: str, here: str) -> Weights:
    """Turn a batch norm with the statistics it has into a gain and an offset."""
    gain = spleeter[f"{name}.weight"] * (spleeter[f"{name}.running_var"] + BATCH_NORM_EPSILON).rsqrt()
    offset = spleeter[f"{name}.bias"] - spleeter[f"{name}.running_mean"] * gain
    return {f"{here}.weight": gain, f"{here}.bias": offset}
