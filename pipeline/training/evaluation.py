"""How well a network parts mixes of sources that it was not trained on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.separation.engines.background.network.base import MaskNetwork
from pipeline.separation.engines.background.network.spectrogram import SAMPLE_RATE, analyse, synthesise
from pipeline.separation.engines.background.network.tensors import tensor_of
from pipeline.training.losses import sdr, si_sdr
from pipeline.training.mixes.mixing import PARTS, Mix, Mixer

MIN_ACTIVE_DB = -40.0
"""Level of a part under the background below which it counts as absent."""
ACTIVE_BLOCK = 2205
"""Frames; 50 ms."""
ACTIVE_RANGE_DB = 40.0
ALONE_DB = 60.0
"""SI-SDR of the background as the estimate from which on nothing but the part sounds: no mask can gain there."""
Separate = Callable[[Tensor], Tensor]
"""Backgrounds of shape (1, 1, frames) to parts of shape (1, parts, 1, frames)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFigures:
    """What mixes say of one part."""

    gain_db: list[float]
    """SI-SDR over that of the background itself as the part's estimate."""
    input_db: list[float]
    """SI-SDR of the background itself."""
    sdr_db: list[float]
    leakage_db: list[float]
    """Level of the estimate under the background where the part is absent in truth."""


class HeldOut:
    """A fixed set of mixes, drawn once."""

    def __init__(self, mixer: Mixer, count: int, seed: int) -> None:
        self._mixes = [mixer.draw((seed, index)) for index in range(count)]

    def evaluate(self, network: MaskNetwork, device: torch.device) -> dict[str, dict[str, float]]:
        """Medians for each part, rounded."""
        network.eval()

        def separate(waves: Tensor) -> Tensor:
            return network.separate(waves.to(device), SAMPLE_RATE).cpu()

        return {name: summary(figures) for name, figures in self.measure(separate).items()}

    @torch.no_grad()
    def measure(self, separate: Separate) -> dict[str, PartFigures]:
        """Figures of all mixes for each part."""
        return self._measure(lambda mix: separate(tensor_of(mix.background)[None, None])[0, :, 0])

    def measure_ideal(self) -> dict[str, PartFigures]:
        """The same for the ideal ratio mask: what masks of this kind can reach."""
        return self._measure(_ideal)

    def measure_fixed(self) -> dict[str, PartFigures]:
        """The same for the masks that are best among those that are the same in all mixes and at all times."""
        masks = self._fixed_masks()
        return self._measure(lambda mix: _masked(masks, tensor_of(mix.background)))

    def _fixed_masks(self) -> Tensor:
        """Masks of least squared error relative to each mix, shape (parts, 1, bins)."""
        cross, power = torch.zeros(1), torch.zeros(1)
        for mix in self._mixes:
            whole = analyse(tensor_of(mix.background))
            weight = 1 / (whole.abs().square().sum() + 1e-9)
            products = analyse(tensor_of(mix.parts)) * whole.conj()
            cross = cross + weight * products.real.sum(dim=1, keepdim=True)
            power = power + weight * whole.abs().square().sum(dim=0)
        return (cross / (power + 1e-12)).clamp(0, 1)

    def _measure(self, separate: Callable[[Mix], Tensor]) -> dict[str, PartFigures]:
        figures = {kind.value: PartFigures(gain_db=[], input_db=[], sdr_db=[], leakage_db=[]) for kind in PARTS}
        for mix in self._mixes:
            background = tensor_of(mix.background)
            truths = tensor_of(mix.parts)
            for part, estimate, truth in zip(figures.values(), separate(mix), truths, strict=True):
                _add(part, estimate, truth, background)
        return figures


def summary(figures: PartFigures) -> dict[str, float]:
    """Medians."""
    return {
        "gain_db": _median(figures.gain_db),
        "gain_in_company_db": _median(
            [gain for gain, before in zip(figures.gain_db, figures.input_db, strict=True) if before < ALONE_DB]
        ),
        "input_db": _median(figures.input_db),
        "sdr_db": _median(figures.sdr_db),
        "leakage_db": _median(figures.leakage_db),
        "mixes": len(figures.gain_db),
    }


def bootstrap_interval(values: list[float], seed: int = 0, rounds: int = 2000) -> tuple[float, float]:
    """The 95 % interval of a median."""
    generator = np.random.default_rng(seed)
    drawn = generator.choice(np.array(values), (rounds, len(values)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return round(float(low), 2), round(float(high), 2)


def active_frames(truth: Tensor) -> Tensor:
    """Mark the frames in blocks of `ACTIVE_BLOCK` where a part is within `ACTIVE_RANGE_DB` of its loudest block."""
    blocks = nn.functional.avg_pool1d(truth.square()[None], ACTIVE_BLOCK, ceil_mode=True)[0]
    heard = blocks > blocks.max() * 10 ** (-ACTIVE_RANGE_DB / 10)
    return heard.repeat_interleave(ACTIVE_BLOCK)[: len(truth)]


def _add(figures: PartFigures, estimate: Tensor, truth: Tensor, background: Tensor) -> None:
    whole = _level(background)
    if _level(truth) - whole < MIN_ACTIVE_DB:
        figures.leakage_db.append(_level(estimate) - whole)
        return
    active = active_frames(truth)
    before = float(si_sdr(background[active], truth[active]))
    figures.input_db.append(before)
    figures.gain_db.append(float(si_sdr(estimate[active], truth[active])) - before)
    figures.sdr_db.append(float(sdr(estimate[active], truth[active])))


def _ideal(mix: Mix) -> Tensor:
    spectra = analyse(tensor_of(mix.parts))
    whole = analyse(tensor_of(mix.background))
    power = spectra.real.square() + spectra.imag.square()
    masks = (power / (power.sum(dim=0) + 1e-12)).sqrt()
    return synthesise(masks * whole, mix.parts.shape[-1])


def _masked(masks: Tensor, wave: Tensor) -> Tensor:
    return synthesise(masks * analyse(wave), wave.shape[-1])


def _level(samples: Tensor) -> float:
    return float(10 * torch.log10(samples.square().mean() + 1e-12))


def _median(values: list[float]) -> float:
    array: NDArray[np.float64] = np.array(values)
    return round(float(np.median(array)), 2) if len(array) else float("nan")
