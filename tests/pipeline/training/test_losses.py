import pytest
import torch

from pipeline.separation.engines.background.network.spectrogram import analyse
from pipeline.training.losses import sdr, separation_loss, si_sdr


def spectra(scale: tuple[float, float, float]) -> torch.Tensor:
    torch.manual_seed(0)
    return analyse(torch.randn(1, 3, 20_000) * torch.tensor(scale)[:, None])


def equal_masks(parts: torch.Tensor) -> torch.Tensor:
    return torch.full(parts.shape, 1 / 3)


def test_right_masks_cost_less_than_equal_ones() -> None:
    parts = spectra((0.1, 0.01, 0.001))
    power = parts.abs().square()
    ideal = power / power.sum(dim=1, keepdim=True)
    background = parts.sum(dim=1)
    assert separation_loss(ideal, parts, background) < separation_loss(equal_masks(parts), parts, background) - 0.3


def test_a_quiet_part_counts_as_much_as_a_loud_one() -> None:
    parts = spectra((0.1, 0.001, 0.1))
    masks = equal_masks(parts).requires_grad_()
    separation_loss(masks, parts, parts.sum(dim=1)).backward()
    assert masks.grad is not None
    quiet, loud = masks.grad[0, 1].abs().sum(), masks.grad[0, 0].abs().sum()
    assert quiet > 0.2 * loud


def test_what_is_left_in_a_loud_part_counts() -> None:
    """A part that is nearly all of the background is judged by what else is heard in it."""
    parts = spectra((0.1, 0.02, 0.02))
    everything = torch.ones(1, 1, *parts.shape[2:])
    assert separation_loss(everything, parts[:, :1], parts.sum(dim=1)) > 0.4


@pytest.mark.parametrize("contrast", [1.0, 10.0])
def test_contrast_has_parts_that_come_out_well_count_more(contrast: float) -> None:
    parts = spectra((0.1, 0.1, 0.1))
    background = parts.sum(dim=1)
    power = parts.abs().square()
    ideal = power / power.sum(dim=1, keepdim=True)
    slopes: list[float] = []
    for share in (0.1, 0.9):
        mixed = torch.tensor(share, requires_grad=True)
        masks = mixed * ideal + (1 - mixed) * equal_masks(parts)
        separation_loss(masks, parts, background, contrast=contrast).backward()
        plain = torch.tensor(share, requires_grad=True)
        separation_loss(plain * ideal + (1 - plain) * equal_masks(parts), parts, background).backward()
        assert mixed.grad is not None
        assert plain.grad is not None
        slopes.append(float(mixed.grad / plain.grad))
    assert slopes[1] > slopes[0] > 0


def test_silence_costs_nothing_and_has_a_gradient() -> None:
    parts = spectra((0.0, 0.0, 0.0))
    masks = equal_masks(parts).requires_grad_()
    loss = separation_loss(masks, parts, parts.sum(dim=1))
    loss.backward()
    assert loss == 0
    assert masks.grad is not None
    assert torch.isfinite(masks.grad).all()


def test_an_absent_part_is_held_silent() -> None:
    parts = spectra((0.1, 0.0, 0.0))
    background = parts.sum(dim=1)
    silent = torch.zeros(parts.shape)
    silent[:, 0] = 1
    assert separation_loss(silent, parts, background) < separation_loss(equal_masks(parts), parts, background) - 0.5


def test_ratios_in_decibels() -> None:
    truth = torch.sin(torch.arange(8000) * 0.1)
    noise = torch.cos(torch.arange(8000) * 0.1)
    assert si_sdr(truth + 0.1 * noise, truth).item() == pytest.approx(20, abs=0.1)
    assert si_sdr(3 * (truth + 0.1 * noise), truth).item() == pytest.approx(20, abs=0.1)
    assert sdr(0.9 * truth, truth).item() == pytest.approx(20, abs=0.1)
