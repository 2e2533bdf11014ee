"""Measures that the tests of separation share, and a small Demucs network to test with."""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from pipeline.graph.stage import StageContext
from pipeline.models.entries import HubFile, Model
from pipeline.models.loader import Models
from pipeline.separation.contracts import SeparateInputs, SeparateOutput, SeparateParams
from pipeline.separation.stage import separate_stage

DATA = Path(__file__).parents[2] / "data"


def si_sdr(estimate, reference) -> float:
    """Scale-invariant signal-to-distortion ratio in dB over all channels together (Le Roux et al. 2019)."""
    made = np.asarray(estimate, np.float64).ravel()
    true = np.asarray(reference, np.float64).ravel()
    target = (made @ true) / (true @ true) * true
    return float(10 * np.log10((target @ target) / ((made - target) @ (made - target))))


def steps(path: Path) -> np.ndarray:
    """A 24-bit file as whole steps, shape (frames, channels)."""
    return np.asarray(soundfile.read(path, dtype="int32", always_2d=True)[0], np.int32) >> 8


def save_sound(path: Path, samples: np.ndarray, rate: int) -> Path:
    soundfile.write(path, samples, rate, subtype="PCM_24")
    return path


def save_network(folder: Path, signature: str, *, sources=("drums", "bass", "other", "vocals"), seed=0) -> Path:
    """A tiny random HTDemucs in demucs's own format, named `SIG-<first eight digits of its sha256>.th`."""
    import torch
    from demucs import htdemucs
    from demucs.states import get_state, save_with_checksum

    torch.manual_seed(seed)
    made_by: Any = htdemucs.HTDemucs
    network = made_by(
        sources=list(sources), channels=8, growth=1, nfft=1024, depth=4, t_layers=1, t_heads=2, segment=Fraction(1)
    )
    args, kwargs = network._init_args_kwargs
    content = {"klass": made_by, "args": args, "kwargs": kwargs, "training_args": {"epochs": 0}}
    folder.mkdir(parents=True, exist_ok=True)
    save_with_checksum(content | {"state": get_state(network, None)}, folder / f"{signature}.th")
    return next(folder.glob(f"{signature}-*.th"))


def entry_of(path: Path, engine: str, settings: dict[str, Any]) -> Model:
    """A catalogue entry called `tiny` for a UVR checkpoint that was made here."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    file = HubFile(name=f"uvr/{path.name}", addresses=(), sha256=digest, size=path.stat().st_size)
    return Model(
        name="tiny",
        engine=engine,
        environment="media",
        licence="none",
        source="",
        good_for="",
        hub=(file,),
        settings=settings,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparationJob:
    """A call of the stage `separate`."""

    context: StageContext
    inputs: SeparateInputs[Path]
    params: SeparateParams

    def run(self) -> SeparateOutput[Path]:
        return separate_stage(self.context, self.inputs, self.params)

    @property
    def out(self) -> Path:
        return self.context.out

    @property
    def models(self) -> Models:
        return self.context.models


def stem_names(output: SeparateOutput[Path]) -> list[str]:
    return [stem.value for stem, _ in output.stems]


class ProgressRecorder:
    """A report that keeps what it was told and may raise once a fraction is reached."""

    def __init__(self, stop_at: float | None = None, error: Exception | None = None) -> None:
        self.fractions: list[float] = []
        self._stop_at, self._error = stop_at, error

    def __call__(self, fraction: float, message: str = "") -> None:
        self.fractions.append(fraction)
        if self._stop_at is not None and self._error is not None and fraction >= self._stop_at:
            raise self._error


class Trap:
    """What a checkpoint that would run code holds: read without care, it leaves a file."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self):
        return exec, (f"open({str(self._mark)!r}, 'w')",)
