"""Effects parted into events (sfx) and bed (ambient), against the clean parts: SI-SDR gained by each.

    .venv/bin/python -m tests.bench.effects_split [--tuned] [--sounds FOLDER]

A scene is a bed with events on it, the bed 6 dB below to 6 dB above them. Without a split all effects
would be sfx, or all would be ambient: the gain is over that. Beds are made here (rain, wind, an engine,
a hum, waves, a crowd of readers) or are those of Debian's wesnoth-1.16-data, whose effects are the events.
Every second bed and every second event served to choose the constants of `pipeline.separation.ambience`;
the others are reported, and `--tuned` reports the former. Birds and drums are beds by name, but consist of
events: what they lose is told on a line of its own.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.signal import butter, sosfilt

from pipeline.audio import io as audio_io
from pipeline.separation.ambience import extract_ambience
from tests.bench.route_set import RATE, fetch
from tests.pipeline.separation.measure import si_sdr

SCENE_SECONDS = 20
SCENE_FRAMES = SCENE_SECONDS * RATE
EVENT_BALANCES_DB = (-6, 0, 6)
"""dB of the events over the bed, RMS."""
EVENTS_PER_SCENE = 16
"""In a scene."""
MAX_EVENT_SECONDS = 3
"""Seconds of an event; longer ones fade out."""
CROWD_READERS = 24
BEDS_MADE_OF_EVENTS = ("birds1", "birds2", "birds3", "morning", "wardrums")

Mono = NDArray[np.float64]


def shaped(generator: np.random.Generator, band: Sequence[float]) -> Mono:
    """Noise between two frequencies."""
    sections = butter(2, band, "band", fs=RATE, output="sos")
    return np.asarray(sosfilt(sections, generator.standard_normal(SCENE_FRAMES)))


def swing(rate: float, phase: float = 0.0) -> Mono:
    """A slow sine."""
    return np.sin(2 * np.pi * rate * np.arange(SCENE_FRAMES) / RATE + phase)


def tones(base: float, count: int) -> Mono:
    """A tone and its overtones."""
    return np.sum([swing(base * k, k * k) / k for k in range(1, count + 1)], axis=0)


def make_beds(folder: Path) -> dict[str, Mono]:
    """All beds, RMS 0.05; those of the game go round with a cross-fade."""
    generator = np.random.default_rng(1)
    made: dict[str, Callable[[], Mono]] = {
        "rain": lambda: shaped(generator, (800, 9_000)),
        "wind": lambda: shaped(generator, (20, 400)) * (1 + 0.5 * swing(0.15) + 0.2 * swing(0.37, 1)),
        "engine": lambda: 0.5 * tones(52, 13) + shaped(generator, (20, 1_200)),
        "hum": lambda: tones(50, 6) + 0.05 * generator.standard_normal(SCENE_FRAMES),
        "crowd": lambda: crowd(folder, generator),
        "waves": lambda: shaped(generator, (100, 2_500)) * (1.1 + swing(0.11)),
    }
    beds = {name: make() for name, make in made.items()}
    beds |= {path.stem: go_round(read(path)) for path in sorted(folder.glob("x/**/sounds/ambient/*.ogg"))}
    return {name: level(bed) for name, bed in beds.items()}


def crowd(folder: Path, generator: np.random.Generator) -> Mono:
    """Many people reading at once."""
    lines = [read(path) for path in sorted(folder.glob("x/**/librivox/*.wav"))]
    voices = [np.roll(lines[index % len(lines)], generator.integers(RATE)) for index in range(CROWD_READERS)]
    return np.sum([level(go_round(voice)) for voice in voices], axis=0)


def make_events(files: Sequence[Path], seed: int) -> Mono:
    """Events at random places, up to 12 dB below the loudest; RMS 0.05."""
    generator = np.random.default_rng(seed)
    scene = np.zeros(SCENE_FRAMES)
    for file in generator.choice(np.array(files, dtype=object), EVENTS_PER_SCENE):
        event = read(file)[: MAX_EVENT_SECONDS * RATE]
        if len(event) == MAX_EVENT_SECONDS * RATE:
            event = event * np.linspace(1, 0, len(event))
        place = int(generator.integers(0, SCENE_FRAMES - RATE // 2))
        heard = event[: SCENE_FRAMES - place]
        scene[place : place + len(heard)] += heard / np.abs(event).max() * 10 ** (-generator.uniform(0, 12) / 20)
    return level(scene)


def read(path: Path) -> Mono:
    """A whole file in mono at `RATE`."""
    samples = audio_io.to_mono(audio_io.read(path))
    return audio_io.resample(samples, audio_io.info(path).sample_rate, RATE)[:, 0].astype(np.float64)


def go_round(samples: Mono) -> Mono:
    """A sound repeated to the length of a scene, without clicks where it begins again."""
    fade = min(RATE // 10, len(samples) // 4)
    rise = np.linspace(0, 1, fade)
    out = samples
    while len(out) < SCENE_FRAMES:
        joint = out[-fade:] * (1 - rise) + samples[:fade] * rise
        out = np.concatenate([out[:-fade], joint, samples[fade:]])
    return out[:SCENE_FRAMES]


def level(samples: Mono) -> Mono:
    """The same sound at RMS 0.05."""
    return samples * (0.05 / np.sqrt(np.mean(samples**2)))


def gains(bed: Mono, events: Mono) -> tuple[float, float]:
    """By how many dB the split beats calling all of it sfx, and all of it ambient."""
    mixed = (bed + events).astype(np.float32)[:, None]
    blocks = (mixed[at : at + RATE] for at in range(0, SCENE_FRAMES, RATE))
    ambient = np.concatenate(list(extract_ambience(blocks, RATE, 1, SCENE_FRAMES)))[:, 0]
    whole = mixed[:, 0]
    return si_sdr(whole - ambient, events) - si_sdr(whole, events), si_sdr(ambient, bed) - si_sdr(whole, bed)


def measure(beds: Mapping[str, Mono], files: Sequence[Path]) -> dict[str, NDArray[np.float64]]:
    """By bed: gains of sfx and ambient at each balance, shape (balances, 2)."""
    return {
        name: np.array(
            [
                gains(bed, make_events(files, 50 + 10 * index + balance) * 10 ** (balance / 20))
                for balance in EVENT_BALANCES_DB
            ]
        )
        for index, (name, bed) in enumerate(beds.items())
    }


def show(found: Mapping[str, NDArray[np.float64]], console: Console) -> None:
    """Print the gains by bed, and their means."""
    table = Table("bed", *(f"sfx / ambient gain at {balance:+d} dB" for balance in EVENT_BALANCES_DB), box=None)
    for name, rows in found.items():
        table.add_row(name, *(f"{sfx:.1f} / {ambient:.1f}" for sfx, ambient in rows))
    console.print(table)
    for title, of_events in (("steady beds", False), ("beds made of events", True)):
        rows = [gain for name, gain in found.items() if (name in BEDS_MADE_OF_EVENTS) is of_events]
        if rows:
            sfx, ambient = np.mean(np.concatenate(rows), axis=0)
            console.print(f"{title}: sfx {sfx:+.1f} dB, ambient {ambient:+.1f} dB", highlight=False)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sounds", type=Path, default=platformdirs.user_cache_path("stemcord") / "bench-sounds")
    parser.add_argument("--tuned", action="store_true")
    asked = parser.parse_args()
    fetch(asked.sounds)
    half = slice(0 if asked.tuned else 1, None, 2)
    files = [path for kind in ("ogg", "wav") for path in sorted(asked.sounds.glob(f"x/**/core/sounds/*.{kind}"))]
    beds = dict(list(make_beds(asked.sounds).items())[half])
    show(measure(beds, files[half]), Console())


if __name__ == "__main__":
    main()
