"""The mean of several states of a network, as a file."""

from pathlib import Path

import pytest
import torch

from pipeline.separation.engines.background.network.base import NetworkConfig
from pipeline.separation.engines.background.network.masks import build_network
from pipeline.separation.engines.background.network.notes import HINTS
from pipeline.separation.engines.background.network.weights import load_weights, save_weights
from pipeline.training import __main__ as commands
from pipeline.training.means import LOGIT_WEIGHTS, write_mean

CONFIG = NetworkConfig(architecture="tiles", deep_channels=8, floor=True, hints=True, notes=True)


def save(path: Path, config: NetworkConfig, seed: int, spread: float = 1.0) -> Path:
    torch.manual_seed(seed)
    state = {name: spread * torch.randn_like(value) for name, value in build_network(config).state_dict().items()}
    save_weights(state, config, path)
    return path


def test_the_mean_of_weights_is_written_and_its_logits_are_multiplied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [save(tmp_path / f"{seed}.safetensors", CONFIG, seed) for seed in (1, 2)]
    target = tmp_path / "mean.safetensors"
    threads = str(torch.get_num_threads())
    words = ["training", "--threads", threads, "mean", str(target), *map(str, paths), "--confidence", "0.8"]
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setattr(commands, "prepare_processor", lambda threads: None)
    commands.main()
    assert len(capsys.readouterr().out.strip()) == 64
    made, first, second = (load_weights(path).state_dict() for path in (target, *paths))
    assert set(LOGIT_WEIGHTS) <= set(made)
    for name, value in made.items():
        mean = (first[name] + second[name]) / 2 * (0.8 if name in LOGIT_WEIGHTS else 1.0)
        torch.testing.assert_close(value, mean, atol=2e-3, rtol=0)


def test_networks_of_different_sizes_have_no_mean(tmp_path: Path) -> None:
    other = NetworkConfig(architecture="tiles", deep_channels=16, floor=True, hints=True, notes=True)
    paths = [save(tmp_path / "a.safetensors", CONFIG, 1), save(tmp_path / "b.safetensors", other, 2)]
    with pytest.raises(ValueError, match="different sizes"):
        write_mean(paths, tmp_path / "mean.safetensors")


def test_logits_are_multiplied_and_nothing_else(tmp_path: Path) -> None:
    path = save(tmp_path / "a.safetensors", CONFIG, 1, spread=0.1)
    network = load_weights(path)
    write_mean([path], tmp_path / "b.safetensors", confidence=0.5)
    less_sure = load_weights(tmp_path / "b.safetensors")
    power = 0.01 * torch.rand(1, 64, network.stft.bins)
    notes = torch.rand(1, HINTS, 64, network.told_bins)
    with torch.no_grad():
        sure, unsure = network(power, notes).log(), less_sure(power, notes).log()
    for parts in ((0, 1), (1, 2)):
        odds = [logits[:, parts[0]] - logits[:, parts[1]] for logits in (sure, unsure)]
        torch.testing.assert_close(odds[1], 0.5 * odds[0], atol=0.05, rtol=0.02)
