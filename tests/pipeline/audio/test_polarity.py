"""What one channel hears: nothing that is inverted in another channel is lost, and stereo stays as it is."""

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.channels import LAYOUTS, default_layout
from pipeline.audio.polarity import PolarityMeter, mix_heard

RATE = 16_000
SECONDS = 8


def speech_like(seed: int = 1) -> np.ndarray:
    """Noise in syllables with pauses between them, shape (samples,)."""
    generator = np.random.default_rng(seed)
    time = np.arange(SECONDS * RATE) / RATE
    swell = np.clip(np.sin(2 * np.pi * 3 * time + seed), 0, 1) * (np.sin(2 * np.pi * 0.4 * time) > -0.6)
    return 0.2 * swell * generator.standard_normal(len(time))


def noise(level: float) -> np.ndarray:
    """Noise of another source in each channel."""
    return level * np.random.default_rng(7).standard_normal((SECONDS * RATE, 2))


def stereo(left: np.ndarray, right: np.ndarray) -> audio_io.Samples:
    return np.stack([left, right], axis=1).astype(np.float32)


def hear(samples: audio_io.Samples, block: int = 7777) -> tuple[audio_io.Samples, bool]:
    """The mono sound, made block by block, and whether something was turned round."""
    layout = default_layout(2)
    meter = PolarityMeter(layout, RATE)
    for start in range(0, len(samples), block):
        meter.add(samples[start : start + block])
    polarity = meter.find()
    parts = (
        mix_heard(samples[start : start + 5000], layout.dialogue_weights, polarity, start)
        for start in range(0, len(samples), 5000)
    )
    return np.concatenate(list(parts)), polarity is not None


def decibels(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))


TIME = np.arange(SECONDS * RATE) / RATE
VOICE = speech_like()
INVERTED: dict[str, audio_io.Samples] = {
    "all of it": stereo(VOICE, -VOICE),
    "quieter on the right": stereo(VOICE, -0.3 * VOICE),
    "quieter on the left": stereo(0.5 * VOICE, -VOICE),
    "with other sounds": (stereo(VOICE, -VOICE) + noise(0.03)).astype(np.float32),
    "half of the clip": stereo(VOICE, np.where(TIME > 4, -VOICE, VOICE)),
    "one second": stereo(VOICE, np.where((TIME > 3) & (TIME < 4), -VOICE, VOICE)),
    "now and then": stereo(VOICE, np.where(TIME % 2 < 1, -VOICE, VOICE)),
    "half a second in turn": stereo(VOICE, np.where(TIME % 1 < 0.5, -0.8 * VOICE, VOICE)),
    "very soft": stereo(VOICE, -VOICE) * np.float32(0.001),
    "a third of a second": stereo(VOICE, -VOICE)[2 * RATE : 2 * RATE + RATE // 3],
    "ten milliseconds": stereo(VOICE, -VOICE)[int(VOICE.argmax()) :][: RATE // 100],
}
PLAIN: dict[str, audio_io.Samples] = {
    "the same in both": stereo(VOICE, VOICE),
    "two sources": noise(0.2).astype(np.float32),
    "one channel": stereo(VOICE, 0 * VOICE),
    "a room": stereo(VOICE, np.roll(VOICE, 8) + np.roll(speech_like(2), 99)),
    "panned": stereo(VOICE + 0.2 * speech_like(2), 0.2 * VOICE + speech_like(2)),
    "silence": stereo(0 * VOICE, 0 * VOICE),
    "one sample": stereo(VOICE, VOICE)[:1],
}


@pytest.mark.parametrize("samples", INVERTED.values(), ids=INVERTED.keys())
def test_what_is_inverted_is_heard(samples: audio_io.Samples) -> None:
    heard, turned = hear(samples)
    assert turned
    assert len(heard) == len(samples)
    louder = max(decibels(samples[:, 0]), decibels(samples[:, 1]))
    assert louder - 3.0 <= decibels(heard) <= louder + 0.5
    for start in range(0, len(samples) - RATE, RATE):
        part = slice(start, start + RATE)
        wanted = max(decibels(samples[part, 0]), decibels(samples[part, 1]))
        assert wanted < louder - 6 or decibels(heard[part]) >= wanted - 3.0


@pytest.mark.parametrize("samples", PLAIN.values(), ids=PLAIN.keys())
def test_stereo_is_the_mean_bit_for_bit(samples: audio_io.Samples) -> None:
    heard, turned = hear(samples)
    assert not turned
    np.testing.assert_array_equal(heard, audio_io.mix_to_mono(samples, (0.5, 0.5)))


def test_the_size_of_blocks_does_not_matter() -> None:
    for samples in (INVERTED["now and then"], INVERTED["with other sounds"]):
        np.testing.assert_array_equal(hear(samples, 100)[0], hear(samples, len(samples))[0])


@pytest.mark.parametrize("name", ["quad", "5.1", "5.1(side)", "7.1"])
def test_an_inverted_pair_of_a_surround_sound_is_heard(name: str) -> None:
    layout = LAYOUTS[name]
    samples = np.zeros((len(VOICE), len(layout.channels)), np.float32)
    samples[:, layout.channels.index("FL")], samples[:, layout.channels.index("FR")] = VOICE, -VOICE
    meter = PolarityMeter(layout, RATE)
    meter.add(samples)
    polarity = meter.find()
    heard = mix_heard(samples, layout.dialogue_weights, polarity, 0)
    assert decibels(heard) > decibels(VOICE) - 3.0
