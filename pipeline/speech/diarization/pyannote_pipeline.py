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
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from pipeline.speech.compat.lazy_modules import remove_unloadable_modules
from pipeline.speech.compat.torchaudio import install
from pipeline.speech.diarization.window_stitching import stitch_windows
from pipeline.types import SpeakerSegment

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    from numpy.typing import NDArray

    from pipeline.speech.speakers.embedding_model import SpeakerEncoder

SAMPLE_RATE = 16_000


class Hook(Protocol):
    """Told by pyannote which step is done, and for the long ones how far it is."""

    def __call__(self, step: str, done: int | None, total: int | None) -> None:
        """May raise; what it raises comes out of `Diarizer.apply`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """How the pipeline is run."""

    segmentation_step: float
    """Distance of two windows as a part of the window's 10 s."""
    segmentation_batch_size: int
    embedding_batch_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerCount:
    """What is known of the number of speakers; None where nothing is."""

    exact: int | None = None
    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiarizationOutput:
    """What pyannote found, with its own labels, in order of time."""

    segments: tuple[SpeakerSegment, ...]
    exclusive: tuple[SpeakerSegment, ...]


class SegmentationDiarizer:
    """pyannote.audio's SpeakerDiarization without its clustering, on one device, ready to run."""

    whole: ClassVar[bool] = False
    """True where its clustering is the last word, and not what `second_opinion` tells."""

    def __init__(self, segmentation: Path, embed: "SpeakerEncoder", settings: PipelineSettings, device: str) -> None:
        """`segmentation` is a verified checkpoint; `embed` goes with the voices to `second_opinion`."""
        self.embed = embed
        with _suppress_warnings():
            self._pipeline = _build_segmentation(segmentation, settings, device)

    def apply(
        self, samples: "NDArray[np.float32]", *, hook: Hook, count: SpeakerCount | None = None
    ) -> DiarizationOutput:
        """Who is heard when in mono sound of shape (frames,) at 16 kHz, which must be writable.

        A label is one person's for as long as that person is not silent for 10 s. `count` is for pyannote's
        own clustering alone.
        """
        import numpy as np

        pipeline = cast("Any", self._pipeline)
        with _suppress_warnings():
            windows = pipeline.get_segmentations(_to_pyannote_audio(samples), hook=_adapt_hook(hook))
            frames = pipeline._segmentation.model.receptive_field
            heard = pipeline.speaker_count(windows, frames, warm_up=(0.0, 0.0))
            if not heard.data.any():
                return DiarizationOutput(segments=(), exclusive=())
            starts = [frames.closest_frame(part.start + 0.5 * frames.duration) for part, _ in windows]
            names = stitch_windows(windows.data, np.array(starts, np.int64))
            both = pipeline.to_annotation(pipeline.reconstruct(windows, names, heard))
            heard.data = np.minimum(heard.data, 1)
            exclusive = pipeline.to_annotation(pipeline.reconstruct(windows, names, heard))
        return DiarizationOutput(segments=_to_segments(both), exclusive=_to_segments(exclusive))


class PretrainedPipelineDiarizer(SegmentationDiarizer):
    """A pipeline that pyannote publishes whole, with its own networks, clustering and settings."""

    whole = True

    def __init__(self, folder: Path, settings: PipelineSettings, device: str) -> None:  # pyright: ignore[reportMissingSuperCall]
        """`folder` holds verified files: `config.yaml` and what it names. Of `settings` the batches are used."""
        with _suppress_warnings():
            self._pipeline = _load_pretrained(folder, settings, device)

    def apply(
        self, samples: "NDArray[np.float32]", *, hook: Hook, count: SpeakerCount | None = None
    ) -> DiarizationOutput:
        """As above, and who is who is told; where fewer than `count` can be told apart, as many as can be."""
        known = count or SpeakerCount()
        bounds = {"num_speakers": known.exact, "min_speakers": known.min, "max_speakers": known.max}
        with _suppress_warnings():
            try:
                output = self._pipeline(_to_pyannote_audio(samples), hook=_adapt_hook(hook), **bounds)
            except ValueError as error:
                # Of scikit-learn's k-means, which pyannote asks for more groups than there are vectors.
                if count is None or "n_clusters" not in str(error):
                    raise
                output = self._pipeline(_to_pyannote_audio(samples), hook=_adapt_hook(hook))
        return DiarizationOutput(
            segments=_to_segments(output.speaker_diarization),
            exclusive=_to_segments(output.exclusive_speaker_diarization),
        )


def _to_pyannote_audio(samples: "NDArray[np.float32]") -> dict[str, Any]:
    """Sound as pyannote takes it."""
    import torch

    return {"waveform": cast("Any", torch).from_numpy(samples)[None], "sample_rate": SAMPLE_RATE, "uri": "clip"}


def _adapt_hook(hook: Hook) -> Callable[..., None]:
    """The hook as pyannote calls one."""

    def forward(step: str, _: object, *, total: int | None = None, completed: int | None = None, **__: Any) -> None:  # noqa: ANN401
        hook(step, completed, total)

    return forward


def _load_pretrained(folder: Path, settings: PipelineSettings, device: str) -> Callable[..., Any]:
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    install()
    remove_unloadable_modules()
    import torch
    from pyannote.audio import Pipeline

    pipeline = cast("Any", Pipeline).from_pretrained(folder)
    pipeline.segmentation_batch_size = settings.segmentation_batch_size
    pipeline.embedding_batch_size = settings.embedding_batch_size
    return pipeline.to(torch.device(device))


def _build_segmentation(segmentation: Path, settings: PipelineSettings, device: str) -> Callable[..., Any]:
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    install()
    remove_unloadable_modules()
    import torch
    from pyannote.audio import Model
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    pipeline = cast("Any", SpeakerDiarization)(
        segmentation=cast("Any", Model).from_pretrained(segmentation),
        segmentation_step=settings.segmentation_step,
        segmentation_batch_size=settings.segmentation_batch_size,
        # The one for which no embedding model is loaded; it is never run.
        clustering="OracleClustering",
        # The constructor insists on one, and nothing here asks it anything.
        plda=PLDA.__new__(PLDA),
    )
    return pipeline.to(torch.device(device))


def _to_segments(annotation: Any) -> tuple[SpeakerSegment, ...]:  # noqa: ANN401 - pyannote.core has no types
    return tuple(
        SpeakerSegment(start=float(segment.start), end=float(segment.end), speaker=str(label))
        for segment, _, label in annotation.itertracks(yield_label=True)
    )


@contextmanager
def _suppress_warnings() -> "Generator[None]":
    """Warnings of third parties that ask nothing of anyone here stay out of the log."""
    with warnings.catch_warnings():
        for category in (UserWarning, RuntimeWarning, DeprecationWarning, FutureWarning, SyntaxWarning):
            warnings.simplefilter("ignore", category)
        yield
