"""Effects that need no recording: knocks, steps, doors, whooshes, engines, alarms, drops, glass, shots, keys.

Most are bursts of noise or decaying tones, after the physics of what sounds in short; their numbers are drawn
from wide ranges, so that no two are alike.
"""

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.training.mixes.synthesis import shaped_noise, turns
from pipeline.training.transforms import convolve

Mono = NDArray[np.float32]
Generator = np.random.Generator
JITTER_FRAMES = 400
LOUDEST_S = 0.4
"""Block whose loudest place sets the level of an event, as the gate of loudness does."""


def draw_event(generator: Generator, max_s: float, sample_rate: int) -> Mono:
    """Make an effect of a kind drawn by chance.

    Args:
        generator: Source of chance.
        max_s: Length at most.
        sample_rate: In Hz.

    Returns:
        Shape (frames,), with RMS 0.1 in its loudest block.

    """
    made = MAKERS[int(generator.integers(len(MAKERS)))](generator, sample_rate)[: int(max_s * sample_rate)]
    block = min(len(made), int(LOUDEST_S * sample_rate))
    total = np.cumsum(np.append(0.0, made.astype(np.float64) ** 2))
    power = (total[block:] - total[:-block]).max() / block
    return np.asarray(made * (0.1 / np.sqrt(power + 1e-12)), np.float32)


def impact(generator: Generator, sample_rate: int) -> Mono:
    """A body that is struck, once or while it comes to rest: decaying modes and a click."""
    body = _modes(
        generator,
        sample_rate,
        lowest_hz=_logarithmic(generator, 60, 2500),
        count=int(generator.integers(4, 30)),
        decay_s=_logarithmic(generator, 0.02, 1.2),
        damping=generator.uniform(0.2, 1.2),
    )
    click = _burst(generator, sample_rate, _logarithmic(generator, 0.002, 0.03), _logarithmic(generator, 300, 9000))
    body[: len(click)] += generator.uniform(0, 1) * click[: len(body)]
    if generator.random() < 0.6:
        return body
    gaps = generator.uniform(0.08, 0.35) * generator.uniform(0.6, 0.9) ** np.arange(generator.integers(2, 12))
    strengths = generator.uniform(0.6, 0.9) ** np.arange(len(gaps))
    return _at(np.cumsum(gaps) - gaps[0], strengths, body, sample_rate)


def steps(generator: Generator, sample_rate: int) -> Mono:
    """Footsteps: heel and toe, on ground that is hard or crunches."""
    count, period = int(generator.integers(1, 7)), generator.uniform(0.25, 0.75)
    made: list[tuple[float, Mono]] = []
    corner = _logarithmic(generator, 150, 5000)
    for index in range(count):
        time = index * period + generator.normal(0, 0.02)
        made.append((time, _burst(generator, sample_rate, generator.uniform(0.02, 0.08), corner)))
        made.append(
            (
                time + generator.uniform(0.05, 0.12),
                0.5 * _burst(generator, sample_rate, generator.uniform(0.02, 0.15), corner * generator.uniform(1, 3)),
            )
        )
    return _placed(made, sample_rate)


def door(generator: Generator, sample_rate: int) -> Mono:
    """A creak of slips that resonate, and a slam."""
    duration = generator.uniform(0.2, 1.5)
    first, last = (float(rate) for rate in generator.uniform(15, 150, 2))
    rate = np.linspace(first, last, int(duration * sample_rate))
    phase = np.cumsum(rate * (1 + 0.1 * generator.standard_normal(len(rate)))) / sample_rate
    slips = np.diff(np.floor(phase), prepend=0).astype(np.float32)
    wood = _modes(generator, sample_rate, _logarithmic(generator, 200, 1200), 8, 0.03, 0.4)
    creak = convolve(slips, wood) * np.hanning(len(slips)).astype(np.float32)
    slam = _burst(generator, sample_rate, generator.uniform(0.05, 0.3), _logarithmic(generator, 80, 600))
    made = [(0.0, creak * generator.uniform(0, 1)), (duration, _unit(slam) * generator.uniform(0, 1))]
    return _placed(made, sample_rate)


def whoosh(generator: Generator, sample_rate: int) -> Mono:
    """Noise that swells and fades while its band moves."""
    frames = int(generator.uniform(0.15, 1.5) * sample_rate)
    centres = _logarithmic(generator, 200, 4000) * 2 ** generator.uniform(-1.5, 1.5, 2)
    low, high = (_band(generator, frames, sample_rate, centre, generator.uniform(0.3, 1.5)) for centre in centres)
    share = np.linspace(0, 1, frames, dtype=np.float32)
    swell = np.abs(np.sin(np.pi * share ** generator.uniform(0.5, 2))) ** generator.uniform(1, 3)
    return np.asarray((low * (1 - share) + high * share) * swell, np.float32)


def engine(generator: Generator, sample_rate: int) -> Mono:
    """Harmonics that jitter around a gliding pitch, and exhaust noise in their rhythm."""
    frames = int(generator.uniform(0.5, 4) * sample_rate)
    glide = np.interp(np.arange(frames), np.linspace(0, frames, 4), generator.uniform(0.7, 1.4, 4))
    places = np.arange(0, frames + JITTER_FRAMES, JITTER_FRAMES)
    jitter = np.interp(np.arange(frames), places, generator.normal(1, 0.03, len(places)))
    phase = turns(_logarithmic(generator, 20, 250) / sample_rate * glide * jitter)
    tilt = generator.uniform(0.4, 1.5)
    tones = sum(
        np.sin(n * phase + np.float32(generator.uniform(0, 6))) / np.float32(n**tilt)
        for n in range(1, int(generator.integers(4, 25)))
    )
    noise = _low(generator, frames, sample_rate, _logarithmic(generator, 300, 4000))
    made = tones + np.float32(generator.uniform(0.2, 2)) * noise * (1 + np.sin(phase))
    return _eased(np.asarray(made, np.float32), generator, sample_rate)


def alarm(generator: Generator, sample_rate: int) -> Mono:
    """A siren, a beeper or a bell: a tone whose pitch or strength is switched or swept."""
    frames = int(generator.uniform(0.3, 3) * sample_rate)
    turn = (np.arange(frames) / sample_rate * _logarithmic(generator, 0.3, 20)) % 1
    shape = (turn < 0.5, turn, 1 - turn, np.sin(2 * np.pi * turn))[int(generator.integers(4))]
    phase = (
        2
        * np.pi
        * np.cumsum(
            _logarithmic(generator, 300, 3500) * (1 + generator.choice([0.0, generator.uniform(0.02, 0.8)]) * shape)
        )
    )
    overtones = generator.integers(1, 8)
    tone = sum(np.sin(n * phase / sample_rate) / n for n in range(1, 1 + 2 * int(overtones), 2))
    strength = (turn < generator.uniform(0.3, 0.9)) if generator.random() < 0.5 else 1.0
    return _eased(np.asarray(tone * strength, np.float32), generator, sample_rate)


def drops(generator: Generator, sample_rate: int) -> Mono:
    """Bubbles: tones that rise while they decay."""
    made: list[tuple[float, Mono]] = []
    spread = generator.uniform(0.05, 1.5)
    for _ in range(int(generator.integers(1, 25))):
        time = np.arange(int(generator.uniform(0.02, 0.15) * sample_rate)) / sample_rate
        pitch = _logarithmic(generator, 250, 3000) * (1 + generator.uniform(0, 8) * time)
        bubble = np.sin(2 * np.pi * np.cumsum(pitch) / sample_rate) * np.exp(-time * generator.uniform(20, 120))
        made.append((generator.uniform(0, spread), np.asarray(bubble * generator.exponential(1), np.float32)))
    return _placed(made, sample_rate)


def glass(generator: Generator, sample_rate: int) -> Mono:
    """A crack and shards that ring high."""
    made = [(0.0, _burst(generator, sample_rate, 0.03, 6000))]
    for _ in range(int(generator.integers(5, 30))):
        shard = _modes(
            generator, sample_rate, _logarithmic(generator, 1500, 8000), 5, generator.uniform(0.02, 0.2), 0.2
        )
        made.append((generator.exponential(0.2), _unit(shard) * generator.uniform(0.05, 0.4)))
    return _placed(made, sample_rate)


def shot(generator: Generator, sample_rate: int) -> Mono:
    """One shot, a volley or an explosion: a crack and a rumble that dies away, driven into saturation."""
    rumble = _burst(generator, sample_rate, _logarithmic(generator, 0.05, 1.2), _logarithmic(generator, 60, 1500))
    crack = _burst(generator, sample_rate, _logarithmic(generator, 0.005, 0.08), _logarithmic(generator, 1000, 12_000))
    made = _unit(rumble) * generator.uniform(0.2, 1)
    made[: len(crack)] += _unit(crack)[: len(made)] * generator.uniform(0.1, 1)
    made = np.tanh(made * generator.uniform(1, 20)).astype(np.float32)
    if generator.random() < 0.6:
        return made
    times = np.arange(generator.integers(2, 15)) * generator.uniform(0.05, 0.25)
    return _at(times, generator.uniform(0.6, 1, len(times)), made, sample_rate)


def keys(generator: Generator, sample_rate: int) -> Mono:
    """Clicks of keys, switches or tools, in no rhythm or in one."""
    count = int(generator.integers(1, 16))
    gaps = generator.gamma(generator.choice([2.0, 60.0]), 1, count)
    times = np.cumsum(gaps / gaps.mean() * generator.uniform(0.05, 0.3))
    click = _modes(generator, sample_rate, _logarithmic(generator, 500, 5000), 8, generator.uniform(0.003, 0.03), 0.3)
    return _at(times - times[0], generator.uniform(0.4, 1, count), click, sample_rate)


def rustle(generator: Generator, sample_rate: int) -> Mono:
    """Cloth, paper or gravel: noise in many small strokes."""
    frames = int(generator.uniform(0.2, 2) * sample_rate)
    strokes = np.interp(
        np.arange(frames),
        np.linspace(0, frames, max(4, frames // 1500)),
        generator.gamma(0.5, 1, max(4, frames // 1500)),
    )
    noise = _band(generator, frames, sample_rate, _logarithmic(generator, 800, 8000), generator.uniform(0.6, 2))
    return np.asarray(noise * strokes * np.hanning(frames), np.float32)


def call(generator: Generator, sample_rate: int) -> Mono:
    """Animals and machines that chirp: short glides of a tone with overtones, some of them rough."""
    made: list[tuple[float, Mono]] = []
    pitch, gap = _logarithmic(generator, 150, 5000), generator.uniform(0.08, 0.5)
    duration = _logarithmic(generator, 0.04, 0.5)
    bend, overtones = generator.uniform(-1.2, 1.2, 3), int(generator.integers(1, 10))
    rough = generator.choice([0.0, generator.uniform(0, 1)])
    for index in range(int(generator.integers(1, 8))):
        share = np.linspace(0, 1, int(duration * sample_rate))
        glide = pitch * 2 ** (np.interp(share, [0, 0.5, 1], bend) + generator.normal(0, 0.05))
        phase = 2 * np.pi * np.cumsum(glide) / sample_rate
        tone = sum(np.sin(n * phase) / n**1.2 for n in range(1, overtones + 1))
        tone = tone * (1 + rough * generator.standard_normal(len(share))) * np.abs(np.sin(np.pi * share)) ** 0.7
        made.append((index * gap, np.asarray(tone, np.float32)))
    return _placed(made, sample_rate)


MAKERS = (impact, impact, steps, door, whoosh, engine, alarm, drops, glass, shot, shot, keys, rustle, call)


def _modes(
    generator: Generator, sample_rate: int, lowest_hz: float, count: int, decay_s: float, damping: float
) -> Mono:
    """Decaying tones; the higher, the sooner they die away."""
    pitches = lowest_hz * np.cumsum(np.append(1.0, generator.uniform(0.1, 1.2, count - 1)))
    pitches = pitches[pitches < sample_rate / 2.2]
    time = np.arange(int(min(2.0, 5 * decay_s) * sample_rate), dtype=np.float32) / np.float32(sample_rate)
    made = np.zeros(len(time), np.float32)
    for pitch in pitches:
        rate = (pitch / lowest_hz) ** damping / decay_s
        alive = time[: int(min(1.0, 8 / rate / (len(time) / sample_rate)) * len(time)) + 1]
        tone = np.sin(np.float32(2 * np.pi * pitch) * alive + np.float32(generator.uniform(0, 6)))
        made[: len(alive)] += tone * np.exp(np.float32(-rate) * alive) * np.float32(generator.uniform(0.1, 1))
    return made


def _burst(generator: Generator, sample_rate: int, decay_s: float, corner_hz: float) -> Mono:
    """Noise below a corner that decays."""
    frames = int(5 * decay_s * sample_rate) + 32
    noise = _low(generator, frames, sample_rate, corner_hz)
    return np.asarray(noise * np.exp(-np.arange(frames) / (decay_s * sample_rate)), np.float32)


def _low(generator: Generator, frames: int, sample_rate: int, corner_hz: float) -> Mono:
    return shaped_noise(generator, frames, sample_rate, lambda f: 1 / (1 + (f / corner_hz) ** 2))


def _band(generator: Generator, frames: int, sample_rate: int, centre_hz: float, octaves: float) -> Mono:
    return shaped_noise(
        generator, frames, sample_rate, lambda f: np.exp(-((np.log2((f + 1) / centre_hz) / octaves) ** 2))
    )


def _eased(samples: Mono, generator: Generator, sample_rate: int) -> Mono:
    """Let a sound begin and end within 5 to 500 ms each."""
    made = samples.copy()
    for turned in (made, made[::-1]):
        frames = min(len(made) // 2, int(_logarithmic(generator, 0.005, 0.5) * sample_rate))
        turned[:frames] *= np.linspace(0, 1, frames, dtype=np.float32)
    return made


def _at(times: NDArray[np.floating], strengths: NDArray[np.floating], sound: Mono, sample_rate: int) -> Mono:
    made = np.zeros(int(float(times.max()) * sample_rate) + len(sound) + 1, np.float32)
    for time, strength in zip(times, strengths, strict=True):
        start = int(time * sample_rate)
        made[start : start + len(sound)] += np.float32(strength) * sound
    return made


def _placed(sounds: list[tuple[float, Mono]], sample_rate: int) -> Mono:
    """All sounds, each from its second on."""
    starts = [max(0, int(time * sample_rate)) for time, _ in sounds]
    made = np.zeros(max(start + len(sound) for start, (_, sound) in zip(starts, sounds, strict=True)), np.float32)
    for start, (_, sound) in zip(starts, sounds, strict=True):
        made[start : start + len(sound)] += sound
    return made


def _unit(samples: Mono) -> Mono:
    return samples / np.float32(np.abs(samples).max() + 1e-9)


def _logarithmic(generator: Generator, low: float, high: float) -> float:
    """Draw evenly on a logarithmic scale."""
    return math.exp(generator.uniform(math.log(low), math.log(high)))
