"""Quality of the pocket preset's separation: SI-SDR and SDR of speech and background on generated mixes.

    .venv/bin/python -m tests.bench.separation_quality [--half tune test] [--sounds FOLDER]

First the sample clip, then the mixes of `tests.bench.mixes`, each through the whole stage with each engine. The rows
`route` show what the preset's own choice for each mix gives. Bars are the figures that the engines reached alone, on
one mono mix of each kind at 0 dB; medians count, and mixes below the bar are counted beside them.
"""

import argparse
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.catalog import MODELS
from pipeline.graph.stage import StageContext
from pipeline.media.probe import probe
from pipeline.media.sound.extract import extract_master
from pipeline.models.loader import Models
from pipeline.routing.contracts import RouteParams
from pipeline.routing.decision import choose_route
from pipeline.routing.features import measure_shares
from pipeline.separation.contracts import SeparateInputs, SeparateParams
from pipeline.separation.stage import separate_stage
from pipeline.types import Budget, Preset
from tests.bench import sounds
from tests.bench.mixes import Mix, mixes
from tests.bench.sounds import DATA, HALVES, RATE
from tests.pipeline.separation.measure import si_sdr

DENOISER, SINGER, BOTH = "deepfilternet3", "spleeter-2stems", "deepfilternet3-spleeter"
POCKET = (DENOISER, SINGER, BOTH)
ROUTE = "route"
BARS = {
    ("music", DENOISER): (9.0, 8.7),
    ("rain", DENOISER): (10.1, 10.0),
    ("both", DENOISER): (9.1, 8.9),
    ("music", SINGER): (7.3, 7.4),
    ("rain", SINGER): (5.7, 6.3),
    ("both", SINGER): (6.2, 6.6),
}
"""SI-SDR of speech and background in dB, at 0 dB. The route is held to the denoiser's."""


@dataclass(frozen=True, slots=True)
class Score:
    """In dB."""

    speech: float
    background: float
    speech_sdr: float
    background_sdr: float

    @property
    def mean(self) -> float:
        """SI-SDR of both parts, averaged."""
        return (self.speech + self.background) / 2


def main() -> None:
    """Print a line for each mix and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", nargs="+", choices=[half.name for half in HALVES], default=["tune", "test"])
    parser.add_argument("--sounds", type=Path, default=sounds.cache())
    asked = parser.parse_args()
    console = Console(highlight=False, width=120)
    found: dict[tuple[str, str, float, str], list[Score]] = defaultdict(list)
    gated: dict[str, list[dict[str, Score]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = Models(folder / "home", "cpu")
        judge_sample(models, folder, console)
        for half in HALVES:
            for mix in mixes(asked.sounds, half) if half.name in asked.half else ():
                scores, chosen = judge(mix, models, folder)
                if chosen == BOTH:
                    gated[mix.half].append(scores)
                for model, score in (*scores.items(), (ROUTE, scores[chosen])):
                    found[mix.kind, mix.layout, mix.balance, model].append(score)
                figures = ", ".join(
                    f"{model} {score.speech:.1f}/{score.background:.1f}" for model, score in scores.items()
                )
                console.print(f"{mix.half} {mix.kind}, {mix.name}: {figures}, route takes {chosen}")
    show(found, console)
    for half, mixed in gated.items():
        for member in (DENOISER, SINGER):
            gains = [scores[BOTH].mean - scores[member].mean for scores in mixed]
            console.print(
                f"{half}, {len(gains)} mixes that the route gives to {BOTH}: {mean(gains):+.2f} dB over {member} "
                f"(mean of speech and background), worst {min(gains):+.2f}"
            )


def judge_sample(models: Models, folder: Path, console: Console) -> None:
    """All engines on the sample clip; its music is known only as what the speech leaves of the mix."""
    path, clip = folder / "sample.flac", DATA / "sample.mp4"
    extract_master(clip, probe(clip), path)
    speech = DATA / "sample.speech.flac"
    clean = np.repeat(audio_io.resample(audio_io.read(speech), audio_io.info(speech).sample_rate, RATE), 2, axis=1)
    whole = audio_io.read(path)
    frames = min(len(whole), len(clean))
    for model in POCKET:
        vocals, _ = separate(path, model, models)
        before, after = si_sdr(whole[:frames], clean[:frames]), si_sdr(vocals[:frames], clean[:frames])
        console.print(f"sample: {model} {after:.2f} dB, {after - before:+.2f} dB over the mix")


def judge(mix: Mix, models: Models, folder: Path) -> tuple[dict[str, Score], str]:
    """Scores of all engines, and the engine that the route would take."""
    path = folder / "mix.flac"
    whole = mix.speech + mix.background
    audio_io.write(path, whole, RATE)
    shares = measure_shares(path)
    duration = len(whole) / RATE
    chosen = choose_route(RouteParams(duration=duration, budget=Budget.NORMAL, preset=Preset.POCKET), shares).model
    scores: dict[str, Score] = {}
    for model in POCKET:
        vocals, background = separate(path, model, models)
        scores[model] = Score(
            si_sdr(vocals, mix.speech),
            si_sdr(background, mix.background),
            sdr(vocals, mix.speech),
            sdr(background, mix.background),
        )
    return scores, str(chosen)


def separate(path: Path, model: str, models: Models) -> tuple[Samples, Samples]:
    """Vocals and background as the stage writes them."""
    params = SeparateParams(engine=MODELS[model].engine, model=model, weights="")
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        separate_stage(StageContext(out=out, report=quiet, models=models), SeparateInputs(sound=path), params)
        return audio_io.read(out / "vocals.flac"), audio_io.read(out / "background.flac")


def quiet(fraction: float, message: str = "") -> None:
    """Progress that nobody reads."""


def sdr(made: Samples, true: Samples) -> float:
    """Signal-to-distortion ratio in dB, levels counted."""
    error = np.square(made - true, dtype=np.float64).sum()
    return float(10 * np.log10(np.square(true, dtype=np.float64).sum() / max(error, 1e-20)))


def show(found: dict[tuple[str, str, float, str], list[Score]], console: Console) -> None:
    """Medians and worst of each kind, with bars where they apply."""
    table = Table(
        "background", "layout", "dB", "model", "mixes", "SI-SDR speech", "SI-SDR background", "SDR", "bar", "met"
    )
    for (kind, layout, balance, model), scores in sorted(
        found.items(), key=lambda item: (item[0][0], item[0][2:], item[0][1])
    ):
        bar = BARS.get((kind, DENOISER if model == ROUTE else model)) if balance == 0 else None
        speech, rest = [score.speech for score in scores], [score.background for score in scores]
        table.add_row(
            *(kind, layout, f"{balance:+g}", model, str(len(scores))),
            *(f"{median(values):.1f}, worst {min(values):.1f}" for values in (speech, rest)),
            f"{median(s.speech_sdr for s in scores):.1f}/{median(s.background_sdr for s in scores):.1f}",
            *("", "") if bar is None else (f"{bar[0]}/{bar[1]}", verdict(scores, bar)),
        )
    console.print(table)
    verdicts = [
        verdict(scores, bar)
        for (kind, _, balance, model), scores in found.items()
        if balance == 0 and model == ROUTE and (bar := BARS.get((kind, DENOISER)))
    ]
    met = sum(found.startswith("pass") for found in verdicts)
    console.print(f"bars of the route: {met} met, {len(verdicts) - met} missed")


def verdict(scores: list[Score], bar: tuple[float, float]) -> str:
    """Whether the medians reach the bar, and how many mixes do not."""
    met = median(s.speech for s in scores) >= bar[0] and median(s.background for s in scores) >= bar[1]
    below = sum(s.speech < bar[0] or s.background < bar[1] for s in scores)
    return f"{'pass' if met else 'miss'}, {below} below"


if __name__ == "__main__":
    main()
