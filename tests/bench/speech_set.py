"""A labelled set of conversations with 2 to 5 speakers: 72 clips to tune on, and 48 that are held out.

    .venv/bin/python -m tests.bench.speech_set FOLDER

Dialogues are put together from the lines of `voice_bank` and the recordings that Debian's
pocketsphinx-testdata ships (a real reader in each half), with pauses, overlaps and asides, and with
music, rain or effects of `route_set` behind them. The clips that are held out share no synthetic voice, no
music and no scene with those to tune on. The whole is the same on every run: the seed of clip N of a part is
(place of the part in `HALVES`, N). For each clip FOLDER gets a .flac, an .rttm (a pause of 0.3 s or more is no speech)
and a .turns.json; `clips.json` lists them. Lines are said once and kept in the user's cache.
"""

import argparse
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import platformdirs
from scipy import signal

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from tests.bench import route_set, sounds, voice_bank
from tests.bench.voice_bank import TimedWord, Utterance

HALVES = ("tune", "test", "fresh", "held")
"""The parts; `fresh` has other dialogues than `test`, of its voices and four more."""
TUNING = ("tune", "test", "fresh")
"""What thresholds were chosen on; they never saw `held`."""
ROUNDS = {"held": 2}
"""How often a part has each background with each number of speakers."""
SPEAKERS = (2, 3, 4, 5)
BACKGROUNDS = ("clean", "music 20", "music 10", "rain 10", "scene 10", "music 5")
"""What is heard behind the voices, and by how many dB it is quieter than they are."""
OVERLAPS = (0.0, 0.15, 0.3)
"""Part of the turns that begin before the last one has ended."""
MIN_PAUSE_SECONDS = 0.3
"""Seconds of quiet within a turn that are no speech."""
QUIET_RATIO = 10 ** (-35 / 20)
"""Of a line's loudest 20 ms, below which it is quiet."""
VOICE_RMS = 0.06
"""RMS of a voice of middle loudness, linear."""
LOUDNESS_SPREAD_DB = 3.0
"""dB by which voices differ, up or down."""
RATE = 44_100
HELD_PACKAGES = ("hedgewars-data", "supertux-data")
"""Music and scenes of `held`."""
ONLY_HELD_PACKAGES = (*HELD_PACKAGES, "wesnoth-1.16-data", "pocketsphinx-testdata")
READERS = {"tune": "cards", "test": "librivox", "fresh": "librivox", "held": "librivox"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One line of `clips.json`."""

    name: str
    half: str
    speakers: int
    background: str
    overlap: float
    """Seconds in which more than one voice is heard."""
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line at its place in a clip."""

    start: float
    end: float
    speaker: str
    text: str
    heard: tuple[tuple[float, float], ...]
    """Seconds from, to of the speech in it."""
    words: tuple[TimedWord, ...] = ()
    """Where they are known."""
    language: str = "en"


def cache() -> Path:
    """Where downloads and spoken lines are kept."""
    return platformdirs.user_cache_path("stemcord")


def build(folder: Path, halves: Sequence[str] = HALVES) -> list[Clip]:
    """Write what is missing of the halves into the folder."""
    listing = folder / "clips.json"
    clips = load(folder) if listing.exists() else []
    missing = [half for half in halves if half not in {clip.half for clip in clips}]
    if not missing:
        return clips
    folder.mkdir(parents=True, exist_ok=True)
    packages = (*sounds.PACKAGES, *HELD_PACKAGES) if set(missing) & set(TUNING) else ONLY_HELD_PACKAGES
    sounds.fetch(cache() / "bench-sounds", packages)
    voice_bank.build(cache() / "bench-voices", [*missing, "test"] if "fresh" in missing else missing)
    clips += [clip for half in missing for clip in _half(folder, half)]
    listing.write_text(json.dumps([asdict(clip) for clip in clips], indent=1), encoding="utf-8")
    return clips


def load(folder: Path) -> list[Clip]:
    """The clips of a folder that was built."""
    return msgspec.json.decode((folder / "clips.json").read_bytes(), type=list[Clip])


def _half(folder: Path, half: str) -> Iterator[Clip]:
    bank = voice_bank.load(cache() / "bench-voices", half)
    bank |= _recorded(cache() / "bench-sounds", READERS[half])
    beds = Backgrounds(cache() / "bench-sounds", half)
    for row, background in enumerate(BACKGROUNDS * ROUNDS.get(half, 1)):
        for column, speakers in enumerate(SPEAKERS):
            number = row * len(SPEAKERS) + column
            chance = np.random.default_rng([HALVES.index(half), number])
            share = OVERLAPS[(row + column) % len(OVERLAPS)]
            said, speech, overlap = _converse(_cast(bank, speakers, number, chance), share, chance)
            name = f"{half}-{number:02d}"
            behind = beds.behind(background, speech, chance)
            write_clip(folder, name, said, speech + behind)
            yield Clip(
                name=name,
                half=half,
                speakers=speakers,
                background=background,
                overlap=round(overlap, 2),
                duration=round(len(speech) / RATE, 2),
            )


def _recorded(folder: Path, reader: str) -> dict[str, list[Utterance]]:
    """What a real person reads, with their own text."""
    (place,) = folder.glob(f"x/**/test/data/{reader}")
    (texts,) = [*place.glob("transcription"), *place.glob("*.transcription")]
    lines: list[Utterance] = []
    for text, name in re.findall(r"<s>(.+?)</s>\s*\((.+?)\)", texts.read_text(encoding="utf-8")):
        samples = audio_io.read(place / f"{name}.wav")
        samples = audio_io.resample(samples, audio_io.info(place / f"{name}.wav").sample_rate, voice_bank.RATE)
        first, last = heard_spans(samples, voice_bank.RATE)[0][0], heard_spans(samples, voice_bank.RATE)[-1][1]
        cut = samples[int(first * voice_bank.RATE) : int(last * voice_bank.RATE)]
        lines.append(Utterance(reader, text.strip(), cut))
    return {reader: lines}


def _cast(
    bank: Mapping[str, list[Utterance]], speakers: int, number: int, chance: np.random.Generator
) -> dict[str, list[Utterance]]:
    """The voices of one clip, the real one in every third, each with its lines in some order."""
    *synthetic, real = bank
    names = [str(name) for name in chance.permutation(synthetic)[:speakers]]
    if number % 3 == 1:
        names[-1] = real
    return {name: [bank[name][i] for i in chance.permutation(len(bank[name]))] for name in names}


def _converse(
    cast: Mapping[str, list[Utterance]], share: float, chance: np.random.Generator
) -> tuple[list[Said], Samples, float]:
    """Turns in which everybody has a say, as truth and as sound of shape (frames, 1) at `RATE`, with the
    seconds of overlap."""
    gains = {name: VOICE_RMS * 10 ** (chance.uniform(-LOUDNESS_SPREAD_DB, LOUDNESS_SPREAD_DB) / 20) for name in cast}
    order = _order(list(cast), chance)
    said, placed = list[Said](), list[tuple[int, Samples]]()
    end, latest = 0.5, 0.5
    left = {name: list(lines) for name, lines in cast.items()}
    for index, name in enumerate(order):
        line = left[name].pop()
        last = said[-1].end - said[-1].start if said else 0.0
        if index and chance.random() < share:
            start = max(end - chance.uniform(0.3, max(0.3, min(1.5, 0.6 * last))), latest)
        else:
            start = end + float(np.clip(chance.normal(0.45, 0.3), 0.1, 1.5))
        samples = audio_io.resample(line.samples, voice_bank.RATE, RATE)
        samples = samples * np.float32(gains[name] / np.sqrt(np.mean(samples**2)))
        # The next one waits for all but this one, so that never more than two are heard.
        latest, end = end, max(end, start + line.duration)
        heard = tuple((start + first, start + past) for first, past in heard_spans(line.samples, voice_bank.RATE))
        words = tuple(replace(word, start=start + word.start, end=start + word.end) for word in line.words)
        said.append(
            Said(start=start, end=start + line.duration, speaker=name, text=line.text, heard=heard, words=words)
        )
        placed.append((int(start * RATE), samples))
    speech = np.zeros((int((end + 0.6) * RATE), 1), np.float32)
    for first, samples in placed:
        speech[first : first + len(samples)] += samples[: len(speech) - first]
    return said, speech, _overlap(said)


def _order(names: Sequence[str], chance: np.random.Generator) -> list[str]:
    """Who speaks after whom: nobody twice in a row, everybody between three and five times."""
    turns = max(10, 3 * len(names))
    order: list[str] = []
    while len(order) < turns:
        few = min(order.count(name) for name in names)
        able = [name for name in names if order[-1:] != [name] and order.count(name) <= few + 1]
        able = [name for name in able if order.count(name) < 5] or [name for name in names if order[-1:] != [name]]
        order.append(str(chance.choice(able)))
    return order


def _overlap(said: Sequence[Said]) -> float:
    edges = sorted([(line.start, 1) for line in said] + [(line.end, -1) for line in said])
    total, count, before = 0.0, 0, 0.0
    for time, step in edges:
        total += time - before if count > 1 else 0.0
        count, before = count + step, time
    return total


def heard_spans(samples: Samples, rate: int) -> list[tuple[float, float]]:
    """Find the seconds from, to of what is not quiet, pauses shorter than `MIN_PAUSE_SECONDS` left in."""
    hop = rate // 100
    mono = samples[: len(samples) // hop * hop, 0].reshape(-1, hop)
    power = np.convolve(np.mean(mono.astype(np.float64) ** 2, axis=1), [0.5, 0.5], "same")
    loud = np.flatnonzero(np.sqrt(power) > QUIET_RATIO * np.sqrt(power.max()))
    breaks = np.flatnonzero(np.diff(loud) > MIN_PAUSE_SECONDS * 100)
    starts, ends = [loud[0], *loud[breaks + 1]], [*loud[breaks], loud[-1]]
    return [(float(first) / 100, float(last + 1) / 100) for first, last in zip(starts, ends, strict=True)]


class Backgrounds:
    """Music, rain and scenes of one part; `tune` shares none with the others, and `held` none with any."""

    def __init__(self, folder: Path, half: str) -> None:
        source = sounds.TEST if half == "held" else sounds.TUNE
        pieces = list(route_set.music(folder, source).values())
        scenes = list(route_set.effects(folder, source).values())
        every = slice(None) if half == "held" else slice(min(1, HALVES.index(half)), None, 2)
        self._pieces, self._scenes = pieces[every], scenes[every]

    def behind(self, name: str, speech: Samples, chance: np.random.Generator) -> Samples:
        """What is heard behind the speech, as many dB below its mean power where it is heard."""
        kind, _, balance = name.partition(" ")
        match kind:
            case "music":
                bed = self._pieces[int(chance.integers(len(self._pieces)))]
            case "scene":
                bed = self._scenes[int(chance.integers(len(self._scenes)))]
            case "rain":
                bed = rain(len(speech), chance)
            case _:
                return np.zeros_like(speech)
        bed = np.resize(bed, speech.shape)
        heard = speech[np.abs(speech) > 1e-4]
        ratio = np.sqrt(np.mean(heard**2) / np.mean(bed**2)) * 10 ** (-float(balance) / 20)
        return (bed * np.float32(ratio)).astype(np.float32)


def rain(frames: int, chance: np.random.Generator) -> Samples:
    """Steady noise that falls off to both sides of 2 kHz, and single drops on it; shape (frames, 1)."""
    noise = chance.standard_normal(frames)
    band = signal.butter(1, [500, 6000], "bandpass", output="sos", fs=RATE)
    bed = np.asarray(signal.sosfilt(band, noise))
    drops = np.where(chance.random(frames) < 25 / RATE, chance.uniform(1, 5, frames), 0.0)
    ring = np.exp(-np.arange(600) / 80) * np.sin(2 * np.pi * 2500 * np.arange(600) / RATE)
    bed = bed / np.std(bed) + signal.fftconvolve(drops, ring)[:frames]
    return bed.astype(np.float32)[:, None]


def write_clip(folder: Path, name: str, said: Sequence[Said], samples: Samples) -> None:
    loudest = float(np.abs(samples).max())
    audio_io.write(folder / f"{name}.flac", samples * np.float32(min(1.0, 0.9 / loudest)), RATE, subtype="PCM_16")
    turns = [
        {"start": round(line.start, 3), "end": round(line.end, 3), "speaker": line.speaker, "text": line.text}
        | {"language": line.language}
        | {"words": [(word.text, round(word.start, 3), round(word.end, 3), word.exact) for word in line.words]}
        for line in said
    ]
    (folder / f"{name}.turns.json").write_text(json.dumps(turns, indent=1), encoding="utf-8")
    rows = [
        f"SPEAKER {name} 1 {first:.3f} {past - first:.3f} <NA> <NA> {line.speaker} <NA> <NA>"
        for line in said
        for first, past in line.heard
    ]
    (folder / f"{name}.rttm").write_text("\n".join(rows) + "\n", encoding="utf-8")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    clips = build(parser.parse_args().folder)
    seconds = sum(clip.duration for clip in clips)
    print(f"{len(clips)} clips, {seconds / 60:.1f} minutes, {sum(clip.overlap for clip in clips):.0f} s of overlap")


if __name__ == "__main__":
    main()
