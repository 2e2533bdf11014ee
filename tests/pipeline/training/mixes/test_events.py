import numpy as np
import pytest

from pipeline.training.mixes.events import JITTER_FRAMES, LOUDEST_S, MAKERS, draw_event, engine

RATE = 44_100


@pytest.mark.parametrize("make", list(dict.fromkeys(MAKERS)))
def test_events_are_finite_sound_and_differ(make) -> None:
    made = [make(np.random.default_rng(seed), RATE) for seed in range(10)]
    for event in made:
        assert event.dtype == np.float32
        assert 0.001 * RATE < len(event) < 8 * RATE
        assert np.isfinite(event).all()
        assert event.std() > 0
    assert len({len(event) for event in made} | {float(event.std()) for event in made}) > 10


def test_an_engine_may_be_as_long_as_its_jitter_lasts() -> None:
    """Its points were miscounted when the last lay on the end of the sound."""
    made = engine(np.random.default_rng(269), RATE)
    assert len(made) % JITTER_FRAMES == 0
    assert np.isfinite(made).all()


def test_the_same_seed_makes_the_same_event() -> None:
    first, again = (draw_event(np.random.default_rng(3), 2.0, RATE) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("seed", range(12))
def test_events_are_as_loud_as_they_are_said_to_be_and_not_too_long(seed: int) -> None:
    event = draw_event(np.random.default_rng(seed), 1.5, RATE)
    assert len(event) <= 1.5 * RATE
    block = min(len(event), int(LOUDEST_S * RATE))
    power = np.lib.stride_tricks.sliding_window_view(event.astype(np.float64) ** 2, block)[::50].mean(axis=1)
    assert np.sqrt(power.max()) == pytest.approx(0.1, rel=0.2)
