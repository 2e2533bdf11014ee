"""Typed front of pyannote.audio: loads its networks, builds its diarization pipelines and runs them.

pyannote.audio sends usage numbers to its makers unless it is told not to before it is
imported, warns about a decoder that is not needed here, and has no types that hold.
"""

import os
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.compat.lazy_modules import remove_unloadable_modules
from pipeline.speech.compat.torchaudio import install
from pipeline.types import SpeakerSegment

SAMPLE_RATE = 16_000


class Hook(Protocol):
    """Called by pyannote with the step that it is at, and for long steps with how far it is."""

    def __call__(self, step: str, completed: int | None, total: int | None) -> None:
        """Report a step; what this raises comes out of `apply`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """Settings of a pyannote pipeline."""

    segmentation_step: float
    """Distance of two windows as a fraction of the window's 10 s."""
    segmentation_batch_size: int
    embedding_batch_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerCount:
    """What the person said about the number of speakers; None where nothing."""

    exact: int | None = None
    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiarizationOutput:
    """Segments with labels of the pipeline's own, in order of time."""

    segments: tuple[SpeakerSegment, ...]
    """Speakers may overlap."""
    exclusive: tuple[SpeakerSegment, ...]
    """The most likely speaker alone at each moment."""


class PretrainedPipelineDiarizer:
    """A pipeline that pyannote publishes, with its own networks, clustering and settings."""

    def __init__(self, folder: Path, settings: PipelineSettings, device: str) -> None:
        """Load a pipeline.

        Args:
            folder: Verified files: `config.yaml` and what it names.
            settings: Of these only the batch sizes are used.
            device: A torch device.
        """
        with _suppress_warnings():
            self._pipeline = _load_pretrained(folder, settings, device)

    def apply(self, samples: NDArray[np.float32], *, hook: Hook, count: SpeakerCount) -> DiarizationOutput:
        """Find who speaks when; where fewer than `count` can be told apart, there are as many as can be.

        Args:
            samples: Mono sound at 16 kHz, shape (samples,); must be writable.
            hook: Called as the pipeline goes.
            count: Constraints on the number of speakers.
        """
        bounds = {"num_speakers": count.exact, "min_speakers": count.min, "max_speakers": count.max}
        with _suppress_warnings():
            try:
                output = self._pipeline(_to_pyannote_audio(samples), hook=_adapt_hook(hook), **bounds)
            except ValueError as error:
                # scikit-learn's k-means raises it where pyannote asks for more groups than there are vectors.
                if "n_clusters" not in str(error):
                    raise
                output = self._pipeline(_to_pyannote_audio(samples), hook=_adapt_hook(hook))
        return DiarizationOutput(
            segments=_to_segments(output.speaker_diarization),
            exclusive=_to_segments(output.exclusive_speaker_diarization),
        )


def _to_pyannote_audio(samples: NDArray[np.float32]) -> dict[str, Any]:
    import torch

    return {"waveform": cast("Any", torch).from_numpy(samples)[None], "sample_rate": SAMPLE_RATE, "uri": "clip"}


def _adapt_hook(hook: Hook) -> Callable[..., None]:
    """Wrap the hook in the signature with which pyannote calls one."""

    def forward(step: str, _: object, *, total: int | None = None, completed: int | None = None, **__: Any) -> None:  # noqa: ANN401
        hook(step, completed, total)

    return forward


def _load_pretrained(folder: Path, settings: PipelineSettings, device: str) -> Callable[..., Any]:
    _prepare_import()
    import torch
    from pyannote.audio import Pipeline

    pipeline = cast("Any", Pipeline).from_pretrained(folder)
    pipeline.segmentation_batch_size = settings.segmentation_batch_size
    pipeline.embedding_batch_size = settings.embedding_batch_size
    return pipeline.to(torch.device(device))


def load_segmentation_network(checkpoint: Path) -> Any:  # noqa: ANN401 - pyannote.audio has no types that hold
    """Load a segmentation network, a torch module, from its verified weights."""
    with _suppress_warnings():
        _prepare_import()
        from pyannote.audio import Model

        return cast("Any", Model).from_pretrained(checkpoint).eval()


def _prepare_import() -> None:
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    install()
    remove_unloadable_modules()


def _to_segments(annotation: Any) -> tuple[SpeakerSegment, ...]:  # noqa: ANN401 - pyannote.core has no types
    return tuple(
        SpeakerSegment(start=float(segment.start), end=float(segment.end), speaker=str(label))
        for segment, _, label in annotation.itertracks(yield_label=True)
    )


@contextmanager
def _suppress_warnings() -> Generator[None]:
    """Keep warnings of third parties that ask nothing of anyone here out of the log."""
    with warnings.catch_warnings():
        for category in (UserWarning, RuntimeWarning, DeprecationWarning, FutureWarning, SyntaxWarning):
            warnings.simplefilter("ignore", category)
        yield
