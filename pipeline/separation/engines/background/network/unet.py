"""A U-net over tiles of spectra, whose encoder and decoder can start from Spleeter's.

Its deepest level is Spleeter's at a lower rank: nothing but two linear layers lies there, so that the
product of their weights can be cut to its largest singular values.

Hennequin et al., "Spleeter: a fast and efficient music source separation tool", 2020.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from pipeline.separation.engines.background.network.base import LearningGroup, MaskNetwork, NetworkConfig
from pipeline.separation.engines.background.network.floor import ambience_share
from pipeline.separation.engines.background.network.notes import HINTS as NOTE_HINTS
from pipeline.separation.engines.background.network.spectrogram import QUARTER_HOP

NETWORK_BINS = 1024
"""Bins that the U-net sees, up to 11 kHz; those above share one mask."""
TOP_BINS = 64
"""Bins whose mean decides about those above the network's."""
CHANNELS = (16, 32, 64, 128, 256)
"""Of the levels of the encoder."""
STRIDE = 64
"""Spectra of one step of the deepest level."""
MUSIC_POWER = 0.0084
"""Mean power of a bin of music at -14 LUFS in one channel: the level that tiles are brought to."""
MAX_GAIN_POWER = 1e4
LEVEL_FLOOR = 1e-7
"""Of the power of a bin of a tile at that level."""
LEVEL_SCALE, LEVEL_OFFSET = 0.3, 2.7
"""Bring natural logarithms of power to about 1 around 0."""
BED_SPECTRA, TONE_SPECTRA, STROKE_BINS = 65, 11, 25
"""Neighbours that hints are means of: 1.5 s, 0.26 s and 270 Hz."""
UNREST_FLOOR = 1e-4
FLOOR_WEIGHT = 0.5
"""Of what the noise floor says, at the start."""
NOTE_WEIGHT, NOTE_THRESHOLD = 3.0, 0.25
"""Of what a note's harmonic says for music, at the start, and how likely it must be to say anything for it."""
LEAK = 0.2
HEAD_GAIN = 0.3
"""Brings most of what the head hears under the bend of its compression; magnitudes reach hundreds."""
PRETRAINED_RATE_SHARE = 0.12
"""Learning rate of weights that were taken over, of that of new ones."""
DROPOUT_LEVELS = 3
"""Deepest levels whose values are left out by chance in training, as Spleeter's were."""


class ChannelAffine(nn.Module):
    """A gain and an offset for each channel: what is left of a batch norm whose statistics are fixed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, values: Tensor) -> Tensor:
        """Shape (batch, channels, ...) in and out."""
        mean, variance = torch.zeros_like(self.bias), torch.ones_like(self.bias)
        return nn.functional.batch_norm(values, mean, variance, self.weight, self.bias, eps=0.0)


class TileNetwork(MaskNetwork):
    """The U-net with the logits of all parts at its end."""

    stft = QUARTER_HOP
    told_bins = NETWORK_BINS

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Conv2d(1, CHANNELS[0], 5, stride=2)
        told = 1 + len(_HINTS) * config.hints + NOTE_HINTS * config.notes
        self.levels = nn.Conv2d(told, CHANNELS[0], 5, stride=2, bias=False)
        self.down = nn.ModuleList(nn.Conv2d(channels, out, 5, stride=2) for channels, out in pairwise(CHANNELS))
        self.down_affine = nn.ModuleList(ChannelAffine(channels) for channels in CHANNELS)
        self.deep_down = nn.Conv2d(CHANNELS[-1], config.deep_channels, 5, stride=2)
        self.deep_up = nn.ConvTranspose2d(config.deep_channels, CHANNELS[-1], 5, stride=2, padding=1)
        self.deep_affine = ChannelAffine(CHANNELS[-1])
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * channels, out, 5, stride=2, padding=1) for channels, out in pairwise(CHANNELS[::-1])
        )
        self.up_affine = nn.ModuleList(ChannelAffine(channels) for channels in CHANNELS[-2::-1])
        self.context = nn.Linear(CHANNELS[-1], CHANNELS[-1])
        self.head_affine = ChannelAffine(2 * CHANNELS[0])
        self.head = nn.Conv2d(2 * CHANNELS[0], 4 * config.parts, 3, padding=1)
        self.offsets = nn.Parameter(torch.zeros(config.parts, 1, NETWORK_BINS))
        if config.floor:
            self.floor_weight = nn.Parameter(torch.tensor(FLOOR_WEIGHT))
        if config.notes:
            self.note_weight = nn.Parameter(torch.tensor(NOTE_WEIGHT))
        nn.init.constant_(self.head_affine.weight, HEAD_GAIN)
        for layer in (self.levels, self.context, self.head):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def learning_groups(self) -> list[LearningGroup]:
        """The weights that were taken over learn more slowly."""
        new = {*self.levels.parameters(), *self.context.parameters(), *self.head.parameters(), self.offsets}
        new |= {*self.head_affine.parameters()}
        if self.config.floor:
            new.add(self.floor_weight)
        if self.config.notes:
            new.add(self.note_weight)
        known = [parameter for parameter in self.parameters() if parameter not in new]
        share = PRETRAINED_RATE_SHARE if self.config.pretrained else 1.0
        return [LearningGroup(known, share), LearningGroup([p for p in self.parameters() if p in new], 1.0)]

    def forward(self, power: Tensor, notes: Tensor | None = None) -> Tensor:
        """Masks for power spectra."""
        steps = power.shape[1]
        fill = (0, 0, 0, -steps % STRIDE)
        tile = nn.functional.pad(power[:, None, :, :NETWORK_BINS], fill) * _gain_power(power)
        heard = None if notes is None else nn.functional.pad(notes, fill)
        logits = self._decoded(*self._encoded(tile, heard))[:, :, :steps]
        if self.config.floor:
            logits = logits.float() + self.floor_weight * self._floor_odds(tile[:, 0, :steps])
        if heard is not None:
            odds = self.note_weight * (heard[:, :1, :steps] - NOTE_THRESHOLD)
            logits = torch.cat([logits[:, :1].float() + odds, logits[:, 1:].float()], dim=1)
        above = logits[..., -TOP_BINS:].mean(dim=-1, keepdim=True)
        masks = torch.cat([logits, above], dim=-1).float().softmax(dim=1)
        rest = masks[..., -1:].expand(*masks.shape[:-1], power.shape[-1] - NETWORK_BINS)
        return torch.cat([masks[..., :-1], rest], dim=-1)

    def _floor_odds(self, tile: Tensor) -> Tensor:
        """What the noise floor says for effects and for ambience, and nothing for music; shape of the logits."""
        with torch.no_grad():
            share = ambience_share(tile.float())
            return torch.stack([torch.zeros_like(share), torch.log1p(-share), share.log()], dim=1)

    def _encoded(self, tile: Tensor, notes: Tensor | None) -> tuple[list[Tensor], Tensor]:
        """The skip connections of all levels, and what the deepest makes of them."""
        magnitude = tile.sqrt() * self.stft.size**0.5
        levels = torch.log(tile + LEVEL_FLOOR) * LEVEL_SCALE + LEVEL_OFFSET
        if self.config.hints:
            levels = torch.cat([levels, *(hint(levels) for hint in _HINTS)], dim=1)
        if notes is not None:
            levels = torch.cat([levels, notes], dim=1)
        weight = torch.cat([self.first.weight, self.levels.weight], dim=1)
        values = _padded(torch.cat([magnitude, levels], dim=1)).contiguous(memory_format=torch.channels_last)
        skips = [nn.functional.conv2d(values, weight, self.first.bias, stride=2)]
        for convolution, affine in zip(self.down, self.down_affine, strict=False):
            skips.append(convolution(_padded(_leaky(affine(skips[-1])))))
        heard = _leaky(self.down_affine[-1](skips[-1]))
        deep = self.deep_affine(_cropped(self.deep_up(self.deep_down(_padded(heard)))).relu())
        context = self.context(heard.mean(dim=2).transpose(1, 2)).transpose(1, 2)[:, :, None]
        return skips, deep + context

    def _decoded(self, skips: list[Tensor], values: Tensor) -> Tensor:
        """Logits, shape (batch, parts, spectra, NETWORK_BINS)."""
        for level, (convolution, affine) in enumerate(zip(self.up, self.up_affine, strict=True)):
            if level < DROPOUT_LEVELS and self.dropout:
                values = nn.functional.dropout(values, self.dropout, self.training)
            values = affine(_cropped(convolution(torch.cat([skips.pop(), values], dim=1))).relu())
        heard = nn.functional.softsign(self.head_affine(torch.cat([skips.pop(), values], dim=1)))
        return nn.functional.pixel_shuffle(self.head(heard), 2) + self.offsets


def _bed_level(levels: Tensor) -> Tensor:
    """How loud each bin is in the long run."""
    return moving_mean(levels, BED_SPECTRA, dim=2)


def _unrest(levels: Tensor) -> Tensor:
    """How far each bin strays from its level in the long run: little in ambience."""
    variance = moving_mean(levels.square(), BED_SPECTRA, dim=2) - _bed_level(levels).square()
    return (variance.clamp(min=0) + UNREST_FLOOR).sqrt()


def _tone_level(levels: Tensor) -> Tensor:
    """Levels smoothed over time: tones stand out."""
    return moving_mean(levels, TONE_SPECTRA, dim=2)


def _stroke_level(levels: Tensor) -> Tensor:
    """Levels smoothed over frequency: strokes stand out."""
    return moving_mean(levels, STROKE_BINS, dim=3)


_HINTS = (_bed_level, _unrest, _tone_level, _stroke_level)
"""What the network is told of each bin's surroundings, of shape (batch, 1, spectra, bins) in and out."""


def moving_mean(values: Tensor, width: int, dim: int) -> Tensor:
    """Mean of an odd number of neighbours along an axis, fewer at its ends."""
    half, count = width // 2, values.shape[dim]
    total = nn.functional.pad(values.cumsum(dim), (0, 0) * (3 - dim) + (1, 0))
    places = torch.arange(count, device=values.device)
    ends, starts = (places + half + 1).clamp(max=count), (places - half).clamp(min=0)
    shape = (-1, *(1,) * (3 - dim))
    return (total.index_select(dim, ends) - total.index_select(dim, starts)) / (ends - starts).view(shape)


def _gain_power(power: Tensor) -> Tensor:
    """What brings each tile of shape (batch, spectra, bins) to the level of music."""
    mean = power.mean(dim=(1, 2))[:, None, None, None]
    return MUSIC_POWER / (mean + MUSIC_POWER / MAX_GAIN_POWER)


def _padded(values: Tensor) -> Tensor:
    return nn.functional.pad(values, (1, 2, 1, 2))


def _leaky(values: Tensor) -> Tensor:
    return nn.functional.leaky_relu(values, LEAK)


def _cropped(values: Tensor) -> Tensor:
    """A transposed convolution gives one row and one column too many."""
    return values[:, :, :-1, :-1]
