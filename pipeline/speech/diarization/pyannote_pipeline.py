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

from pipeline.speech.compat.lazy_modules import forget_unloadable_modules
from pipeline.speech.compat.torchaudio import install
from pipeline.speech.diarization.window_stitching import stitch
from pipeline.types import SpeakerSegment

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    from numpy.typing import NDArray

    from pipeline.speech.speakers.embedding_model import Encode

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
    segmentation_batch: int
    embedding_batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What is known of the number of speakers; None where nothing is."""

    exact: int | None = None
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """What pyannote found, with its own labels, in order of time."""

    segments: tuple[SpeakerSegment, ...]
    exclusive: tuple[SpeakerSegment, ...]


class Diarizer:
    """pyannote.audio's SpeakerDiarization without its clustering, on one device, ready to run."""

    whole: ClassVar[bool] = False
    """True where its clustering is the last word, and not what `second_opinion` tells."""

    def __init__(self, segmentation: Path, embed: "Encode", settings: Settings, device: str) -> None:
        """`segmentation` is a verified checkpoint; `embed` goes with the voices to `second_opinion`."""
        self.embed = embed
        with _quiet():
            self._pipeline = _build(segmentation, settings, device)

    def apply(self, samples: "NDArray[np.float32]", *, hook: Hook, count: Count | None = None) -> Voices:
        """Who is heard when in mono sound of shape (frames,) at 16 kHz, which must be writable.

        A label is one person's for as long as that person is not silent for 10 s. `count` is for pyannote's
        own clustering alone.
        """
        import numpy as np

        pipeline = cast("Any", self._pipeline)
        with _quiet():
            windows = pipeline.get_segmentations(_file(samples), hook=_forwarded(hook))
            frames = pipeline._segmentation.model.receptive_field
            heard = pipeline.speaker_count(windows, frames, warm_up=(0.0, 0.0))
            if not heard.data.any():
                return Voices(segments=(), exclusive=())
            starts = [frames.closest_frame(part.start + 0.5 * frames.duration) for part, _ in windows]
            names = stitch(windows.data, np.array(starts, np.int64))
            both = pipeline.to_annotation(pipeline.reconstruct(windows, names, heard))
            heard.data = np.minimum(heard.data, 1)
            exclusive = pipeline.to_annotation(pipeline.reconstruct(windows, names, heard))
        return Voices(segments=_segments(both), exclusive=_segments(exclusive))


class WholeDiarizer(Diarizer):
    """A pipeline that pyannote publishes whole, with its own networks, clustering and settings."""

    whole = True

    def __init__(self, folder: Path, settings: Settings, device: str) -> None:  # pyright: ignore[reportMissingSuperCall]
        """`folder` holds verified files: `config.yaml` and what it names. Of `settings` the batches are used."""
        with _quiet():
            self._pipeline = _load(folder, settings, device)

    def apply(self, samples: "NDArray[np.float32]", *, hook: Hook, count: Count | None = None) -> Voices:
        """As above, and who is who is told; where fewer than `count` can be told apart, as many as can be."""
        known = count or Count()
        bounds = {"num_speakers": known.exact, "min_speakers": known.least, "max_speakers": known.most}
        with _quiet():
            try:
                output = self._pipeline(_file(samples), hook=_forwarded(hook), **bounds)
            except ValueError as error:
                # Of scikit-learn's k-means, which pyannote asks for more groups than there are vectors.
                if count is None or "n_clusters" not in str(error):
                    raise
                output = self._pipeline(_file(samples), hook=_forwarded(hook))
        return Voices(
            segments=_segments(output.speaker_diarization), exclusive=_segments(output.exclusive_speaker_diarization)
        )


def _file(samples: "NDArray[np.float32]") -> dict[str, Any]:
    """Sound as pyannote takes it."""
    import torch

    return {"waveform": cast("Any", torch).from_numpy(samples)[None], "sample_rate": SAMPLE_RATE, "uri": "clip"}


def _forwarded(hook: Hook) -> Callable[..., None]:
    """The hook as pyannote calls one."""

    def forward(step: str, _: object, *, total: int | None = None, completed: int | None = None, **__: Any) -> None:  # noqa: ANN401
        hook(step, completed, total)

    return forward


def _load(folder: Path, settings: Settings, device: str) -> Callable[..., Any]:
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    install()
    forget_unloadable_modules()
    import torch
    from pyannote.audio import Pipeline

    pipeline = cast("Any", Pipeline).from_pretrained(folder)
    pipeline.segmentation_batch_size = settings.segmentation_batch
    pipeline.embedding_batch_size = settings.embedding_batch
    return pipeline.to(torch.device(device))


def _build(segmentation: Path, settings: Settings, device: str) -> Callable[..., Any]:
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    install()
    forget_unloadable_modules()
    import torch
    from pyannote.audio import Model
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    pipeline = cast("Any", SpeakerDiarization)(
        segmentation=cast("Any", Model).from_pretrained(segmentation),
        segmentation_step=settings.step,
        segmentation_batch_size=settings.segmentation_batch,
        # The one for which no embedding model is loaded; it is never run.
        clustering="OracleClustering",
        # The constructor insists on one, and nothing here asks it anything.
        plda=PLDA.__new__(PLDA),
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
