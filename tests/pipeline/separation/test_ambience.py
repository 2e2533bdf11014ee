"""The bed and the events of effects, on sounds whose parts are known."""

import numpy as np
import pytest

from pipeline.separation.ambience import FLOOR_SPAN_SECONDS, extract_ambience
from tests.pipeline.separation.measure import si_sdr

RATE = 16_000
SECONDS = 8


def bed_of(samples, *, block=5_000, rate=RATE):
    blocks = (np.asarray(samples[at : at + block], np.float32) for at in range(0, len(samples), block))
    return np.concatenate(list(extract_ambience(blocks, rate, samples.shape[1], len(samples))))


def steady_noise(seed=1):
    """Rain: noise that does not change, darker towards the top."""
    white = np.random.default_rng(seed).standard_normal(RATE * SECONDS)
    return 0.05 * np.convolve(white, np.hanning(7) / 3, "same")[:, None]


def hum():
    time = np.arange(RATE * SECONDS) / RATE
    tones = [np.sin(2 * np.pi * 50 * k * time + k) / k for k in range(1, 8)]
    return 0.05 * np.sum(tones, axis=0)[:, None]


def events():
    """Clicks and tones that die away, one or two a second."""
    samples = np.zeros(RATE * SECONDS)
    time = np.arange(RATE // 2) / RATE
    for index, at in enumerate(np.arange(0.4, SECONDS - 0.6, 0.7)):
        sound = np.exp(-time * 12) * np.sin(2 * np.pi * (300 + 170 * index) * time)
        if index % 2:
            sound = np.exp(-time * 60) * np.random.default_rng(index).standard_normal(len(time))
        samples[int(at * RATE) :][: len(sound)] += 0.4 * sound
    return samples[:, None]


@pytest.mark.parametrize("bed", [steady_noise(), hum()], ids=["rain", "hum"])
@pytest.mark.parametrize("level", [-6, 0, 6])
def test_both_parts_come_out_cleaner_than_the_effects_were(bed, level):
    loud = events() * 10 ** (level / 20)
    mixed = bed + loud
    ambient = bed_of(mixed)
    assert si_sdr(ambient, bed) > si_sdr(mixed, bed) + 3
    assert si_sdr(mixed - ambient, loud) > si_sdr(mixed, loud) + 5


@pytest.mark.parametrize("bed", [steady_noise(), hum()], ids=["rain", "hum"])
def test_a_bed_alone_stays_whole(bed):
    assert si_sdr(bed_of(bed), bed) > 18


def test_events_alone_stay_whole():
    assert si_sdr(events() - bed_of(events()), events()) > 30


def test_an_attack_is_kept_to_the_sample():
    bed, knock = steady_noise(), np.zeros((RATE * SECONDS, 1))
    knock[RATE * 4 : RATE * 4 + 200, 0] = 0.8 * np.exp(-np.arange(200) / 60) * np.cos(np.arange(200) / 3)
    sfx = bed + knock - bed_of(bed + knock)
    assert int(np.abs(sfx).argmax()) == RATE * 4
    assert sfx[RATE * 4, 0] > 0.6
    assert np.abs(sfx[: RATE * 4 - RATE // 10]).max() < 0.05


def test_the_bed_is_as_loud_under_an_event_as_beside_it():
    bed = steady_noise()
    burst = np.zeros_like(bed)
    burst[RATE * 4 : RATE * 4 + RATE // 2] = 0.3 * np.random.default_rng(9).standard_normal((RATE // 2, 1))
    ambient = bed_of(bed + burst)
    under, beside = ambient[RATE * 4 : RATE * 4 + RATE // 2], ambient[RATE * 2 : RATE * 3]
    assert abs(20 * np.log10(np.std(under) / np.std(beside))) < 4


def test_an_event_at_one_side_leaves_the_other_side_alone():
    bed = np.hstack([steady_noise(1), steady_noise(2)])
    mixed = bed + np.hstack([events(), np.zeros_like(events())])
    np.testing.assert_array_equal(bed_of(mixed)[:, 1:], bed_of(bed[:, 1:]))


@pytest.mark.parametrize("block", [1, 777, RATE * SECONDS])
def test_the_size_of_blocks_changes_nothing(block):
    samples = (steady_noise() + events())[: RATE if block == 1 else None]
    np.testing.assert_array_equal(bed_of(samples, block=block), bed_of(samples))


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
@pytest.mark.parametrize("frames", [1, 2, 3_000, 50_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_length_comes_back(rate, frames, channels):
    made = bed_of(np.random.default_rng(1).uniform(-1, 1, (frames, channels)), rate=rate)
    assert made.shape == (frames, channels)
    assert np.isfinite(made).all()
    assert np.abs(made).max() < 2


def test_silence_stays_silent():
    assert not bed_of(np.zeros((RATE * 2, 2))).any()


def test_a_steady_offset_is_bed():
    offset = np.full((RATE * 4, 1), 0.5)
    np.testing.assert_allclose(bed_of(offset)[RATE // 4 : -RATE // 4], 0.5, atol=0.005)


def test_it_never_reads_further_ahead_than_it_says():
    read = 0

    def blocks():
        nonlocal read
        for _ in range(40 * 5):
            read += RATE // 5
            yield np.full((RATE // 5, 1), 0.1, np.float32)

    given = 0
    for block in extract_ambience(blocks(), RATE, 1, RATE * 40):
        given += len(block)
        assert read - given <= RATE * (FLOOR_SPAN_SECONDS / 2 + 1)
    assert given == RATE * 40
