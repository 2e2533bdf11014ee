"""What all networks have in common: masks of parts for power spectra, and what is made with them."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pipeline.separation.engines.background.network.notes import NoteListener
from pipeline.separation.engines.background.network.spectrogram import (
    HALF_OVERLAP,
    SAMPLE_RATE,
    Stft,
    analyse,
    synthesise,
)
from pipeline.separation.engines.background.network.tensors import multiplies_short_floats


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Sizes of a network."""

    architecture: Literal["bands", "frames", "tiles"] = "bands"
    """`bands` is `BandSplitNetwork`, `frames` the `FrameNetwork` it is compared with, `tiles` `TileNetwork`."""
    parts: int = 3
    bands: int = 32
    features: int = 48
    hidden: int = 64
    mixer: int = 96
    layers: int = 3
    lookahead: int = 12
    """Spectra that are heard before masks are given."""
    backward: bool = False
    """Half of the recurrent channels run backwards in time; then the whole wave is needed."""
    deep_channels: int = 128
    """Of the deepest level of `tiles`."""
    pretrained: bool = False
    """Layers that can take over Spleeter's weights have them, and learn slowly."""
    floor: bool = False
    """`tiles` begins from what the noise floor says of effects and ambience."""
    hints: bool = False
    """`tiles` is also told how steady, how tonal and how sudden the surroundings of a bin are."""
    notes: bool = False
    """`tiles` is also told where notes sound; see `MaskNetwork.hear_notes`."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LearningGroup:
    """Weights that learn at the same rate."""

    parameters: list[nn.Parameter]
    rate_share: float
    """Of the learning rate."""


class MaskNetwork(nn.Module):
    """A network that gives masks for power spectra.

    From shape (batch, spectra, stft.bins), and what `note_hints` gave, to (batch, parts, spectra, stft.bins).
    """

    config: NetworkConfig
    stft: Stft = HALF_OVERLAP
    """Windows of the spectra, at `SAMPLE_RATE`."""
    dropout: float = 0.0
    """Share of the deep values that are left out in training, where a network does so."""
    told_bins: int = HALF_OVERLAP.bins
    """Lowest bins that it is told of notes for."""
    _listener: NoteListener | None = None

    def hear_notes(self, path: Path) -> None:
        """Have notes heard by the network in that file; needed where `config.notes` says so."""
        if self.config.notes:
            self._listener = NoteListener(path, bin_hz=SAMPLE_RATE / self.stft.size, bins=self.told_bins)

    def note_hints(self, waves: Tensor, sample_rate: int, spectra: int) -> Tensor | None:
        """Tell where notes sound in waves of shape (batch, channels, frames); None for a network that is not told.

        Returns:
            As `NoteListener.hints`.

        Raises:
            RuntimeError: The network is to be told, and `hear_notes` was not called.
        """
        if not self.config.notes:
            return None
        if self._listener is None:
            raise RuntimeError("This network has to be told of notes, and nothing hears them.")
        hop = self.stft.at(sample_rate).hop
        hints = self._listener.hints(waves.float().mean(dim=1), rate=sample_rate, hop=hop, spectra=spectra)
        return hints.to(waves.device)

    def learning_groups(self) -> list[LearningGroup]:
        """All weights, by how fast they learn."""
        return [LearningGroup(list(self.parameters()), 1.0)]

    def separate(self, waves: Tensor, sample_rate: int) -> Tensor:
        """Part a wave.

        Args:
            waves: Shape (batch, channels, frames).
            sample_rate: In Hz; bins above the network's highest take that one's mask.

        Returns:
            Shape (batch, parts, channels, frames); over parts they sum to the wave.

        """
        stft, bins = self.stft.at(sample_rate), self.stft.bins
        spectra = analyse(waves, stft)
        power = (spectra.real.square() + spectra.imag.square()).mean(dim=1)
        inside = power[..., :bins]
        notes = self.note_hints(waves, sample_rate, power.shape[1])
        # Masks in half precision are some -40 dB off, in about half the time.
        halves = waves.device.type == "cuda" or multiplies_short_floats()
        with torch.autocast(waves.device.type, torch.bfloat16, enabled=halves):
            masks = self(nn.functional.pad(inside, (0, bins - inside.shape[-1])), notes)
        above = max(0, power.shape[-1] - bins)
        masks = torch.cat([masks[..., : power.shape[-1]], masks[..., -1:].expand(*masks.shape[:-1], above)], dim=-1)
        return synthesise(masks[:, :, None] * spectra[:, None], waves.shape[-1], stft)


def count_parameters(network: nn.Module) -> int:
    """How many weights a network has."""
    return sum(parameter.numel() for parameter in network.parameters())
