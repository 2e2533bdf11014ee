"""From recordings to weights, in seconds."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from pipeline.separation.engines.background.network.base import NetworkConfig
from pipeline.separation.engines.background.network.masks import build_network
from pipeline.separation.engines.background.network.weights import load_weights, save_weights
from pipeline.training.baselines import split_at_the_floor
from pipeline.training.evaluation import HeldOut, PartFigures, bootstrap_interval, summary
from pipeline.training.losses import si_sdr
from pipeline.training.material import cache as material_cache
from pipeline.training.material import manifest
from pipeline.training.material.kinds import Split
from pipeline.training.mixes.mixing import Mixer, MixRecipe, evaluation_recipe
from pipeline.training.mixes.pool import load_pools
from pipeline.training.training import LOG, WEIGHTS, Trainer, TrainingConfig
from tests.pipeline.training import sounds

NETWORK = NetworkConfig(bands=8, features=8, hidden=8, mixer=16, layers=1, lookahead=2)
TRAINING = TrainingConfig(batch=2, budget_s=1.0, cooldown=0.5, log_every_steps=1, evaluate_every_s=100, warmup_steps=2)


@pytest.fixture
def trainer_in(cache: Path):
    sources = manifest.read(cache / material_cache.MANIFEST)
    mixer = Mixer(load_pools(sources, cache, Split.TRAIN), MixRecipe(seconds=0.5, sample_rate=44_100))
    valid = Mixer(load_pools(sources, cache, Split.VALID), evaluation_recipe(seconds=0.5, v3_share=0.5))

    def build(folder: Path) -> Trainer:
        torch.manual_seed(1)
        return Trainer(build_network(NETWORK), mixer, HeldOut(valid, 4, 7), TRAINING, folder)

    return build


def test_recordings_become_weights_and_training_goes_on(trainer_in, tmp_path: Path) -> None:
    trainer_in(tmp_path).run()
    rows = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [row["event"] for row in rows if row["event"] != "step"] == ["start", "held_out"]
    assert {"gain_db", "leakage_db", "mixes"} <= set(rows[-1]["music"])
    first = rows[-1]["step"]
    assert first > 0
    again = trainer_in(tmp_path)
    assert again.step == first
    again.run()
    assert again.step > first
    network = load_weights(tmp_path / WEIGHTS)
    assert network.config == NETWORK
    waves = torch.randn(1, 2, 10_000)
    torch.testing.assert_close(network.separate(waves, 44_100).sum(dim=1), waves, atol=1e-5, rtol=0)


def test_the_noise_floor_parts_a_bed_from_a_knock() -> None:
    bed, knock = torch.from_numpy(sounds.noise(6.0, level=0.02)), torch.zeros(6 * sounds.RATE)
    knock[3 * sounds.RATE :][: len(sounds.knock())] = torch.from_numpy(sounds.knock())
    music, events, ambience = split_at_the_floor((bed + knock)[None, None])[0, :, 0]
    torch.testing.assert_close(music, bed + knock)
    torch.testing.assert_close(events + ambience, bed + knock)
    assert si_sdr(ambience, bed) > si_sdr(bed + knock, bed) + 3
    assert si_sdr(events, knock) > si_sdr(bed + knock, knock) + 3


def test_weights_are_halves_and_hold_no_code(tmp_path: Path) -> None:
    network = build_network(NETWORK)
    digest = save_weights(network.state_dict(), NETWORK, tmp_path / "w.safetensors")
    assert len(digest) == 64
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    power = torch.rand(1, 5, 1025)
    torch.testing.assert_close(load_weights(tmp_path / "w.safetensors")(power), network(power), atol=0.01, rtol=0)


def test_ideal_masks_gain_and_nothing_gains_nothing(cache: Path) -> None:
    sources = manifest.read(cache / material_cache.MANIFEST)
    pools = load_pools(sources, cache, Split.VALID)
    held_out = HeldOut(Mixer(pools, evaluation_recipe(seconds=1.0, v3_share=0.0)), 6, 3)
    ideal = {name: summary(figures) for name, figures in held_out.measure_ideal().items()}
    fixed = {name: summary(figures) for name, figures in held_out.measure_fixed().items()}
    same = held_out.measure(lambda waves: waves[:, None].expand(-1, 3, -1, -1))
    assert all(part["gain_db"] > 1 for part in ideal.values())
    assert all(fixed[name]["gain_db"] < ideal[name]["gain_db"] for name in ideal)
    assert max(part["gain_db"] for part in fixed.values()) > 0.1
    assert all(abs(summary(figures)["gain_db"]) < 1e-3 for figures in same.values())
    low, high = bootstrap_interval([1.0, 2.0, 3.0, 4.0])
    assert 1 <= low <= 2.5 <= high <= 4


def test_mixes_of_one_part_alone_are_left_out_of_one_figure() -> None:
    figures = PartFigures(gain_db=[-90.0, 1.0, 3.0], input_db=[120.0, 0.0, 5.0], sdr_db=[30.0, 1.0, 2.0], leakage_db=[])
    assert (summary(figures)["gain_db"], summary(figures)["gain_in_company_db"]) == (1.0, 2.0)
