import pytest
import torch

from pipeline.separation.engines.background.network.base import NetworkConfig, count_parameters
from pipeline.separation.engines.background.network.masks import BINS, BandSplitNetwork, band_widths, build_network
from pipeline.separation.engines.background.network.recurrence import GatedRecurrence, scan
from pipeline.separation.engines.background.network.spectrogram import (
    HALF_OVERLAP,
    QUARTER_HOP,
    Stft,
    analyse,
    synthesise,
)

SMALL = NetworkConfig(bands=8, features=8, hidden=8, mixer=8, layers=2, lookahead=3)
CONFIGS = [
    SMALL,
    NetworkConfig(bands=8, features=8, hidden=8, mixer=8, layers=1, lookahead=0, backward=True),
    NetworkConfig(architecture="frames", hidden=8, layers=1, lookahead=3),
    NetworkConfig(architecture="tiles", deep_channels=8),
]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("rate", [44_100, 48_000, 16_000])
def test_parts_sum_to_what_went_in(config: NetworkConfig, rate: int) -> None:
    torch.manual_seed(0)
    waves = 0.1 * torch.randn(2, 2, rate // 2 + 77)
    with torch.no_grad():
        parts = build_network(config).separate(waves, rate)
    assert parts.shape == (2, 3, 2, waves.shape[-1])
    torch.testing.assert_close(parts.sum(dim=1), waves, atol=1e-5, rtol=0)


def test_masks_wait_for_the_lookahead_and_no_longer() -> None:
    torch.manual_seed(0)
    network = build_network(SMALL)
    power = torch.rand(1, 20, BINS)
    changed = power.clone()
    changed[:, 12] *= 100
    with torch.no_grad():
        differs = (network(power) - network(changed)).abs().amax(dim=(0, 1, 3)) > 1e-6
    first = int(differs.nonzero()[0])
    assert first == 12 - SMALL.lookahead


def test_the_default_network_is_small() -> None:
    assert 1e6 < count_parameters(build_network(NetworkConfig())) < 3e6


@pytest.mark.parametrize("count", [8, 32, 40])
def test_bands_cover_all_bins(count: int) -> None:
    widths = band_widths(count)
    assert len(widths) == count
    assert sum(widths) == BINS
    assert min(widths) >= 2
    assert isinstance(build_network(NetworkConfig(bands=count)), BandSplitNetwork)


def test_scan_is_the_recurrence_and_its_gradient() -> None:
    torch.manual_seed(0)
    decay = torch.rand(7, 2, 3, dtype=torch.double, requires_grad=True)
    value = torch.randn(7, 2, 3, dtype=torch.double, requires_grad=True)
    state = torch.zeros(2, 3, dtype=torch.double)
    states = []
    for step in range(7):
        state = decay[step] * state + value[step]
        states.append(state)
    torch.testing.assert_close(scan(decay, value), torch.stack(states))
    assert torch.autograd.gradcheck(scan, (decay, value))


def test_backward_channels_hear_what_is_to_come() -> None:
    torch.manual_seed(0)
    for backward in (False, True):
        layer = GatedRecurrence(4, 8, backward=backward)
        sequence = torch.randn(10, 1, 4)
        changed = sequence.clone()
        changed[9] += 1
        heard = (layer(sequence)[0] - layer(changed)[0]).abs().max() > 0
        assert bool(heard) is backward


@pytest.mark.parametrize(("windows", "power"), [(HALF_OVERLAP, 0.5), (QUARTER_HOP, 0.375)])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_spectra_are_turned_back_without_loss(windows: Stft, power: float, rate: int) -> None:
    waves = torch.randn(2, 30_001)
    stft = windows.at(rate)
    assert abs(rate / stft.size - 44_100 / windows.size) < 0.05
    torch.testing.assert_close(synthesise(analyse(waves, stft), 30_001, stft), waves, atol=1e-5, rtol=0)
    assert analyse(torch.randn(200_000), stft).abs().square().mean().item() == pytest.approx(power, rel=0.05)
