"""Quick exchanges of four to six voices: replies of one to three words, interruptions, words into another's sentence.

    .venv/bin/python -m tests.bench.speech_exchanges FOLDER

The lines of `speech_replies.txt` are said by Kokoro's voices (`voice_bank`), which tell when each phoneme is said.
Clips of the half `tune` and of the half `held` share no voice and no line. For each clip FOLDER gets a .flac, an .rttm
and a .turns.json with the times of the words; the seed of clip N is (11, place of the half, N).
"""

import argparse
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from tests.bench import voice_bank
from tests.bench.speech_set import RATE, VOICE_RMS, Said, cache, heard_spans, write_clip
from tests.bench.voice_bank import TimedWord, Utterance

LINES = Path(__file__).with_name("speech_replies.txt")
VOICES = {"tune": voice_bank.TUNE, "held": voice_bank.HELD}
HALVES = tuple(VOICES)
CLIPS = 12
"""Of each half."""
SPEAKERS = (4, 5, 6, 4)
SECONDS = 46.0
"""After which a clip has no new turn."""
REPLIES, STATEMENTS = 14, 9
"""Lines that each voice says."""
REPLY_SHARE = 0.55
"""Part of the turns that are replies; never two of one voice in a row."""
INTERRUPTED, SPOKEN_INTO = 0.2, 0.25
"""Part of the statements that another voice cuts short, and into which another says a reply."""
INTERRUPTION_SECONDS = (0.15, 0.4)
"""How long both are heard, before the one who is interrupted gives up."""
GOES_ON = 0.35
"""Part of the turns to which the same voice adds a statement, so that not every sentence is another's."""
SENTENCE_PAUSE_SECONDS = (0.1, 0.5)
LOUDNESS_SPREAD_DB = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A clip of the set."""

    name: str
    half: str
    speakers: int


def exchanges(half: str) -> list[Exchange]:
    """The clips of a half."""
    return [
        Exchange(name=f"quick-{half}-{number:02d}", half=half, speakers=SPEAKERS[number % len(SPEAKERS)])
        for number in range(CLIPS)
    ]


def build(folder: Path, halves: Sequence[str] = HALVES) -> list[Exchange]:
    """Write what is missing of the halves into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for half in halves:
        missing = [clip for clip in exchanges(half) if not (folder / f"{clip.name}.turns.json").exists()]
        lines = bank(cache() / "bench-voices", half) if missing else {}
        for clip in missing:
            chance = np.random.default_rng([11, HALVES.index(half), int(clip.name[-2:])])
            names = [str(name) for name in chance.permutation(list(lines))[: clip.speakers]]
            said, samples = converse({name: lines[name] for name in names}, chance)
            write_clip(folder, clip.name, said, samples)
    return [clip for half in halves for clip in exchanges(half)]


def bank(folder: Path, half: str) -> dict[str, list[Utterance]]:
    """What each voice says: replies first, then statements."""
    voice_bank.fetch(folder)
    reader: voice_bank.Reader | None = None
    said: dict[str, list[Utterance]] = {}
    for number, voice in enumerate(VOICES[half]):
        chance = np.random.default_rng([12, HALVES.index(half), number])
        for kind, count in (("replies", REPLIES), ("statements", STATEMENTS)):
            for text in chance.permutation(_lines(f"{half}: {kind}"))[:count]:
                path = folder / "quick" / f"{voice}-{zlib.crc32(str(text).encode()):08x}.wav"
                if not path.with_suffix(".words.json").exists():
                    reader = reader or voice_bank.Reader(folder)
                    voice_bank.save(reader.read(str(text), voice), path)
                said.setdefault(voice, []).append(voice_bank.restore(path, voice, str(text)))
    return said


def _lines(heading: str) -> list[str]:
    _, _, rest = LINES.read_text(encoding="utf-8").partition(f"# {heading}\n")
    return rest.partition("#")[0].splitlines()


def converse(cast: Mapping[str, Sequence[Utterance]], chance: np.random.Generator) -> tuple[list[Said], Samples]:
    """Turns that follow each other quickly, as truth and as sound of shape (frames, 1) at `RATE`."""
    gains = {name: VOICE_RMS * 10 ** (chance.uniform(-LOUDNESS_SPREAD_DB, LOUDNESS_SPREAD_DB) / 20) for name in cast}
    left = {
        name: (
            [lines[i] for i in chance.permutation(REPLIES)],
            [lines[REPLIES + i] for i in chance.permutation(STATEMENTS)],
        )
        for name, lines in cast.items()
    }
    placed: list[tuple[float, Utterance]] = []
    time, last = 0.4, ""
    names = list(cast)
    while time < SECONDS:
        # Everybody says a statement first, as a voice that is only heard in single words cannot be known.
        name, is_reply = _choose(names, left, last, chance)
        line = left[name][0 if is_reply else 1].pop()
        if not is_reply and chance.random() < SPOKEN_INTO:
            other = str(chance.choice([each for each in names if each != name]))
            reply = left[other][0].pop()
            room = line.duration - reply.duration - 0.3
            if room > 0.8:
                placed.append((time + chance.uniform(0.6, room), reply))
        elif not is_reply and chance.random() < INTERRUPTED and len(line.words) > 5:
            line = cut_short(line, int(chance.integers(4, len(line.words) - 1)))
            placed.append((time, line))
            time += line.duration - chance.uniform(*INTERRUPTION_SECONDS)
            last = name
            continue
        placed.append((time, line))
        if chance.random() < GOES_ON and len(left[name][1]) > 1:
            time += line.duration + chance.uniform(*SENTENCE_PAUSE_SECONDS)
            line = left[name][1].pop()
            placed.append((time, line))
        time += line.duration + float(np.clip(chance.normal(0.18, 0.18), 0.02, 0.8))
        last = name
    return lay(sorted(placed, key=lambda each: each[0]), gains)


def _choose(
    names: Sequence[str],
    left: Mapping[str, tuple[list[Utterance], list[Utterance]]],
    last: str,
    chance: np.random.Generator,
) -> tuple[str, bool]:
    """Who speaks next, and whether it is a reply."""
    new = [name for name in names if len(left[name][1]) == STATEMENTS and name != last]
    is_reply = bool(chance.random() < REPLY_SHARE) and len(new) < len(names) - 1
    able = [name for name in names if name != last and len(left[name][0 if is_reply else 1]) > 1]
    if not is_reply and new:
        able = new
    return str(chance.choice(able or [name for name in names if name != last])), is_reply


def cut_short(line: Utterance, words: int) -> Utterance:
    """The line's first words, faded out where the next would begin; it ends in no full stop."""
    end = (line.words[words - 1].end + line.words[words].start) / 2
    samples = line.samples[: round(end * voice_bank.RATE)].copy()
    fade = min(len(samples), round(0.02 * voice_bank.RATE))
    samples[len(samples) - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)[:, None]
    kept = line.words[:words]
    return replace(line, samples=samples, words=kept, text=" ".join(word.text for word in kept))


def lay(placed: Sequence[tuple[float, Utterance]], gains: Mapping[str, float]) -> tuple[list[Said], Samples]:
    """Lay lines at their times, in seconds, as truth and as sound of shape (frames, 1) at `RATE`."""
    end = max(start + line.duration for start, line in placed) + 0.6
    speech = np.zeros((int(end * RATE), 1), np.float32)
    said: list[Said] = []
    for start, line in placed:
        samples = audio_io.resample(line.samples, voice_bank.RATE, RATE)
        samples = samples * np.float32(gains[line.voice] / np.sqrt(np.mean(samples**2)))
        first = int(start * RATE)
        speech[first : first + len(samples)] += samples[: len(speech) - first]
        said.append(
            Said(
                start=start,
                end=start + line.duration,
                speaker=line.voice,
                text=line.text,
                heard=tuple((start + a, start + b) for a, b in heard_spans(line.samples, voice_bank.RATE)),
                words=tuple(_moved(word, start) for word in line.words),
                language=line.language,
            )
        )
    return said, speech


def _moved(word: TimedWord, seconds: float) -> TimedWord:
    return replace(word, start=word.start + seconds, end=word.end + seconds)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    clips = build(parser.parse_args().folder)
    print(f"{len(clips)} clips")


if __name__ == "__main__":
    main()
