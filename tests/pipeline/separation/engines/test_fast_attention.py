"""The fast forward against the stock one, on small random networks whose branches are weighted as after training."""

from copy import deepcopy
from fractions import Fraction
from typing import Any

import pytest
import torch
from demucs import demucs, htdemucs
from demucs.apply import BagOfModels, apply_model

from pipeline.separation.engines.demucs import fast_attention as speed

MADE: Any = htdemucs.HTDemucs


pytestmark = pytest.mark.usefixtures("one_thread")


def make_network(seed=0, **options):
    """Fresh networks weight their branches with 0.001 or less, which would hide any difference."""
    torch.manual_seed(seed)
    settings = {"channels": 8, "nfft": 1024, "t_layers": 3, "t_heads": 2, "dconv_mode": 3, "segment": Fraction(1)}
    network = MADE(["drums", "vocals"], **(settings | options))
    for name, parameter in network.named_parameters():
        if name.endswith(("gamma_1.scale", "gamma_2.scale", "6.scale")):
            torch.nn.init.constant_(parameter, 0.5)
    return network.eval()


def make_sound(seconds=1, batch=1):
    return torch.rand(batch, 2, 44_100 * seconds, generator=torch.Generator().manual_seed(1)) - 0.5


def difference(made, stock):
    """In dB of the stock output's power."""
    return (10 * torch.log10((made - stock).square().mean() / stock.square().mean())).item()


def forward(network, sound):
    with torch.inference_mode():
        return network(sound)


@pytest.mark.parametrize("options", [{}, {"t_cross_first": True}, {"bottom_channels": 32}, {"t_layers": 0}])
def test_the_numbers_are_the_same(options, monkeypatch):
    monkeypatch.setattr(speed, "QUERIES_PER_BLOCK", 100)
    monkeypatch.setattr(speed, "RESIDUAL_CHUNK_VALUES", 4000)
    network, sound = make_network(**options), make_sound(batch=2)
    stock = forward(network, sound)
    fast = forward(speed.optimise(network), sound)
    assert difference(fast, stock) < -100


def test_every_costly_module_is_replaced():
    network = speed.optimise(make_network())
    kinds = (torch.nn.MultiheadAttention, demucs.DConv)
    costly = [module for module in network.modules() if isinstance(module, kinds) or type(module) is torch.nn.Linear]
    # Three in each layer of both branches; in the innermost layer of this shape the branches are one.
    assert len(costly) == 3 * 2 * 3 + 4 * 4 - 2
    assert all("forward" in vars(module) for module in costly)


def test_parameters_and_state_stay_and_new_weights_count():
    network, other = make_network(), make_network(seed=1)
    before = deepcopy(network.state_dict())
    assert speed.optimise(network) is network
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert sum(p.numel() for p in network.parameters()) == sum(p.numel() for p in other.parameters())
    network.load_state_dict(other.state_dict())
    sound = make_sound()
    assert difference(forward(network, sound), forward(other, sound)) < -100


def test_bags_through_the_library():
    networks = [make_network(seed=seed) for seed in (0, 1)]
    sound = make_sound(seconds=2)
    stock = apply_model(BagOfModels(networks), sound, shifts=0, overlap=0.25)
    bag = speed.optimise(BagOfModels(networks))
    assert all("forward" in vars(part.crosstransformer.layers[0].linear1) for part in networks)
    assert difference(apply_model(bag, sound, shifts=0, overlap=0.25), stock) < -100


def test_twice_is_the_same_as_once():
    network = speed.optimise(make_network())
    once = network.crosstransformer.layers[0].linear1.forward
    assert speed.optimise(network).crosstransformer.layers[0].linear1.forward is once


def test_other_networks_and_bare_builds_are_left_alone(monkeypatch):
    other = torch.nn.Sequential(torch.nn.Linear(2, 2))
    assert speed.optimise(other) is other
    assert "forward" not in vars(other[0])

    def absent(*arguments):
        raise AttributeError("no such operation")

    monkeypatch.setattr(speed, "_linear", absent)
    network = speed.optimise(make_network())
    assert not any("forward" in vars(module) for module in network.modules())


def test_gradients_and_other_types_take_the_stock_way():
    network, sound = make_network(t_layers=1), make_sound()
    speed.optimise(network)
    network(sound).square().mean().backward()
    layer = network.crosstransformer.layers[0]
    assert layer.linear1.weight.grad.abs().sum() > 0
    assert layer.self_attn.in_proj_weight.grad.abs().sum() > 0
    layer = layer.double()
    with torch.no_grad():
        assert layer(torch.zeros(1, 4, 64, dtype=torch.float64)).dtype == torch.float64


def test_global_settings_are_as_before():
    def settings():
        return (
            torch.get_float32_matmul_precision(),
            torch.backends.mha.get_fastpath_enabled(),
            torch.get_num_threads(),
            torch.is_grad_enabled(),
            torch.get_default_dtype(),
        )

    before = settings()
    forward(speed.optimise(make_network()), make_sound())
    assert settings() == before


def test_kept_memory_ends_with_errors_too():
    def fail():
        with speed.reuse_freed_memory():
            assert torch.ones(1 << 20).sum() == 1 << 20
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail()
    with speed.reuse_freed_memory():
        assert torch.ones(1 << 20).sum() == 1 << 20


def test_kept_memory_does_nothing_where_the_library_cannot(monkeypatch):
    monkeypatch.setattr(speed.ctypes, "CDLL", lambda name: object())
    with speed.reuse_freed_memory():
        assert torch.ones(3).sum() == 3
