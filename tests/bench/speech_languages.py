"""Clips in which the language changes: between speakers, within one speaker's talk, at silence and without.

    .venv/bin/python -m tests.bench.speech_languages FOLDER

The lines of `speech_language_lines.txt` are said by Kokoro's voices (`voice_bank`). Clips of the half `tune` and of
the half `held` share no voice and no line, and hardly a pair of languages. For each clip FOLDER gets a .flac, an .rttm
and a .turns.json with the times of the words and the language of each line; the seed of clip N is (13, place of the
half, N).
"""

import argparse
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tests.bench import voice_bank
from tests.bench.read_clips import build_missing
from tests.bench.speech_exchanges import lay
from tests.bench.speech_set import VOICE_RMS, cache, write_clip
from tests.bench.voice_bank import Utterance

LINES: Final = Path(__file__).with_name("speech_language_lines.txt")
HALVES: Final = ("tune", "held")
JOINED_SECONDS: Final = (0.02, 0.12)
"""Between two languages where they follow each other without a pause, ..."""
PARTED_SECONDS: Final = (0.7, 1.4)
"""... and with one."""
SENTENCE_PAUSE_SECONDS: Final = (0.15, 0.5)
"""Between lines of one language."""
ENGLISH: Final = {"tune": voice_bank.TUNE, "held": voice_bank.TEST}
NATIVE: Final = {
    "tune": {"it": ("if_sara",), "es": ("ef_dora", "em_santa"), "fr": ("ff_siwis",)},
    "held": {"it": ("im_nicola",), "es": ("em_alex",), "pt": ("pf_dora", "pm_alex")},
}
"""Voices of a language, who say their English lines, too: an English voice has too much of an accent in theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Who says how many lines in which language, as `0a2`: speaker 0, the clip's first language, two lines."""

    turns: str
    joined: bool


SCRIPTS: Final = (
    Script(turns="0a2 1b2 0a1 1b2 0a2", joined=False),
    Script(turns="0a2 1b2 0a1 1b2 0a2", joined=True),
    Script(turns="0a4 0b4", joined=False),
    Script(turns="0a4 0b4", joined=True),
    Script(turns="0a3 0b1 0a3", joined=False),
    Script(turns="0a3 0b1 0a2 0b1 0a1", joined=True),
    Script(turns="0a2 1b2 2c2 0a1 2c1 1b1", joined=False),
    Script(turns="0a1 1b1 0a1 1b1 0a1 1b1 0a1 1b1", joined=True),
    Script(turns="0a2 0b2 0a2 0b2", joined=False),
    Script(turns="0a3 1b1 0a2 1a2", joined=True),
)
LANGUAGES: Final = {
    "tune": ("en it", "es en", "en fr", "it en", "en es", "fr en", "en es it", "fr en", "en it", "en fr"),
    "held": ("en pt", "it en", "en es", "es en", "it en", "en pt", "en it es", "pt en", "es en", "en it"),
}
"""Of each script's clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageClip:
    """A clip of the set."""

    name: str
    script: Script
    languages: tuple[str, ...]


def clips(half: str) -> list[LanguageClip]:
    """The clips of a half."""
    return [
        LanguageClip(name=f"languages-{half}-{number:02d}", script=script, languages=tuple(languages.split()))
        for number, (script, languages) in enumerate(zip(SCRIPTS, LANGUAGES[half], strict=True))
    ]


def build(folder: Path, halves: Sequence[str] = HALVES, names: Collection[str] = ()) -> list[LanguageClip]:
    """Write what is missing of the halves, or of the clips of these names, into the folder."""
    return build_missing(folder, clips, lambda clip, half, reader: _write(folder, clip, half, reader), halves, names)


def _write(folder: Path, clip: LanguageClip, half: str, reader: voice_bank.Reader) -> None:
    chance = np.random.default_rng([13, HALVES.index(half), int(clip.name[-2:])])
    left = {language: [str(line) for line in chance.permutation(lines(half, language))] for language in clip.languages}
    cast: dict[int, str] = {}
    placed: list[tuple[float, Utterance]] = []
    time, before = 0.5, ""
    for turn in clip.script.turns.split():
        speaker, language, count = int(turn[0]), clip.languages["abc".index(turn[1])], int(turn[2])
        if speaker not in cast:
            spoken = {clip.languages["abc".index(each[1])] for each in clip.script.turns.split() if each[0] == turn[0]}
            known = next((NATIVE[half][code] for code in sorted(spoken) if code in NATIVE[half]), ENGLISH[half])
            cast[speaker] = str(chance.choice([voice for voice in known if voice not in cast.values()]))
        for _ in range(count):
            changed = before not in ("", language)
            pause = (JOINED_SECONDS if clip.script.joined else PARTED_SECONDS) if changed else SENTENCE_PAUSE_SECONDS
            time += chance.uniform(*pause) if placed else 0.0
            line = voice_bank.read_kept(
                cache() / "bench-voices/languages", reader, left[language].pop(), cast[speaker], language
            )
            placed.append((time, line))
            time, before = time + line.duration, language
    write_clip(folder, clip.name, *lay(placed, dict.fromkeys(cast.values(), VOICE_RMS)))


def lines(half: str, language: str) -> list[str]:
    """The lines of a half in a language."""
    _, _, rest = LINES.read_text(encoding="utf-8").partition(f"# {half}: {language}\n")
    return rest.partition("#")[0].splitlines()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    print(f"{len(build(parser.parse_args().folder))} clips")


if __name__ == "__main__":
    main()
