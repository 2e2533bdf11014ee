"""The sound of a clip as one channel, in which nothing is lost that is inverted in another channel."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.audio import io as audio_io
from pipeline.audio.polarity import Polarity, PolarityMeter, mix_heard
from pipeline.graph.stage import ProgressCallback
from pipeline.media.probe import Probe
from pipeline.media.sound.channel_folding import map_channels
from pipeline.media.sound.extract import convert

_SURVEY_SAMPLE_RATE = 16_000
"""Hz at which the channels are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonoSound:
    """What was written."""

    frames: int
    inverted: bool
    """Whether a channel was inverted and has been turned round."""


def write_mono(
    source: Path, target: Path, weights: Sequence[float], sample_rate: int, report: ProgressCallback
) -> MonoSound:
    """Write the channels of a sound as one of 16 bit; a second time where a channel turns out to be inverted.

    Args:
        source: A sound file.
        target: The file to write.
        weights: Of the channels, linear.
        sample_rate: Of the target, Hz.
        report: Called with the fraction that is done.

    Raises:
        MediaError: The sound cannot be read.
    """
    info = audio_io.info(source)
    meter = PolarityMeter(audio_io.read_layout(source), info.sample_rate)

    def write(polarity: Polarity | None) -> int:
        blocks = _read_mono(source, weights, meter if polarity is None else None, polarity, report)
        with audio_io.SoundWriter(target, sample_rate=sample_rate, channels=1, subtype="PCM_16") as writer:
            for block in audio_io.resample_blocks(blocks, info.sample_rate, sample_rate, channels=1):
                writer.write(block)
        return writer.frames

    frames, polarity = write(None), meter.find()
    if polarity is not None:
        frames = write(polarity)
    return MonoSound(frames=frames, inverted=polarity is not None)


def find_polarity(source: Path, clip: Probe) -> Polarity | None:
    """Find what is inverted in a clip; None where nothing is.

    Raises:
        MediaError: The clip is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    layout = map_channels(clip.media.audio.layout, clip.speakers).layout
    if len(layout.channels) == 1:
        return None
    with tempfile.TemporaryDirectory(prefix="polarity-") as folder:
        survey = Path(folder) / "survey.flac"
        convert(source, clip, survey, sample_rate=_SURVEY_SAMPLE_RATE, channels=len(layout.channels), layout=layout)
        meter = PolarityMeter(layout, _SURVEY_SAMPLE_RATE)
        for block in audio_io.read_blocks(survey):
            meter.add(block)
    return meter.find()


def write_heard(source: Path, clip: Probe, target: Path, polarity: Polarity, *, sample_rate: int) -> None:
    """Write a clip as one channel of 16 bit, with what is inverted turned round.

    Raises:
        MediaError: The clip is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    layout = map_channels(clip.media.audio.layout, clip.speakers).layout
    scale = 1 / max(1.0, sum(layout.dialogue_weights))
    weights = [weight * scale for weight in layout.dialogue_weights]
    placed, start = replace(polarity, hop=PolarityMeter(layout, sample_rate).hop), 0
    with tempfile.TemporaryDirectory(prefix="polarity-") as folder:
        whole = Path(folder) / "whole.flac"
        convert(source, clip, whole, sample_rate=sample_rate, channels=len(layout.channels), layout=layout)
        with audio_io.SoundWriter(target, sample_rate=sample_rate, channels=1, subtype="PCM_16") as writer:
            for block in audio_io.read_blocks(whole):
                writer.write(mix_heard(block, weights, placed, start))
                start += len(block)


def _read_mono(
    source: Path,
    weights: Sequence[float],
    meter: PolarityMeter | None,
    polarity: Polarity | None,
    report: ProgressCallback,
) -> audio_io.Blocks:
    """Read a sound as one channel; the meter hears all channels."""
    read, frames = 0, max(1, audio_io.info(source).frames)
    for block in audio_io.read_blocks(source):
        report(read / frames, "Listening")
        if meter is not None:
            meter.add(block)
        yield mix_heard(block, weights, polarity, read)
        read += len(block)
