from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.training.material import cache as material_cache
from pipeline.training.material import manifest
from pipeline.training.material.kinds import Kind, Split
from pipeline.training.mixes.mixing import CEILING, PARTS, Mixer, MixRecipe, happens
from pipeline.training.mixes.pool import load_pools
from pipeline.training.mixes.synthesis import crickets, fire, hum, machine, rain, room, stream, surf, wind


@pytest.fixture(scope="module")
def mixer(cache: Path) -> Mixer:
    sources = manifest.read(cache / material_cache.MANIFEST)
    return Mixer(load_pools(sources, cache, Split.TRAIN), MixRecipe(seconds=1.0, sample_rate=44_100))


def test_the_same_seed_makes_the_same_mix(mixer: Mixer) -> None:
    first, again, other = mixer.draw((1, 2, 3)), mixer.draw((1, 2, 3)), mixer.draw((1, 2, 4))
    np.testing.assert_array_equal(first.parts, again.parts)
    np.testing.assert_array_equal(first.background, again.background)
    assert not np.array_equal(first.parts, other.parts)


def test_a_batch_holds_backgrounds_and_their_parts(mixer: Mixer) -> None:
    backgrounds, parts = mixer.batch(seed=1, step=0, size=3)
    assert backgrounds.shape == (3, 44_100)
    assert parts.shape == (3, len(PARTS), 44_100)
    np.testing.assert_array_equal(parts[1], mixer.draw((1, 0, 1)).parts)


def test_mixes_are_finite_limited_and_of_many_kinds(mixer: Mixer) -> None:
    mixes = [mixer.draw((5, index)) for index in range(80)]
    sounding = [tuple(np.abs(mix.parts).max(axis=1) > 0) for mix in mixes]
    leaking = [bool(np.abs(mix.leakage).max() > 0) for mix in mixes]
    assert {sum(parts) for parts in sounding} == {0, 1, 2, 3}
    assert all(any(parts[index] for parts in sounding) for index in range(len(PARTS)))
    assert 20 < sum(leaking) < 60
    for mix in mixes:
        assert mix.parts.dtype == np.float32
        assert np.isfinite(mix.parts).all()
        assert np.abs(mix.background).max() < 1.3 * CEILING
        np.testing.assert_allclose(mix.background, mix.parts.sum(axis=0) + mix.leakage, atol=1e-6)


def test_what_cannot_happen_draws_no_number() -> None:
    """The mixes of the frozen test list depend on the order in which numbers are drawn."""
    generator = np.random.default_rng(1)
    assert not happens(generator, 0.0)
    assert generator.random() == np.random.default_rng(1).random()


def test_effects_are_made_layered_or_recorded(cache: Path) -> None:
    pools = load_pools(manifest.read(cache / material_cache.MANIFEST), cache, Split.TRAIN)
    plain = replace(MixRecipe(seconds=1.0, sample_rate=44_100), synthetic_effects=0.0, layered_effects=0.0)
    recipes = (plain, replace(plain, synthetic_effects=1.0), replace(plain, layered_effects=1.0))
    batches = [Mixer(pools, recipe).batch(seed=2, step=0, size=8)[1][:, PARTS.index(Kind.SFX)] for recipe in recipes]
    for batch in batches:
        assert np.isfinite(batch).all()
        assert (np.abs(batch).max(axis=1) > 0).sum() >= 3
    assert not np.array_equal(batches[0], batches[1])
    assert not np.array_equal(batches[0], batches[2])


@pytest.mark.parametrize("make", [rain, wind, hum, room, surf, fire, stream, crickets, machine])
def test_beds_are_finite_and_sound(make) -> None:
    for seed in range(5):
        bed = make(np.random.default_rng(seed), 30_011, 44_100)
        assert bed.shape == (30_011,)
        assert np.isfinite(bed).all()
        assert bed.std() > 0
