"""The route on a labelled set: clips mixed from real speech, music and effects, and a confusion matrix.

    .venv/bin/python -m tests.bench.route_set [--sounds FOLDER] [--hour]

The sounds come from packages: the sample's speech, pyannote.audio's phone call, and Debian's
wesnoth-1.16-music, wesnoth-1.16-data and pocketsphinx-testdata, downloaded with `apt-get download`
into FOLDER and unpacked there without installing them. The label follows from how a clip is made:
talk that goes on through the clip, in front of what else is heard, is dialogue; music, effects and
ambience with little or no talk are cinematic. `--hour` also times an hour of sound.
"""

import argparse
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import platformdirs
from rich.console import Console
from rich.table import Table

from pipeline import sound
from pipeline.route import choose, measure
from pipeline.sound import Samples
from pipeline.types import Budget, Preset, RouteName

DATA = Path(__file__).parents[1] / "data"
PACKAGES = ("wesnoth-1.16-music", "wesnoth-1.16-data", "pocketsphinx-testdata")
RATE = 44_100
SECONDS = 40
BALANCES = (-3.0, -6.0, -10.0)
"""dB of what lies under a dialogue."""
MUSIC_PIECES = 16
TALK_SHARE_OF_FILM = 0.2
"""Part of a cinematic clip in which somebody talks."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A labelled clip; samples of shape (frames, 1)."""

    name: str
    truth: RouteName
    samples: Samples


def fetch(folder: Path) -> None:
    """Download and unpack the packages that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if not any(folder.glob(f"{package}_*.deb")):
            subprocess.run(["apt-get", "download", package], cwd=folder, check=True, timeout=900)
        mark = folder / "x" / f".{package}"
        if not mark.exists():
            (deb,) = folder.glob(f"{package}_*.deb")
            subprocess.run(["dpkg", "-x", str(deb), str(folder / "x")], check=True, timeout=300)
            mark.touch()


def load(path: Path, *, seconds: float = SECONDS, start: float = 0.0) -> Samples:
    """Mono at `RATE`, repeated or cut to the length asked for, RMS 0.1."""
    rate = sound.info(path).sample_rate
    samples = sound.read(path, start=int(start * rate), frames=int(seconds * rate))
    mono = sound.resample(sound.to_mono(samples), rate, RATE)
    frames = int(seconds * RATE)
    looped = np.tile(mono, (-(-frames // len(mono)), 1))[:frames]
    return (looped * np.float32(0.1 / (float(np.sqrt(np.mean(looped**2))) + 1e-9))).astype(np.float32)


def voices(folder: Path) -> dict[str, Samples]:
    """Speech of different rooms, people and lines."""
    librivox = sorted(folder.glob("x/**/librivox/*.wav"))
    read_aloud = np.concatenate([load(path, seconds=sound.info(path).duration) for path in librivox])
    package = find_spec("pyannote")
    assert package is not None
    assert package.submodule_search_locations is not None
    (phone,) = (Path(part) / "audio/sample/sample.wav" for part in list(package.submodule_search_locations)[:1])
    return {
        "talk": load(DATA / "sample.speech.flac"),
        "talk, later": load(DATA / "sample.speech.flac", start=20),
        "phone": load(phone),
        "reading": np.resize(read_aloud, (SECONDS * RATE, 1)),
    }


def music(folder: Path) -> dict[str, Samples]:
    """Pieces long enough to be cut from their middle."""
    pieces = [path for path in sorted(folder.glob("x/**/core/music/*.ogg")) if sound.info(path).duration > 2 * SECONDS]
    return {path.stem: load(path, start=30) for path in pieces[:: max(1, len(pieces) // MUSIC_PIECES)]}


def effects(folder: Path) -> dict[str, Samples]:
    """A bed of ambience with single events on it, three of them."""
    beds = {path.stem: load(path) for path in sorted(folder.glob("x/**/sounds/ambient/*.ogg"))}
    events = [path for path in sorted(folder.glob("x/**/core/sounds/*.ogg")) if sound.info(path).duration < 3]
    generator = np.random.default_rng(3)
    scenes: dict[str, Samples] = {}
    for name in ("birds1", "night", "campfire", "ship"):
        scene = quieter(beds[name], -10)
        for path in generator.choice(np.array(events, dtype=object), 18):
            event = load(path, seconds=sound.info(path).duration)
            place = int(generator.integers(0, len(scene) - len(event)))
            scene[place : place + len(event)] += event
        scenes[name] = scene
    return scenes


def label(folder: Path) -> Iterator[Clip]:
    """All clips."""
    speech, pieces, scenes = voices(folder), music(folder), effects(folder)
    for name, talk in speech.items():
        yield Clip(f"{name} alone", RouteName.DIALOGUE, talk)
        for scene, bed in scenes.items():
            yield Clip(f"{name} over {scene}", RouteName.DIALOGUE, talk + quieter(bed, -6))
    for index, (title, piece) in enumerate(pieces.items()):
        name, talk = list(speech.items())[index % len(speech)]
        balance = BALANCES[index % len(BALANCES)]
        yield Clip(
            f"{name} over {title} at {balance:g} dB",
            RouteName.DIALOGUE,
            talk + quieter(piece, balance),
        )
        yield Clip(title, RouteName.CINEMATIC, piece)
        yield Clip(f"{title} with a little {name}", RouteName.CINEMATIC, piece + sparse(talk))
    for scene, bed in scenes.items():
        yield Clip(f"scene {scene}", RouteName.CINEMATIC, bed)
        for name in ("talk", "phone"):
            yield Clip(f"scene {scene} with a little {name}", RouteName.CINEMATIC, bed + sparse(speech[name]))
        piece = list(pieces.values())[len(scene) % len(pieces)]
        yield Clip(f"scene {scene} with music", RouteName.CINEMATIC, bed + quieter(piece, -3))


def sparse(talk: Samples) -> Samples:
    """The first part of a talk, then silence."""
    kept = talk.copy()
    kept[int(TALK_SHARE_OF_FILM * len(kept)) :] = 0
    return kept


def quieter(samples: Samples, decibels: float) -> Samples:
    """The same sound at another level."""
    return (samples * np.float32(10 ** (decibels / 20))).astype(np.float32)


def judge(clip: Clip, folder: Path) -> RouteName:
    """What the route says."""
    path = folder / "clip.flac"
    peak = float(np.abs(clip.samples).max())
    sound.write(path, quieter(clip.samples, min(0.0, 20 * np.log10(0.9 / peak))), RATE, subtype="PCM_16")
    shares = measure(path)
    return choose(duration=SECONDS, budget=Budget.NORMAL, preset=Preset.POCKET, asked=None, shares=shares).name


def time_hour(folder: Path, scratch: Path) -> float:
    """Seconds to measure an hour of sound."""
    path = scratch / "hour.flac"
    piece = next(iter(music(folder).values()))
    with sound.SoundWriter(path, sample_rate=RATE, channels=2, subtype="PCM_16") as writer:
        for _ in range(3600 // SECONDS):
            writer.write(np.repeat(piece, 2, axis=1))
    started = time.perf_counter()
    measure(path)
    return time.perf_counter() - started


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sounds", type=Path, default=platformdirs.user_cache_path("stemcord") / "bench-sounds")
    parser.add_argument("--hour", action="store_true")
    asked = parser.parse_args()
    console = Console()
    fetch(asked.sounds)
    counts: Counter[tuple[RouteName, RouteName]] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        for clip in label(asked.sounds):
            found = judge(clip, Path(scratch))
            counts[clip.truth, found] += 1
            if found is not clip.truth:
                console.print(f"wrong: {clip.name} is {clip.truth}, taken for {found}", highlight=False)
        show(counts, console)
        if asked.hour:
            console.print(f"an hour of sound: {time_hour(asked.sounds, Path(scratch)):.1f} s")


def show(counts: Counter[tuple[RouteName, RouteName]], console: Console) -> None:
    """Print the confusion matrix and the share that is right."""
    table = Table("truth", *(f"taken for {name}" for name in RouteName), box=None)
    for truth in (RouteName.DIALOGUE, RouteName.CINEMATIC):
        table.add_row(truth.value, *(str(counts[truth, found]) for found in RouteName))
    console.print(table)
    right = sum(count for (truth, found), count in counts.items() if truth is found)
    console.print(f"{right} of {counts.total()} clips right, {right / counts.total():.1%}")


if __name__ == "__main__":
    main()
