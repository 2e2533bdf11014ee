"""Mixes made on the fly after the Divide and Remaster recipes, the same for the same seed.

A mix is a background as a voice separator leaves it: music, effects, ambience, and a little of the
speech. Its parts are drawn, changed and set to a loudness each, and one limiter works on all of them.
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipeline.training.material.kinds import Kind
from pipeline.training.material.sound_files import Codec, round_trip
from pipeline.training.mixes.augmentation import Augmentation, change_speed, draw_filter, limiter_gain
from pipeline.training.mixes.events import draw_event
from pipeline.training.mixes.levels import DNR_V2, DNR_V3, Levels
from pipeline.training.mixes.pool import Pool, fade_ends
from pipeline.training.mixes.synthesis import draw_bed
from pipeline.training.transforms import fast_size, forward, inverse

Mono = NDArray[np.float32]
Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Backgrounds and parts."""

PARTS = (Kind.MUSIC, Kind.SFX, Kind.AMBIENT)
"""What a background consists of, in the order of all arrays."""
CEILING = 10 ** (-2 / 20)
FADE_S = 0.02
SPEED_MARGIN = 1.35
"""How much longer a crop is that may be played faster."""
SILENCE = 1e-12
SYNTHETIC_LUFS = -22.0
"""Loudness of what is made, at RMS 0.1."""
AUGMENTATIONS = MappingProxyType(
    {
        Kind.SPEECH: Augmentation(speed=0.3, semitones=2, reverse=0, equalizer=0.5, room=0.3),
        Kind.MUSIC: Augmentation(speed=0.4, semitones=3, reverse=0, equalizer=0.6, room=0.1),
        Kind.SFX: Augmentation(speed=0.6, semitones=5, reverse=0.1, equalizer=0.6, room=0.35),
        Kind.AMBIENT: Augmentation(speed=0.6, semitones=5, reverse=0.3, equalizer=0.7, room=0.1),
    }
)
UNCHANGED = Augmentation(speed=0, semitones=0, reverse=0, equalizer=0, room=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixRecipe:
    """How mixes are drawn."""

    seconds: float
    sample_rate: int
    v3_share: float = 0.7
    """Part of the mixes that has the levels of `DNR_V3`; the others have those of `DNR_V2`."""
    part_counts: tuple[float, float, float, float] = (0.05, 0.2, 0.25, 0.5)
    """Probabilities that none, one, two or three parts sound."""
    leakage: float = 0.5
    """Probability that some speech is left in the background."""
    leakage_db: tuple[float, float] = (-40.0, -15.0)
    """Of speech that is left, under the level that speech has in the mix."""
    synthetic_ambience: float = 0.4
    """Probability that a bed is made and not taken from a recording."""
    synthetic_effects: float = 0.3
    """Probability that an effect is made."""
    layered_effects: float = 0.2
    """Probability that an effect is two recordings at once."""
    coding: float = 0.1
    """Probability that the mix was in a lossy format."""
    augment: bool = True
    sfx_per_second: float = 0.7
    """Events in the mean; at least one where effects sound."""


def evaluation_recipe(*, seconds: float, v3_share: float) -> MixRecipe:
    """Mixes of recordings as they are, at 44.1 kHz, most of them with all parts."""
    return MixRecipe(
        seconds=seconds,
        sample_rate=44_100,
        v3_share=v3_share,
        part_counts=(0.0, 0.1, 0.2, 0.7),
        synthetic_ambience=0.0,
        synthetic_effects=0.0,
        layered_effects=0.0,
        augment=False,
        coding=0.0,
        sfx_per_second=0.4,
    )


@dataclass(frozen=True, slots=True)
class Mix:
    """A background and what it was made of."""

    parts: NDArray[np.float32]
    """Shape (len(PARTS), frames)."""
    leakage: Mono
    """What belongs to no part: speech that is left and errors of coding; shape (frames,)."""

    @property
    def background(self) -> Mono:
        """The sum of all."""
        return self.parts.sum(axis=0) + self.leakage


class Mixer:
    """Draws mixes from pools of recordings."""

    def __init__(self, pools: dict[Kind, Pool], recipe: MixRecipe) -> None:
        self._pools = pools
        self._recipe = recipe
        self._frames = round(recipe.seconds * recipe.sample_rate)
        self._latest: tuple[tuple[int, int, int], Batch] | None = None

    def draw(self, seed: tuple[int, ...]) -> Mix:
        """The mix that belongs to a seed."""
        generator = np.random.default_rng(seed)
        recipe = self._recipe
        levels = DNR_V3 if generator.random() < recipe.v3_share else DNR_V2
        count = int(generator.choice(len(recipe.part_counts), p=recipe.part_counts))
        chosen = {PARTS[int(index)] for index in generator.permutation(len(PARTS))[:count]}
        parts = np.zeros((len(PARTS), self._frames), np.float32)
        for index, kind in enumerate(PARTS):
            if kind in chosen:
                parts[index] = self._part(generator, kind, levels)
        leakage = self._leakage(generator, levels) if generator.random() < recipe.leakage else parts[0] * 0
        return self._mastered(generator, parts, leakage)

    def batch(self, seed: int, step: int, size: int) -> Batch:
        """The mixes of a training step; every other step joins the parts of the step before anew.

        Returns:
            Backgrounds, shape (size, frames), and parts, shape (size, len(PARTS), frames).

        """
        backgrounds, parts = self._drawn(seed, step // 2, size)
        if step % 2 == 0:
            return backgrounds, parts
        leakage = backgrounds - parts.sum(axis=1)
        joined = np.stack([np.roll(parts[:, index], index + 1, axis=0) for index in range(len(PARTS))], axis=1)
        return joined.sum(axis=1) + leakage, joined

    def _drawn(self, seed: int, round_: int, size: int) -> Batch:
        """Mixes that were drawn for a round of two steps."""
        key = (seed, round_, size)
        if self._latest is None or self._latest[0] != key:
            mixes = [self.draw((seed, round_, index)) for index in range(size)]
            batch = np.stack([mix.background for mix in mixes]), np.stack([mix.parts for mix in mixes])
            self._latest = key, batch
        return self._latest[1]

    def _part(self, generator: np.random.Generator, kind: Kind, levels: Levels) -> Mono:
        level = levels.loudness_lufs[kind] + levels.draw(generator, levels.mix_spread)
        if kind is Kind.SFX:
            return self._events(generator, kind, level, levels)
        if kind is Kind.AMBIENT:
            return self._beds(generator, level, levels)
        music = self._loop(generator, kind, level)
        if generator.random() < 0.25:
            sounding = np.zeros_like(music)
            edges = np.sort(generator.uniform(-0.3, 1.3, 2) * self._frames).astype(int)
            start, end = np.clip(edges, 0, self._frames)
            fade = round(generator.uniform(0.02, 1) * self._recipe.sample_rate)
            sounding[start:end] = fade_ends(music[start:end, None], fade)[:, 0]
            music = sounding
        return music

    def _events(self, generator: np.random.Generator, kind: Kind, level: float, levels: Levels) -> Mono:
        made = np.zeros(self._frames, np.float32)
        for _ in range(max(1, generator.poisson(self._recipe.sfx_per_second * self._recipe.seconds))):
            event = self._sound(generator, kind, level + levels.draw(generator, levels.event_spread))
            start = int(generator.uniform(-0.2, 0.95) * self._frames)
            event = event[max(0, -start) :][: self._frames - max(0, start)]
            made[max(0, start) : max(0, start) + len(event)] += event
        return made

    def _beds(self, generator: np.random.Generator, level: float, levels: Levels) -> Mono:
        made = np.zeros(self._frames, np.float32)
        for _ in range(1 + int(generator.random() < 0.35)):
            made += self._loop(generator, Kind.AMBIENT, level + levels.draw(generator, levels.event_spread / 2))
        return made

    def _loop(self, generator: np.random.Generator, kind: Kind, level: float) -> Mono:
        """Sound from end to end of the mix; a recording that is too short is repeated with cross-fades."""
        sound = self._sound(generator, kind, level)
        fade = min(round(0.25 * self._recipe.sample_rate), len(sound) // 3)
        while len(sound) < self._frames:
            ramp = np.asarray(np.linspace(0, 1, fade), np.float32)
            joint = np.asarray(sound[-fade:] * (1 - ramp) + sound[:fade] * ramp, np.float32)
            sound = np.concatenate([sound[:-fade], joint, sound[fade:]])
        return sound[: self._frames]

    def _sound(self, generator: np.random.Generator, kind: Kind, level: float) -> Mono:
        """A recording, changed, at a loudness; shape (frames,) with at most a few more than the mix has."""
        recipe = self._recipe
        change = AUGMENTATIONS[kind] if recipe.augment else UNCHANGED
        changes_speed = generator.random() < change.speed
        if kind is Kind.AMBIENT and generator.random() < recipe.synthetic_ambience:
            mono, loudness = draw_bed(generator, self._frames, recipe.sample_rate), SYNTHETIC_LUFS
        elif kind is Kind.SFX and happens(generator, recipe.synthetic_effects):
            mono, loudness = draw_event(generator, recipe.seconds, recipe.sample_rate), SYNTHETIC_LUFS
        else:
            frames = int(self._frames * SPEED_MARGIN) if changes_speed else self._frames
            mono, loudness = self._recording(generator, kind, frames)
            if kind is Kind.SFX and happens(generator, recipe.layered_effects):
                other, other_loudness = self._recording(generator, kind, frames)
                gain = 10 ** ((loudness - other_loudness + generator.uniform(-12, 0)) / 20)
                length = max(len(mono), len(other))
                mono = np.pad(mono, (0, length - len(mono)))
                mono[: len(other)] += np.float32(gain) * other
        if kind in (Kind.SFX, Kind.SPEECH):
            mono = fade_ends(mono[:, None], round(FADE_S / 4 * recipe.sample_rate))[:, 0]
        if changes_speed:
            mono = change_speed(mono, generator.uniform(-change.semitones, change.semitones))
        if generator.random() < change.reverse:
            mono = np.ascontiguousarray(mono[::-1])
        mono = self._filtered(generator, mono, kind, change)
        return np.asarray(mono * np.float32(10 ** ((level - loudness) / 20)), np.float32)

    def _recording(self, generator: np.random.Generator, kind: Kind, frames: int) -> tuple[Mono, float]:
        """A recording in one channel, and its loudness there."""
        crop = self._pools[kind].draw(generator, frames)
        return _one_channel(generator, crop.samples), crop.loudness_lufs - 3.0 * (crop.samples.shape[1] == 2)

    def _filtered(self, generator: np.random.Generator, mono: Mono, kind: Kind, change: Augmentation) -> Mono:
        """A sound through an equalizer or a room, as loud as before; the room's tail is kept for effects."""
        tail = self._recipe.sample_rate // 2
        size = fast_size(len(mono) + tail)
        gains = draw_filter(generator, change, size, self._recipe.sample_rate)
        if gains is None:
            return mono
        changed = inverse(forward(mono, size) * gains, size)
        changed = changed[: len(mono) + tail * (kind is Kind.SFX)]
        return changed * np.float32(np.sqrt((mono @ mono + SILENCE) / (changed @ changed + SILENCE)))

    def _leakage(self, generator: np.random.Generator, levels: Levels) -> Mono:
        level = levels.loudness_lufs[Kind.SPEECH] + levels.draw(generator, levels.mix_spread)
        made = np.zeros(self._frames, np.float32)
        if Kind.SPEECH in self._pools:
            made = self._events(generator, Kind.SPEECH, level + generator.uniform(*self._recipe.leakage_db), levels)
        return made

    def _mastered(self, generator: np.random.Generator, parts: NDArray[np.float32], leakage: Mono) -> Mix:
        """All of a mix with one gain and one limiter."""
        gain = np.float32(10 ** (generator.normal(0, 4) / 20))
        parts, leakage = parts * gain, leakage * gain
        mix = parts.sum(axis=0) + leakage
        ceiling = CEILING * (10 ** (generator.uniform(-18, 0) / 20) if generator.random() < 0.15 else 1)
        if float(np.abs(mix).max()) > ceiling:
            curve = limiter_gain(mix, self._recipe.sample_rate, ceiling=ceiling)
            parts, leakage = parts * curve, leakage * curve
        parts, leakage = np.asarray(parts, np.float32), np.asarray(leakage, np.float32)
        return Mix(parts, leakage + self._coding_error(generator, parts.sum(axis=0) + leakage))

    def _coding_error(self, generator: np.random.Generator, mix: Mono) -> Mono:
        """What a lossy format, if one is drawn, adds to a mix."""
        if generator.random() >= self._recipe.coding:
            return np.zeros_like(mix)
        codec = list(Codec)[int(generator.integers(len(Codec)))]
        compression = float(generator.uniform(0.3, 0.85))
        return round_trip(mix[:, None], self._recipe.sample_rate, codec, compression)[:, 0] - mix


def happens(generator: np.random.Generator, probability: float) -> bool:
    """Draw, but only where there is a choice: the mixes of the frozen test list depend on the numbers drawn."""
    return probability > 0 and generator.random() < probability


def _one_channel(generator: np.random.Generator, samples: NDArray[np.float32]) -> Mono:
    """The left, the right or the middle of a recording."""
    if samples.shape[1] == 1:
        return samples[:, 0]
    choice = int(generator.integers(3))
    return np.asarray(samples.mean(axis=1) if choice == 2 else samples[:, choice], np.float32)
