"""The networks: masks of the parts of a background, from its power spectrogram.

Masks are a softmax over the parts, so the parts sum to the background, and a part is never louder than
it. Channels share their masks.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from pipeline.separation.engines.background.network.base import MaskNetwork, NetworkConfig
from pipeline.separation.engines.background.network.recurrence import GatedRecurrence
from pipeline.separation.engines.background.network.spectrogram import HALF_OVERLAP
from pipeline.separation.engines.background.network.tensors import split_last
from pipeline.separation.engines.background.network.unet import TileNetwork

BINS = HALF_OVERLAP.bins
POWER_FLOOR = 1e-9
"""About -90 dB under full scale."""
LEVEL_SCALE = 0.1
FLOOR_LEVEL = LEVEL_SCALE * math.log(POWER_FLOOR)
"""Brings natural logarithms of power to about 1."""


class BandSplitNetwork(MaskNetwork):
    """Bands of frequency through gated recurrences over time and linear layers over bands."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.widths = band_widths(config.bands)
        self.encoders = nn.ModuleList(nn.Linear(width + 1, config.features) for width in self.widths)
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.features)
        self.decoders = nn.ModuleList(_decoder(config.features, width * config.parts) for width in self.widths)

    def forward(self, power: Tensor, notes: Tensor | None = None) -> Tensor:
        """Masks for power spectra."""
        levels = (torch.log(power + POWER_FLOOR) * LEVEL_SCALE).transpose(0, 1)
        levels = nn.functional.pad(levels, (0, 0, 0, 0, 0, self.config.lookahead), value=FLOOR_LEVEL)
        bands = torch.stack(
            [
                encoder(_with_mean(band))
                for encoder, band in zip(self.encoders, split_last(levels, self.widths), strict=True)
            ],
            dim=2,
        )
        for layer in self.layers:
            bands = layer(bands)
        heard = self.norm(bands[self.config.lookahead :])
        logits = [
            decoder(band).unflatten(-1, (self.config.parts, width))
            for decoder, band, width in zip(self.decoders, heard.unbind(dim=2), self.widths, strict=True)
        ]
        return torch.cat(logits, dim=-1).permute(1, 2, 0, 3).float().softmax(dim=1)


class FrameNetwork(MaskNetwork):
    """The control, like Open-Unmix: whole spectra through a recurrent network over time."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = nn.Sequential(nn.Linear(BINS, config.hidden), nn.LayerNorm(config.hidden), nn.Tanh())
        self.time = nn.LSTM(config.hidden, config.hidden, config.layers, batch_first=True)
        self.decoder = _decoder(2 * config.hidden, BINS * config.parts, config.hidden)

    def forward(self, power: Tensor, notes: Tensor | None = None) -> Tensor:
        """Masks for power spectra."""
        levels = torch.log(power + POWER_FLOOR) * LEVEL_SCALE + 1
        levels = nn.functional.pad(levels, (0, 0, 0, self.config.lookahead), value=FLOOR_LEVEL + 1)
        encoded = self.encoder(levels)
        joined = torch.cat([encoded, self.time(encoded)[0]], dim=-1)[:, self.config.lookahead :]
        return self.decoder(joined).unflatten(-1, (self.config.parts, BINS)).transpose(1, 2).float().softmax(dim=1)


class _Layer(nn.Module):
    """What a band does over time, then what the bands of one time do together."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        joined = config.bands * config.features
        self.time_norm = nn.LayerNorm(config.features)
        self.time = GatedRecurrence(config.features, config.hidden, backward=config.backward)
        self.band_norm = nn.LayerNorm(joined)
        self.mixer = nn.Sequential(nn.Linear(joined, config.mixer), nn.GELU(), nn.Linear(config.mixer, joined))

    def forward(self, bands: Tensor) -> Tensor:
        """Shape (spectra, batch, bands, features) in and out."""
        bands = bands + self.time(self.time_norm(bands))
        return bands + self.mixer(self.band_norm(bands.flatten(2))).view_as(bands)


def band_widths(count: int) -> list[int]:
    """Bins of each band: at least two, about even on the mel scale, `BINS` together."""
    nyquist_mel = 2595 * torch.log10(torch.tensor(1 + 22_050 / 700)).item()
    edges = [0]
    for index in range(1, count + 1):
        hertz = 700 * (10 ** (nyquist_mel * index / count / 2595) - 1)
        edges.append(max(edges[-1] + 2, round(hertz / 22_050 * BINS)))
    edges[-1] = BINS
    return [end - start for start, end in pairwise(edges)]


def build_network(config: NetworkConfig) -> MaskNetwork:
    """Make a network with weights drawn by chance."""
    architectures = {"bands": BandSplitNetwork, "frames": FrameNetwork, "tiles": TileNetwork}
    return architectures[config.architecture](config)


def _with_mean(band: Tensor) -> Tensor:
    """A band's levels around their mean, and the mean."""
    mean = band.mean(dim=-1, keepdim=True)
    return torch.cat([(band - mean) * 4, mean + 1], dim=-1)


def _decoder(inputs: int, outputs: int, hidden: int | None = None) -> nn.Sequential:
    hidden = hidden or 2 * inputs
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, outputs))
