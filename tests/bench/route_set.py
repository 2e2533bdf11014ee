"""The route on a labelled set: clips mixed from real speech, music and effects, and confusion matrices.

    .venv/bin/python -m tests.bench.route_set [--sounds FOLDER] [--hour]

The set has parts that share no recording (`tests.bench.sounds`). The thresholds of the route were chosen on `tune` and
`test`; `fresh` was judged once, when they stood. `folds` shows what the two thresholds of speech are worth on sources
that did not choose them: each source is judged by the thresholds that do best on the clips of all others. The label
follows from how a clip is made: talk that goes on through the clip, in front of what else is heard, is dialogue; music,
effects and ambience with little or no talk are cinematic. `--hour` also times an hour of sound.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.routing.contracts import RouteParams
from pipeline.routing.decision import MIN_DIALOGUE_SPEECH_SHARE, choose_route
from pipeline.routing.features import GroupFeatures, measure_features, measure_shares
from pipeline.types import Budget, Preset, Route, RouteName
from tests.bench import sounds
from tests.bench.sounds import (
    DATA,
    FRESH,
    FRESH_PACKAGES,
    PACKAGES,
    RATE,
    TEST,
    TEST_PACKAGES,
    TUNE,
    Half,
    fetch,
    load,
    quieter,
)

__all__ = ["effects", "fetch", "label", "load", "music", "quieter"]

SECONDS = 40
BALANCES = (-3.0, -6.0, -10.0)
"""dB of what lies under a dialogue."""
MUSIC_PIECES = 16
TALK_SHARE_OF_FILM = 0.2
"""Part of a cinematic clip in which somebody talks."""
SPEAKERS = ("es_MX_f_Allison", "fr_CA_f_June", "it_IT_m_Carlo", "ru_RU_f_IvrvoiceRU")
"""Of the second half."""
ACTORS = {
    "Czech, the big": "cs/*-v-*.ogg",
    "Czech, the small": "cs/*-m-*.ogg",
    "Dutch, the big": "nl/*-v-*.ogg",
    "Dutch, the small": "nl/*-m-*.ogg",
}
"""Of the third; their lines."""
PROMPTS = 30
"""Sentences of each of them."""
RIGHT = 0.95
HOUR = 20.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A labelled clip; samples of shape (frames, 1)."""

    name: str
    truth: RouteName
    samples: Samples


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was heard in a clip, to be judged by other thresholds."""

    source: str
    truth: RouteName
    groups: tuple[GroupFeatures, ...]

    def is_talk(self, syllables: float, gliding: float) -> bool:
        """Whether the route would be dialogue with these thresholds."""
        speech = sum(group.syllable_swing >= syllables and group.glide_share >= gliding for group in self.groups)
        return speech >= MIN_DIALOGUE_SPEECH_SHARE * len(self.groups)


def voices(folder: Path) -> dict[str, Samples]:
    """Speech of different rooms, people and lines."""
    read_aloud = np.concatenate(
        [load(path, seconds=audio_io.info(path).duration) for path in sounds.find(folder, ["librivox/*.wav"])]
    )
    package = find_spec("pyannote")
    assert package is not None
    assert package.submodule_search_locations is not None
    (phone,) = (Path(part) / "audio/sample/sample.wav" for part in list(package.submodule_search_locations)[:1])
    return {
        "talk": load(DATA / "sample.speech.flac", seconds=SECONDS),
        "talk, later": load(DATA / "sample.speech.flac", seconds=SECONDS, start=20),
        "phone": load(phone, seconds=SECONDS),
        "reading": np.resize(read_aloud, (SECONDS * RATE, 1)),
    }


def other_voices(folder: Path) -> dict[str, Samples]:
    """Real people who read prompts of a telephone exchange in four languages."""
    return {speaker[:2]: _lines(folder, f"asterisk/sounds/{speaker}/*.wav") for speaker in SPEAKERS}


def actors(folder: Path) -> dict[str, Samples]:
    """Actors who play two fish in two languages."""
    return {name: _lines(folder, f"fillets-ng/sound/*/{pattern}") for name, pattern in ACTORS.items()}


def _lines(folder: Path, pattern: str) -> Samples:
    """What a person says, 0.4 s between two sentences."""
    pause = np.zeros((int(0.4 * RATE), 1), np.float32)
    paths = sounds.find(folder, [pattern], longer=1.5)
    said = [load(path, seconds=audio_io.info(path).duration) for path in sounds.spread(paths, PROMPTS)]
    talk = np.concatenate([part for line in said for part in (line, pause)])
    return sounds.levelled(np.resize(talk, (SECONDS * RATE, 1)), sounds.RECORDING_RMS)


def music(folder: Path, half: Half = TUNE) -> dict[str, Samples]:
    """Pieces long enough to be cut from their middle, without those that are silent there."""
    pieces = sounds.find(folder, half.music, longer=2 * SECONDS)
    chosen = pieces[:: max(1, len(pieces) // MUSIC_PIECES)]
    loaded = {path.stem: load(path, seconds=SECONDS, start=30) for path in chosen}
    return {name: piece for name, piece in loaded.items() if piece.any()}


def effects(folder: Path, half: Half = TUNE) -> dict[str, Samples]:
    """Beds of ambience with single events on them, four of them."""
    events = sounds.find(folder, half.effects, shorter=3)
    generator = np.random.default_rng(3)
    scenes: dict[str, Samples] = {}
    for place in sounds.ambience(folder, half):
        scene = quieter(load(place, seconds=SECONDS), -10)
        for path in generator.choice(np.array(events, dtype=object), 18):
            event = load(path, seconds=audio_io.info(path).duration)
            first = int(generator.integers(0, len(scene) - len(event)))
            scene[first : first + len(event)] += event
        scenes[place.stem] = scene
    return scenes


def label(
    speech: Mapping[str, Samples], pieces: Mapping[str, Samples], scenes: Mapping[str, Samples]
) -> Iterator[Clip]:
    """All clips of a half."""
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
        for name in list(speech)[::2]:
            yield Clip(f"scene {scene} with a little {name}", RouteName.CINEMATIC, bed + sparse(speech[name]))
        piece = list(pieces.values())[len(scene) % len(pieces)]
        yield Clip(f"scene {scene} with music", RouteName.CINEMATIC, bed + quieter(piece, -3))


def sparse(talk: Samples) -> Samples:
    """The first part of a talk, then silence."""
    kept = talk.copy()
    kept[int(TALK_SHARE_OF_FILM * len(kept)) :] = 0
    return kept


def judge(clip: Clip, folder: Path) -> Route:
    """What the route says."""
    path = folder / "clip.flac"
    peak = float(np.abs(clip.samples).max())
    audio_io.write(path, quieter(clip.samples, min(0.0, 20 * np.log10(0.9 / peak))), RATE, subtype="PCM_16")
    shares = measure_shares(path)
    return choose_route(RouteParams(duration=SECONDS, budget=Budget.NORMAL, preset=Preset.POCKET), shares)


def time_hour(folder: Path, scratch: Path) -> float:
    """Seconds to measure an hour of sound."""
    path = scratch / "hour.flac"
    piece = next(iter(music(folder).values()))
    with audio_io.SoundWriter(path, sample_rate=RATE, channels=2, subtype="PCM_16") as writer:
        for _ in range(3600 // SECONDS):
            writer.write(np.repeat(piece, 2, axis=1))
    started = time.perf_counter()
    measure_shares(path)
    return time.perf_counter() - started


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sounds", type=Path, default=sounds.cache())
    parser.add_argument("--hour", action="store_true")
    asked = parser.parse_args()
    console = Console(highlight=False)
    folder: Path = asked.sounds
    fetch(folder, PACKAGES + TEST_PACKAGES + FRESH_PACKAGES)
    evidence: list[Evidence] = []
    with tempfile.TemporaryDirectory() as scratch:
        for half, speakers in ((TUNE, voices), (TEST, other_voices), (FRESH, actors)):
            found = run_half(folder, half, speakers, Path(scratch), console)
            evidence += [] if half is FRESH else found
        show_folds(evidence, console)
        if asked.hour:
            taken = time_hour(folder, Path(scratch))
            console.print(f"an hour of sound: {taken:.1f} s (bar {HOUR:g}: {'pass' if taken < HOUR else 'miss'})")


def run_half(
    folder: Path, half: Half, speakers: Callable[[Path], dict[str, Samples]], scratch: Path, console: Console
) -> list[Evidence]:
    """Judge all clips of a half and print what is wrong, one example of each choice, and the confusion matrix."""
    console.print(f"\n{half.name}")
    counts: Counter[tuple[RouteName, RouteName]] = Counter()
    evidence: list[Evidence] = []
    pieces = {path.stem: path.parent.name for path in sounds.find(folder, half.music)}
    for clip in label(speakers(folder), music(folder, half), effects(folder, half)):
        found = judge(clip, scratch)
        source = next((place for piece, place in pieces.items() if piece in clip.name), "no music")
        evidence.append(Evidence(f"{half.name}, {source}", clip.truth, measure_features(scratch / "clip.flac").groups))
        counts[clip.truth, found.name] += 1
        wrong = found.name is not clip.truth
        if wrong or counts[clip.truth, found.name] == 1:
            console.print(
                f"{'wrong' if wrong else 'for example'}: {clip.name}, {clip.truth}: {found.name}, {found.model}."
            )
            against = "".join(f" Not {other.name}: {other.reason}" for other in found.rejected)
            console.print(f"    {found.reason}{against} {dict(found.measurements)}")
    show(counts, console)
    return evidence


def show_folds(evidence: Sequence[Evidence], console: Console) -> None:
    """Judge the clips of each source by the thresholds that are right most often on all other sources."""
    choices = [(0.14 + 0.02 * one, 0.10 + 0.02 * two) for one in range(10) for two in range(12)]
    right = {
        pair: np.array([clip.is_talk(*pair) is (clip.truth is RouteName.DIALOGUE) for clip in evidence])
        for pair in choices
    }
    total = 0
    for source in sorted({clip.source for clip in evidence}):
        left_out = np.array([clip.source == source for clip in evidence])
        scores = [int(right[pair][~left_out].sum()) for pair in choices]
        best = [pair for pair, score in zip(choices, scores, strict=True) if score == max(scores)]
        pair = best[len(best) // 2]
        total += int(right[pair][left_out].sum())
        console.print(
            f"fold {source}: syllables {pair[0]:.2f}, gliding {pair[1]:.2f}: "
            f"{int(right[pair][left_out].sum())} of {int(left_out.sum())} right"
        )
    console.print(f"folds: {total} of {len(evidence)} clips right, {total / len(evidence):.1%}")


def show(counts: Counter[tuple[RouteName, RouteName]], console: Console) -> None:
    """Print the confusion matrix and the share that is right."""
    table = Table("truth", *(f"taken for {name}" for name in RouteName), box=None)
    for truth in (RouteName.DIALOGUE, RouteName.CINEMATIC):
        table.add_row(truth.value, *(str(counts[truth, found]) for found in RouteName))
    console.print(table)
    right = sum(count for (truth, found), count in counts.items() if truth is found)
    share = right / counts.total()
    met = "pass" if share >= RIGHT else "miss"
    console.print(f"{right} of {counts.total()} clips right, {share:.1%} (bar {RIGHT:.0%}: {met})")


if __name__ == "__main__":
    main()
