"""Which input gives the fewest wrong words: the whole mix, the separated vocals, or the two blended.

    .venv/bin/python -m tests.bench.recognition_inputs [--seconds 61] [--ratios 10 5 0]

The sample's dialogue in front of the rain of `tests.bench.nonspeech` and the music of Debian's
wesnoth-1.16-music, louder and louder; the vocals are the pocket preset's. The recogniser is told where somebody
speaks by the truth, so that the words alone differ. WER is jiwer's on text without case and punctuation.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import jiwer
import msgspec
import numpy as np
import platformdirs
from rich.console import Console
from rich.table import Table

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.models.loader import Models
from pipeline.speech.diarization.input_selection import BACKGROUND_GAIN, blend_background
from pipeline.types import Diarization, SpeakerSegment
from tests.bench.nonspeech import RATE, write_music, write_noise
from tests.bench.recognition import SAMPLE, started
from tests.bench.route_set import fetch
from tests.bench.speech_scores import normalise
from tests.bench.speech_stages import prepare_speech, separate_vocals

DATA = SAMPLE.parent
INPUTS = ("mix", "vocals", "blend")
BACKGROUNDS = ("rain", "music")


def mixes(folder: Path, sounds: Path, seconds: float, ratios: Sequence[float]) -> Iterator[tuple[str, float, Path]]:
    """The dialogue in front of each background, that many dB louder than it."""
    source = audio_io.info(SAMPLE).sample_rate
    voices = audio_io.resample(audio_io.to_mono(audio_io.read(SAMPLE, frames=int(seconds * source))), source, RATE)
    for name in BACKGROUNDS:
        behind = folder / f"{name}.wav"
        length = 20.0 * np.ceil(seconds / 20.0)
        write_music(sounds, behind, length) if name == "music" else write_noise(name, behind, length)
        rest: Samples = np.resize(audio_io.read(behind), (len(voices), 1))
        for ratio in ratios:
            level = np.sqrt(np.mean(voices**2) / np.mean(rest**2)) * 10 ** (-ratio / 20)
            path = folder / f"{name}-{ratio:g}.wav"
            audio_io.write(path, 0.5 * (voices + level * rest).astype(np.float32), RATE, subtype="PCM_16")
            yield name, ratio, path


def inputs_of(mix: Path, folder: Path, home: Path) -> dict[str, Path]:
    """What the recogniser may hear of a mix, at 16 kHz."""
    models = Models(home, "cpu")
    heard = {"mix": mix, "vocals": separate_vocals(mix, folder / "stems", models)}
    found = {name: prepare_speech(path, folder / name, models) for name, path in heard.items()}
    blended = folder / "blend.flac"
    with audio_io.SoundWriter(blended, sample_rate=16_000, channels=1, subtype="PCM_16") as writer:
        for block in blend_background(found["mix"], found["vocals"], BACKGROUND_GAIN):
            writer.write(block[:, None])
    return found | {"blend": blended}


def truth(folder: Path, seconds: float) -> tuple[Path, str]:
    """Where somebody speaks, as the recogniser is told, and the words."""
    rows = [line.split() for line in (DATA / "sample.rttm").read_text(encoding="utf-8").splitlines() if line]
    spans = [(float(row[3]), float(row[3]) + float(row[4])) for row in rows]
    segments = tuple(SpeakerSegment(start=a, end=min(b, seconds), speaker="S1") for a, b in spans if a < seconds)
    path = folder / "diarization.json"
    path.write_bytes(msgspec.json.encode(Diarization(speakers=("S1",), segments=segments, exclusive=segments)))
    words = msgspec.json.decode((DATA / "sample.words.json").read_bytes(), type=list[dict[str, str | float]])
    return path, normalise(" ".join(str(word["text"]) for word in words if float(word["start"]) < seconds))


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=61.0)
    parser.add_argument("--ratios", type=float, nargs="+", default=[10.0, 5.0, 0.0])
    parser.add_argument("--sounds", type=Path, default=platformdirs.user_cache_path("stemcord") / "bench-sounds")
    asked = parser.parse_args()
    fetch(asked.sounds)
    console = Console()
    table = Table("behind", "voices over it", *(f"WER, {name}" for name in INPUTS), box=None)
    with tempfile.TemporaryDirectory(prefix="stemcord-") as scratch:
        folder = Path(scratch)
        diarization, words = truth(folder, asked.seconds)
        for name, ratio, mix in mixes(folder, asked.sounds, asked.seconds, asked.ratios):
            found = inputs_of(mix, folder / f"{name} {ratio:g}", folder / "home")
            rates: list[str] = []
            for kind in INPUTS:
                with started(
                    "ours", folder / "home", found[kind], "--diarization", diarization, "--language", "en"
                ) as ours:
                    rates.append(f"{jiwer.wer(words, normalise(ours.run().text)):.1%}")
            table.add_row(name, f"{ratio:g} dB", *rates)
            console.print(f"{name} {ratio:g} dB: {', '.join(rates)}")
    console.print(table)


if __name__ == "__main__":
    main()
