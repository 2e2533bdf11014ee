import pytest
import torch

from pipeline.separation.engines.background.network.base import NetworkConfig, count_parameters
from pipeline.separation.engines.background.network.floor import ambience_share
from pipeline.separation.engines.background.network.unet import (
    CHANNELS,
    NETWORK_BINS,
    PRETRAINED_RATE_SHARE,
    TileNetwork,
    moving_mean,
)
from pipeline.training.spleeter_start import take_over, with_hints

SMALL = NetworkConfig(architecture="tiles", deep_channels=8, pretrained=True)
BINS = TileNetwork.stft.bins


def spleeter_weights() -> dict[str, torch.Tensor]:
    """Weights of Spleeter's shapes, drawn by chance, with a deepest level of rank 8."""
    torch.manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def add(name: str, weight: tuple[int, ...], channels: int, norm: str) -> None:
        state[f"{name}.weight"] = torch.randn(weight) / (weight[0] * 25) ** 0.5
        state[f"{name}.bias"] = torch.randn(channels) / 10
        state[f"{norm}.weight"], state[f"{norm}.bias"] = torch.rand(channels) + 0.5, torch.randn(channels) / 10
        state[f"{norm}.running_mean"], state[f"{norm}.running_var"] = torch.randn(channels), torch.rand(channels) + 1

    inputs = (2, *CHANNELS)
    for level, (channels, out) in enumerate(zip(inputs, (*CHANNELS, 512), strict=True), start=1):
        add(f"down{level}_conv.1", (out, channels, 5, 5), out, f"down{level}_act.0")
    for level, (channels, out) in enumerate(zip((512, 512, 256, 128, 64), CHANNELS[::-1], strict=True), start=1):
        add(f"up{level}.0", (channels, out, 5, 5), out, f"up{level}.3")
    state["down6_conv.1.weight"][8:] = 0
    state["down6_conv.1.bias"][8:] = 0
    return state


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return spleeter_weights()


def taught(network: TileNetwork) -> TileNetwork:
    """Give the layers that start at nothing some weight."""
    with torch.no_grad():
        for new in (network.head.weight, network.levels.weight, network.context.weight):
            new.normal_(std=0.05)
    return network


@pytest.mark.parametrize("spectra", [1, 70])
def test_masks_sum_to_one_and_do_not_depend_on_the_level(spectra: int) -> None:
    torch.manual_seed(0)
    power = 0.01 * torch.rand(2, spectra, BINS)
    network = taught(TileNetwork(SMALL))
    with torch.no_grad():
        masks = network(power)
        torch.testing.assert_close(network(power / 100), masks, atol=0.01, rtol=0)
    assert masks.shape == (2, 3, spectra, BINS)
    assert masks.std() > 0.01
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(2, spectra, BINS))
    assert masks[..., NETWORK_BINS:].std(dim=-1).max() == 0


def test_nothing_is_known_of_parts_at_the_start() -> None:
    masks = TileNetwork(SMALL)(torch.rand(1, 3, BINS))
    torch.testing.assert_close(masks, torch.full_like(masks, 1 / 3))


def test_silence_has_masks_and_a_gradient() -> None:
    network = taught(TileNetwork(SMALL))
    network(torch.zeros(1, 64, BINS)).square().mean().backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients)
    assert network.deep_down.weight.grad is not None


def test_what_spleeter_knows_is_taken_over(state: dict[str, torch.Tensor]) -> None:
    network = TileNetwork(SMALL)
    take_over(network, state)
    tile = torch.rand(1, 1, 64, NETWORK_BINS)
    with torch.no_grad():
        skips, deep = network._encoded(tile, None)
        values = (tile.sqrt() * 64).expand(-1, 2, -1, -1)
        for level in range(1, 7):
            values = torch.nn.functional.pad(values, (1, 2, 1, 2))
            name = f"down{level}_conv.1"
            values = torch.nn.functional.conv2d(values, state[f"{name}.weight"], state[f"{name}.bias"], stride=2)
            if level < 6:
                torch.testing.assert_close(skips[level - 1], values, atol=1e-3, rtol=1e-3)
                values = torch.nn.functional.leaky_relu(_normed(values, state, f"down{level}_act.0"), 0.2)
        up = torch.nn.functional.conv_transpose2d(values, state["up1.0.weight"], state["up1.0.bias"], stride=2)
        expected = _normed(up[:, :, 1:-2, 1:-2].relu(), state, "up1.3")
    torch.testing.assert_close(deep, expected, atol=1e-2, rtol=1e-3)


def test_hints_change_nothing_at_first_and_are_heard_later() -> None:
    torch.manual_seed(0)
    plain = taught(TileNetwork(SMALL))
    told = with_hints(plain)
    power = 0.01 * torch.rand(1, 70, BINS)
    with torch.no_grad():
        masks = plain(power)
        assert isinstance(told, TileNetwork)
        told.floor_weight.zero_()
        torch.testing.assert_close(told(power), masks)
        told.levels.weight[:, 1:].normal_(std=0.05)
        assert (told(power) - masks).abs().max() > 0.01
        torch.testing.assert_close(told(power).sum(dim=1), torch.ones(1, 70, BINS))


def test_what_the_noise_floor_says_parts_effects_from_ambience() -> None:
    network = with_hints(TileNetwork(SMALL))
    power = 0.01 * torch.rand(1, 128, BINS).add(0.5)
    power[:, 60:64] *= 1000
    with torch.no_grad():
        _, events, ambience = network(power)[0, :, :, :NETWORK_BINS]
    assert events[61:63].min() > 4 * ambience[61:63].max()
    assert ambience[:50].mean() > 4 * events[:50].mean()


def test_less_confidence_brings_masks_nearer_together() -> None:
    network = taught(TileNetwork(SMALL))
    power = 0.01 * torch.rand(1, 70, BINS)
    spreads: list[float] = []
    for confidence in (1.0, 0.5):
        told = with_hints(network, confidence=confidence)
        assert isinstance(told, TileNetwork)
        with torch.no_grad():
            told.floor_weight.zero_()
            spreads.append(float(told(power).std()))
    assert 0 < spreads[1] < spreads[0]


@pytest.mark.parametrize("spectra", [1, 5, 64, 700])
def test_steady_noise_lies_on_its_floor_and_silence_is_no_error(spectra: int) -> None:
    torch.manual_seed(0)
    noise = torch.distributions.Exponential(100.0).sample((2, spectra, 300))
    share = ambience_share(noise)
    assert share.shape == noise.shape
    assert share.min() > 0
    assert share.max() < 1
    assert spectra < 64 or share.median() > 0.9
    assert torch.isfinite(ambience_share(torch.zeros(1, spectra, 4))).all()


@pytest.mark.parametrize("dim", [2, 3])
def test_a_moving_mean_is_that_of_the_neighbours_there_are(dim: int) -> None:
    values = torch.randn(2, 1, 9, 9)
    smoothed = moving_mean(values, 5, dim)
    lines = values.transpose(dim, 3)[0, 0, 0]
    expected = [lines[max(0, place - 2) : place + 3].mean() for place in range(9)]
    torch.testing.assert_close(smoothed.transpose(dim, 3)[0, 0, 0], torch.stack(expected))


def test_all_weights_learn_and_those_taken_over_slowly() -> None:
    network = TileNetwork(SMALL)
    known, new = network.learning_groups()
    assert (known.rate_share, new.rate_share) == (PRETRAINED_RATE_SHARE, 1.0)
    assert sum(p.numel() for p in known.parameters + new.parameters) == count_parameters(network)
    assert any(p is network.up[0].weight for p in known.parameters)
    assert any(p is network.head.weight for p in new.parameters)


def test_the_weights_fit_in_ten_megabytes() -> None:
    assert 2 * count_parameters(TileNetwork(NetworkConfig(architecture="tiles"))) < 10e6


def _normed(values: torch.Tensor, state: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    mean, variance, weight, bias = (state[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias"))
    return torch.nn.functional.batch_norm(values, mean, variance, weight, bias, eps=1e-3)
