"""Segmentation by pyannote's PyanNet: who speaks when, as far as one voice goes on without a long pause.

The network hears windows of 10 s and names up to three voices in each, two of them at once. Windows overlap; how many
speak in a frame is their mean, and who speaks is what most of them say, as in pyannote.audio's SpeakerDiarization
(Bredin 2023), which `tests/pipeline/speech/diarization/test_segmentation.py` compares it with. The library itself takes
seconds to import, so it only exports the network, once.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.diarization.pyannote_pipeline import SAMPLE_RATE, DiarizationOutput, Hook
from pipeline.speech.diarization.window_stitching import INACTIVE, stitch_windows
from pipeline.types import SpeakerSegment

WINDOW_SECONDS: Final = 10.0
WINDOW_SAMPLES: Final = round(WINDOW_SECONDS * SAMPLE_RATE)
WINDOW_FRAMES: Final = 589
"""Frames that the network gives for a window."""
FRAME_SECONDS: Final = 991 / SAMPLE_RATE
"""What a frame is heard from, ..."""
FRAME_STEP_SECONDS: Final = 270 / SAMPLE_RATE
"""... and the distance of two."""
POWERSET: Final = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1))
"""The voices of each class of the network (Plaquet and Bredin 2023)."""
VOICES: Final = 3
MIN_SEGMENT_SECONDS: Final = 1e-6

RunNetwork: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Windows of shape (windows, 1, samples) in, scores of shape (windows, frames, classes) out."""


class Segmenter:
    """A loaded network, ready to run."""

    def __init__(self, run: RunNetwork, *, step: float, batch_size: int) -> None:
        """Take a network.

        Args:
            run: The network.
            step: Distance of two windows as a fraction of their length.
            batch_size: Windows that are heard at once.
        """
        self._run = run
        self._step_seconds = step * WINDOW_SECONDS
        self._batch_size = batch_size

    def apply(self, samples: NDArray[np.float32], *, hook: Hook) -> DiarizationOutput:
        """Find who speaks when; a label is one person's for as long as that person is not silent for 10 s.

        Args:
            samples: Mono sound at 16 kHz, shape (samples,).
            hook: Called as the segmentation goes; what it raises comes out.
        """
        return join_windows(self.hear_windows(samples, hook), self._step_seconds)

    def hear_windows(self, samples: NDArray[np.float32], hook: Hook) -> NDArray[np.float32]:
        """Hear each window of a sound, the last one filled up with silence.

        Returns:
            1 where a window hears a voice, else 0; shape (windows, frames, voices).
        """
        step = round(self._step_seconds * SAMPLE_RATE)
        count = count_windows(len(samples), self._step_seconds)
        powerset = np.array(POWERSET, np.float32)
        heard: list[NDArray[np.float32]] = []
        hook("segmentation", 0, count)
        for first in range(0, count, self._batch_size):
            numbers = range(first, min(count, first + self._batch_size))
            batch = np.zeros((len(numbers), 1, WINDOW_SAMPLES), np.float32)
            for row, number in enumerate(numbers):
                window = samples[number * step : number * step + WINDOW_SAMPLES]
                batch[row, 0, : len(window)] = window
            heard.append(powerset[self._run(batch).argmax(axis=-1)])
            hook("segmentation", numbers[-1] + 1, count)
        return np.concatenate(heard)


def count_windows(samples: int, step_seconds: float) -> int:
    """Count the windows of a sound, of which the last may reach over its end."""
    return 1 + max(0, -(-(samples - WINDOW_SAMPLES) // round(step_seconds * SAMPLE_RATE)))


def join_windows(active: NDArray[np.float32], step_seconds: float) -> DiarizationOutput:
    """Find who speaks when from what each window of a clip hears; see `Segmenter.apply`.

    Args:
        active: As `Segmenter.hear_windows` gives it.
        step_seconds: Between the starts of two windows.
    """
    starts = np.array([_nearest_frame(window * step_seconds) for window in range(len(active))], np.int64)
    frames = _nearest_frame(WINDOW_SECONDS + (len(active) - 1) * step_seconds) + 1
    count = _count_voices(active, starts, frames)
    if not count.any():
        return DiarizationOutput(segments=(), exclusive=())
    votes = _vote(active, stitch_windows(active, starts), starts, frames)
    return DiarizationOutput(
        segments=tuple(_to_segments(_choose_voices(votes, count))),
        exclusive=tuple(_to_segments(_choose_voices(votes, np.minimum(count, 1)))),
    )


def _nearest_frame(seconds: float) -> int:
    """Find the frame that begins nearest to a time."""
    return int(np.rint(seconds / FRAME_STEP_SECONDS))


def _count_voices(active: NDArray[np.float32], starts: NDArray[np.int64], frames: int) -> NDArray[np.int64]:
    """Count the voices of each frame of the clip, as the mean of its windows; shape (frames,)."""
    total, seen = np.zeros(frames, np.float32), np.zeros(frames, np.float32)
    for window, first in zip(active, starts, strict=True):
        total[first : first + len(window)] += window.sum(axis=1)
        seen[first : first + len(window)] += 1.0
    return np.rint(total / np.maximum(seen, 1.0)).astype(np.int64)


def _vote(
    active: NDArray[np.float32], stitched: NDArray[np.int64], starts: NDArray[np.int64], frames: int
) -> NDArray[np.float32]:
    """Count in how many windows each voice of the clip is heard; shape (frames, voices of the clip)."""
    votes = np.zeros((frames, int(stitched.max()) + 1), np.float32)
    for window, voices, first in zip(active, stitched, starts, strict=True):
        for voice in np.unique(voices[voices != INACTIVE]):
            votes[first : first + len(window), voice] += window[:, voices == voice].max(axis=1)
    return votes


def _choose_voices(votes: NDArray[np.float32], count: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Choose as many voices in each frame as are heard, those with most votes."""
    chosen = np.zeros((len(votes), max(votes.shape[1], int(count.max()))), np.bool_)
    wider = np.pad(votes, ((0, 0), (0, chosen.shape[1] - votes.shape[1])))
    np.put_along_axis(chosen, np.argsort(-wider, axis=-1), np.arange(chosen.shape[1]) < count[:, None], axis=-1)
    return chosen


def _to_segments(chosen: NDArray[np.bool_]) -> Iterator[SpeakerSegment]:
    """List the stretches of each voice from the middle of one frame to that of another, in order of time."""
    middles = np.arange(len(chosen)) * FRAME_STEP_SECONDS + 0.5 * FRAME_SECONDS
    segments: list[tuple[float, float, int]] = []
    for voice, frames in enumerate(chosen.T):
        changes = np.flatnonzero(np.diff(frames)) + 1
        bounds = [*([0] if frames[0] else []), *changes, *([len(frames) - 1] if frames[-1] else [])]
        spans = zip(bounds[::2], bounds[1::2], strict=True)
        segments += [(float(middles[first]), float(middles[last]), voice) for first, last in spans]
    for start, end, voice in sorted(segments):
        if end - start > MIN_SEGMENT_SECONDS:
            yield SpeakerSegment(start=start, end=end, speaker=str(voice))
