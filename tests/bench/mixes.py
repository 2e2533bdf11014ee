"""Mixes of known speech and known backgrounds, in two halves that share no background (`tests.bench.sounds`).

Speech is the sample's (first and second half of its minute) and real readers of pocketsphinx-testdata; rain is
computed (`speech_set.rain`); effects are single events of games on a bed of ambience.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from tests.bench import sounds
from tests.bench.sounds import DATA, PACKAGES, RATE, TUNE, Half, fetch, levelled, rms
from tests.bench.speech_set import rain

SECONDS = 20
SPEECH_RMS = 0.05
"""RMS of the speech, linear."""
EVENTS_PER_MIX = 24
"""Effects in a mix."""
READERS = {"tune": "cards", "test": "librivox"}
GAMES = ("hedgewars-data", "supertux-data")
SPEECH_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Speech and background of shape (frames, channels) at `RATE`; their sum is the mix."""

    name: str
    half: str
    kind: str
    """`music`, `rain`, `both` or `effects`."""
    balance: float
    """dB of the speech over the background."""
    speech: Samples
    background: Samples

    @property
    def layout(self) -> str:
        """`mono` or `stereo`."""
        return "stereo" if self.speech.shape[1] == 2 else "mono"


def mixes(folder: Path, half: Half) -> Iterator[Mix]:
    """The 30 mixes of a half: each background stereo and mono at 0 dB, and once at 3 or -3 dB."""
    fetch(folder, PACKAGES + GAMES)
    talks = _speech(folder, half)
    for number, (kind, name, background) in enumerate(_backgrounds(folder, half)):
        talk = talks[number % len(talks)]
        for balance, stereo in ((0.0, True), (0.0, False), (3.0 if number % 2 else -3.0, number % 4 < 2)):
            under = background if stereo else audio_io.to_mono(background)
            yield Mix(
                name=f"{name} {'stereo' if stereo else 'mono'} {balance:+g} dB",
                half=half.name,
                kind=kind,
                balance=balance,
                speech=np.repeat(talk, under.shape[1], axis=1),
                background=levelled(under, SPEECH_RMS * 10 ** (-balance / 20)),
            )


def _backgrounds(folder: Path, half: Half) -> Iterator[tuple[str, str, Samples]]:
    """Kind, name and stereo sound."""
    chance = np.random.default_rng(0 if half is TUNE else 1)
    pieces = excerpts(folder, half)
    drops = [np.hstack([rain(SECONDS * RATE, chance) for _ in range(2)]) for _ in range(2)]
    for name, piece in pieces.items():
        yield "music", name, piece
    for number, drop in enumerate(drops):
        yield "rain", f"rain {number + 1}", drop
    for (name, piece), drop in zip(pieces.items(), drops, strict=False):
        yield "both", f"{name} and rain", levelled(piece, 1) + levelled(drop, 1)
    for place in sounds.ambience(folder, half)[:2]:
        yield "effects", f"effects, {place.stem}", _scene(folder, half, place, chance)


def _speech(folder: Path, half: Half) -> list[Samples]:
    """Mono, `SECONDS` each, RMS `LEVEL`: two parts of the sample's half minute, and a real reader."""
    path = DATA / "sample.speech.flac"
    rate = audio_io.info(path).sample_rate
    starts = (0.4, 10.0) if half is TUNE else (31.0, 40.0)
    parts = [
        audio_io.resample(audio_io.read(path, start=int(start * rate), frames=SECONDS * rate), rate, RATE)
        for start in starts
    ]
    lines = [
        audio_io.resample(audio_io.read(file), audio_io.info(file).sample_rate, RATE)
        for file in sounds.find(folder, [f"test/data/{READERS[half.name]}/*.wav"])
    ]
    parts.append(np.resize(np.concatenate(lines), (SECONDS * RATE, 1)))
    return [levelled(part, SPEECH_RMS) for part in parts]


def excerpts(folder: Path, half: Half) -> dict[str, Samples]:
    """Stereo excerpts of pieces, as many from each of the half's sources."""
    made: dict[str, Samples] = {}
    for pattern in half.music:
        paths = sounds.find(folder, [pattern], longer=2 * SECONDS + 2)
        count = SPEECH_PARTS // len(half.music)
        for path in paths[:: max(1, len(paths) // count)][:count]:
            rate = audio_io.info(path).sample_rate
            part = audio_io.read(path, start=20 * rate, frames=SECONDS * rate)
            made[path.stem] = _stereo(audio_io.resample(part, rate, RATE))[: SECONDS * RATE]
    return made


def _scene(folder: Path, half: Half, place: Path, chance: np.random.Generator) -> Samples:
    """Events from all directions on a bed 10 dB below them."""
    events = sounds.find(folder, half.effects, longer=0.1, shorter=3)
    bed = audio_io.resample(audio_io.read(place), audio_io.info(place).sample_rate, RATE)
    bed = np.resize(_stereo(bed), (SECONDS * RATE, 2))
    scene = np.zeros((SECONDS * RATE, 2), np.float32)
    for index in chance.choice(len(events), EVENTS_PER_MIX, replace=False):
        path = events[int(index)]
        event = audio_io.to_mono(audio_io.resample(audio_io.read(path), audio_io.info(path).sample_rate, RATE))
        pan = chance.uniform(0.1, 0.9)
        first = int(chance.integers(0, len(scene) - len(event)))
        scene[first : first + len(event)] += event / rms(event) * np.sqrt([1 - pan, pan], dtype=np.float32)
    return levelled(scene, 1) + levelled(bed, 10 ** (-10 / 20))


def _stereo(samples: Samples) -> Samples:
    return samples if samples.shape[1] == 2 else np.repeat(audio_io.to_mono(samples), 2, axis=1)
