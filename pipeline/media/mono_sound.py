"""The sound of a clip as one channel, in which nothing is lost that is inverted in another channel."""

import tempfile
from dataclasses import replace
from pathlib import Path

from pipeline.audio import io as audio_io
from pipeline.audio.polarity import Polarity, PolarityMeter, mix_heard
from pipeline.graph.stage import ProgressCallback
from pipeline.media.channel_folding import map_channels
from pipeline.media.extract import convert, extract_mono
from pipeline.media.probe import Probe

_SURVEY_SAMPLE_RATE = 16_000
"""Hz at which the channels are compared."""
BASIC_SAMPLE_RATE = 44_100
"""Hz, that of the basic route."""


def extract_heard(source: Path, clip: Probe, target: Path, report: ProgressCallback | None = None) -> bool:
    """Extract the sound for the basic route: mono, 44.1 kHz, 16-bit WAV.

    Returns:
        Whether a channel was inverted and has been turned round.

    Raises:
        MediaError: The clip is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    extract_mono(source, clip, target, report)
    polarity = find_polarity(source, clip)
    if polarity is not None:
        write_heard(source, clip, target, polarity, sample_rate=BASIC_SAMPLE_RATE)
    return polarity is not None


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
