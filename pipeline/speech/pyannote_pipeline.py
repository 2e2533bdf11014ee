"""The one typed door to pyannote.audio: builds its diarization pipeline and runs it.

pyannote.audio sends usage numbers to its makers unless it is told not to before it is
imported, warns about a decoder that is not needed here, and has no types that hold.
"""

import os
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from pipeline.speech.torchaudio_compat import install
from pipeline.types import SpeakerSegment

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000


class Hook(Protocol):
    """Told by pyannote which step is done, and for the long ones how far it is."""

    def __call__(self, step: str, done: int | None, total: int | None) -> None:
        """May raise; what it raises comes out of `Diarizer.apply`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the pipeline is run."""

    step: float
    """Distance of two windows as a part of the window's 10 s."""
    threshold: float
    """Distance of two voices' vectors, of length 1, above which they are two people."""
    min_cluster_size: int
    """Windows in which a voice is heard clearly before it counts as a person."""
    segmentation_batch: int
    embedding_batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What is known of the number of speakers; None where nothing is."""

    exact: int | None = None
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The verified files that the pipeline is built from."""

    segmentation: Path
    embedding: Path
    network: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """What pyannote found, with its own labels, in order of time."""

    segments: tuple[SpeakerSegment, ...]
    exclusive: tuple[SpeakerSegment, ...]
    vectors: "Mapping[str, NDArray[np.float32]]"
    """The mean vector of each voice, by label."""


class Diarizer:
    """pyannote.audio's SpeakerDiarization on one device, ready to run."""

    def __init__(self, weights: Weights, settings: Settings, device: str) -> None:
        with _quiet():
            self._pipeline = _build(weights, settings, device)

    def apply(self, samples: "NDArray[np.float32]", *, hook: Hook) -> Voices:
        """Who is heard when in mono sound of shape (frames,) at 16 kHz, which must be writable."""
        import torch

        def forward(step: str, _: object, *, total: int | None = None, completed: int | None = None, **__: Any) -> None:  # noqa: ANN401
            hook(step, completed, total)

        file = {"waveform": cast("Any", torch).from_numpy(samples)[None], "sample_rate": SAMPLE_RATE, "uri": "clip"}
        with _quiet():
            output = self._pipeline(file, hook=forward)
        labels = [str(label) for label in output.speaker_diarization.labels()]
        return Voices(
            segments=_segments(output.speaker_diarization),
            exclusive=_segments(output.exclusive_speaker_diarization),
            vectors=dict(zip(labels, output.speaker_embeddings, strict=True)),
        )

    def embed(self, samples: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The voice's vector, shape (192,), of at least 0.2 s of mono sound, shape (frames,), at 16 kHz."""
        import torch

        return cast("Any", self._pipeline)._embedding(cast("Any", torch).from_numpy(samples)[None, None])[0]


def _build(weights: Weights, settings: Settings, device: str) -> Callable[..., Any]:
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    install()
    import torch
    from pyannote.audio import Model
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    from pipeline.speech.embedding import CAMPPlusEmbedding

    pipeline = cast("Any", SpeakerDiarization)(
        segmentation=cast("Any", Model).from_pretrained(weights.segmentation),
        segmentation_step=settings.step,
        segmentation_batch_size=settings.segmentation_batch,
        embedding=CAMPPlusEmbedding(network=weights.network, checkpoint=weights.embedding),
        embedding_batch_size=settings.embedding_batch,
        embedding_exclude_overlap=True,
        clustering="AgglomerativeClustering",
        # The constructor insists on one, and this clustering never asks it anything.
        plda=PLDA.__new__(PLDA),
    )
    pipeline.instantiate(
        {
            "segmentation": {"min_duration_off": 0.0},
            "clustering": {
                "method": "centroid",
                "min_cluster_size": settings.min_cluster_size,
                "threshold": settings.threshold,
            },
        }
    )
    return pipeline.to(torch.device(device))


def _segments(annotation: Any) -> tuple[SpeakerSegment, ...]:  # noqa: ANN401 - pyannote.core has no types
    return tuple(
        SpeakerSegment(start=float(segment.start), end=float(segment.end), speaker=str(label))
        for segment, _, label in annotation.itertracks(yield_label=True)
    )


@contextmanager
def _quiet() -> "Generator[None]":
    """Warnings of third parties that ask nothing of anyone here stay out of the log."""
    with warnings.catch_warnings():
        for category in (UserWarning, RuntimeWarning, DeprecationWarning, FutureWarning, SyntaxWarning):
            warnings.simplefilter("ignore", category)
        yield
