"""The network that hears where a word passes into the next."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.speech.recognition.whisper.border_network import (
    BANDS,
    CONTEXT_HOPS,
    HOP,
    LETTERS_OF_WORD,
    REACH_HOPS,
    SAMPLE_RATE,
    BorderNetwork,
    Guess,
    compute_bands,
    hear,
    spell,
)

DATA = Path(__file__).parents[4] / "data"
REACH_SECONDS = (REACH_HOPS + 1) * HOP / SAMPLE_RATE


def noise(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)


def guess(middle: float, before: str = "hiss", after: str = "mood") -> Guess:
    return Guess(middle=middle, start=middle - 0.3, end=middle + 0.3, before=before, after=after)


def test_a_border_is_near_its_guess_and_no_word_begins_before_the_last_one_ends_by_much() -> None:
    found = BorderNetwork.load().find(compute_bands(noise(3.0)), [guess(0.5), guess(1.5), guess(2.9)])
    assert found.shape == (3, 2)
    assert (np.abs(found - np.array([[0.5], [1.5], [2.9]])) < REACH_SECONDS).all()
    assert (found[:, 1] - found[:, 0] > -0.05).all()


def test_without_a_guess_there_is_no_border() -> None:
    assert BorderNetwork.load().find(compute_bands(noise(1.0)), []).shape == (0, 2)


@pytest.mark.parametrize("samples", [0, 1, 159, 161, 4000])
def test_next_to_no_sound_has_the_context_of_a_border(samples: int) -> None:
    bands = compute_bands(np.zeros(samples, np.float32))
    assert bands.shape == (BANDS, samples // HOP + 1 + 2 * CONTEXT_HOPS)
    assert np.isfinite(BorderNetwork.load().find(bands, [guess(0.0), guess(samples / SAMPLE_RATE)])).all()


def test_how_loud_it_is_and_where_it_stands_does_not_matter() -> None:
    hum = (0.03 * np.cumsum(noise(0.8, 1))).astype(np.float32)
    sound = np.concatenate([noise(0.7), hum])
    later = np.concatenate([noise(1.0, 2), sound])
    network = BorderNetwork.load()
    here = network.find(compute_bands(sound), [guess(0.66)])
    assert network.find(compute_bands(sound * np.float32(4)), [guess(0.66)]) == pytest.approx(here, abs=0.005)
    assert network.find(compute_bands(later), [guess(1.66)]) - 1.0 == pytest.approx(here, abs=0.005)


def test_what_is_heard_has_its_guess_in_the_middle() -> None:
    bands = compute_bands(noise(2.0))
    heard = hear(bands, guess(1.0))
    assert heard.shape == (BANDS + 3, 2 * CONTEXT_HOPS + 1)
    assert heard[:BANDS, CONTEXT_HOPS] == pytest.approx(
        bands[:, 100 + CONTEXT_HOPS] - bands[:, 100:197].mean(), abs=1e-4
    )
    assert heard[BANDS:, CONTEXT_HOPS] == pytest.approx([0.0, 3.0, -3.0])


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("Hello,", "world.", ("hello", "world")),
        ("élan", "naïve", ("elan", "naive")),
        ("’tis", "o’clock", ("tis", "o'clock")),  # noqa: RUF001 - as people write it
        ("“Yes”", "-no", ("yes", "no")),
    ],
)
def test_words_are_spelled_without_accents_and_marks(before: str, after: str, same: tuple[str, str]) -> None:
    assert spell(before, after).tolist() == spell(*same).tolist()


def test_short_words_and_other_scripts_are_told_from_letters() -> None:
    assert spell("a", "").tolist() == [0, 0, 1, 0, 0, 0]
    assert len(set(spell("привет", "日本語").tolist())) == 1
    assert len(spell("", "")) == 2 * LETTERS_OF_WORD


def test_it_hears_the_borders_of_words_in_the_sample() -> None:
    """Each is guessed up to 0.12 s off. The truth is of another aligner, before which the plans that taught it lie."""
    sound = audio_io.resample(audio_io.read(DATA / "sample.speech.flac"), 48_000, SAMPLE_RATE)[:, 0]
    chance = np.random.default_rng(1)
    true, guesses = list[float](), list[Guess]()
    for last, after in pairwise(json.loads((DATA / "sample.words.json").read_text())):
        if after["start"] - last["end"] < 0.015:
            true.append(after["start"])
            middle = after["start"] + chance.uniform(-0.12, 0.12)
            names = {"before": last["text"], "after": after["text"]}
            guesses.append(Guess(middle=middle, start=last["start"], end=after["end"], **names))
    assert len(true) > 100
    off = BorderNetwork.load().find(compute_bands(sound), guesses) - np.array(true)[:, None]
    lag = np.median(off, axis=0)
    assert lag == pytest.approx([0.04, 0.09], abs=0.02)
    assert (np.median(np.abs(off - lag), axis=0) < 0.03).all()
    assert (np.quantile(np.abs(off - lag), 0.9, axis=0) < 0.1).all()


@pytest.mark.integration
def test_it_is_the_network_that_was_trained() -> None:
    import torch

    from tests.bench.border_training import Trained

    chance = np.random.default_rng(3)
    heard = chance.standard_normal((4, BANDS + 3, 2 * CONTEXT_HOPS + 1)).astype(np.float32)
    letters = chance.integers(0, 29, (4, 2 * LETTERS_OF_WORD))
    network, model = BorderNetwork.load(), Trained()
    model.load_state_dict({name: torch.from_numpy(array) for name, array in network.weights.items()})
    with torch.inference_mode():
        likely = model(torch.from_numpy(heard), torch.from_numpy(letters)).numpy()
    medians = network.locate(heard, letters)
    sums = np.concatenate((np.zeros((4, 2, 1)), likely.cumsum(2)), axis=2)
    edges = np.arange(2 * REACH_HOPS + 2) - REACH_HOPS - 0.5
    expected = [[np.interp(0.5, sums[row, side], edges) for side in range(2)] for row in range(4)]
    assert medians == pytest.approx(np.array(expected), abs=1e-3)
