import numpy as np

from pipeline.training.material.kinds import Kind
from pipeline.training.material.sorting import is_ambient, is_music, largest_onset, sort_effect
from tests.pipeline.training import sounds


def kinds(samples: sounds.Mono) -> list[Kind]:
    return [stretch.kind for stretch in sort_effect(samples, sounds.RATE)]


def test_steady_noise_is_ambience() -> None:
    assert is_ambient(sounds.noise(5), sounds.RATE)
    assert kinds(sounds.noise(5)) == [Kind.AMBIENT]


def test_ambience_lasts_four_seconds() -> None:
    assert kinds(sounds.noise(3.9)) == [Kind.SFX]


def test_a_knock_is_an_effect() -> None:
    assert kinds(sounds.knock()) == [Kind.SFX]
    assert kinds(np.concatenate([sounds.knock(1, seed) for seed in range(8)])) == [Kind.SFX]


def test_noise_that_fades_is_an_effect() -> None:
    fade = np.exp(-np.arange(8 * sounds.RATE) / sounds.RATE).astype(np.float32)
    assert kinds(sounds.noise(8) * fade) == [Kind.SFX]


def test_a_bang_parts_a_bed_in_two() -> None:
    bed = sounds.noise(12, level=0.01)
    bed[round(5.5 * sounds.RATE) : round(5.9 * sounds.RATE)] += sounds.knock()
    assert largest_onset(bed, sounds.RATE) > 12
    stretches = sort_effect(bed, sounds.RATE)
    assert [stretch.kind for stretch in stretches] == [Kind.AMBIENT, Kind.AMBIENT]
    assert stretches[0].end <= 5.5 * sounds.RATE
    assert stretches[1].start >= 5.9 * sounds.RATE
    assert stretches[1].end == len(bed)


def test_music_among_effects_is_left_out() -> None:
    assert is_music(sounds.melody(8), sounds.RATE)
    assert kinds(sounds.melody(8)) == []
    assert not is_music(sounds.noise(8), sounds.RATE)
