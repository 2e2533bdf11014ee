"""How sound is written for people: AAC that players know everywhere, and other forms on request."""

from pathlib import Path

from pipeline.audio import io as audio_io
from pipeline.audio.channels import Layout, default
from pipeline.graph.stage import ProgressCallback
from pipeline.media.aac.parallel_encoder import bit_rate
from pipeline.media.extract import time_limit
from pipeline.media.ffmpeg import input_arguments, run_ffmpeg
from pipeline.types import SoundFormat

MP3_RATE = 256_000
"""Bits a second; it has no more than two channels."""
OPUS_RATE = 160_000
OPUS_CHANNEL_RATE = 64_000

LOSSY = (SoundFormat.MP3, SoundFormat.OPUS)
"""Whose peaks may end up higher than what was encoded, beside the m4a."""


_IN_OPUS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""Layouts of RFC 7845, section 5.1.1.2."""


def written_layout(form: SoundFormat, layout: Layout) -> Layout:
    """The layout in which a format holds a sound: two channels where it does not know those of the sound."""
    name = layout.name.removesuffix("(side)")
    folded = (form is SoundFormat.MP3 and len(layout.channels) > 2) or (
        form is SoundFormat.OPUS and name not in _IN_OPUS
    )
    return default(2) if folded else layout


def coding(form: SoundFormat, layout: Layout) -> list[str]:
    """How ffmpeg writes a sound in a format, with what players need to leave the encoder's delay out."""
    channels = len(written_layout(form, layout).channels)
    fold = ["-ac", "2"] if channels < len(layout.channels) else []
    match form:
        case SoundFormat.M4A:
            return aac_coding(channels)
        case SoundFormat.WAV:
            made = ["-c:a", "pcm_s24le", "-rf64", "auto", "-f", "wav"]
        case SoundFormat.FLAC:
            made = ["-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-f", "flac"]
        case SoundFormat.MP3:
            made = ["-c:a", "libmp3lame", "-b:a", str(MP3_RATE), *fold, "-f", "mp3"]
        case SoundFormat.OPUS:
            rate = OPUS_RATE if channels <= 2 else OPUS_CHANNEL_RATE * channels
            made = ["-c:a", "libopus", "-b:a", str(rate), *fold, "-f", "opus"]
    return ["-vn", "-map_metadata", "-1", "-bitexact", *made]


def aac_coding(channels: int) -> list[str]:
    """How ffmpeg makes an m4a that plays while it loads.

    Its `fast` coder would be half the work, but makes strong tones quieter;
    `pipeline.media.aac.parallel_encoder` watches for that.
    """
    return ["-c:a", "aac", "-b:a", str(bit_rate(channels)), *_plain(), "-f", "ipod"]


def encode_aac(sound: Path, target: Path, *, duration: float, report: ProgressCallback | None = None) -> None:
    """A sound file as AAC in an m4a that plays while it loads.

    MPEG-4 knows one 5.0 and one 5.1: whether the surround channels are called side or back is lost.
    """
    layout = audio_io.layout(sound)
    form = ["-vn", "-af", f"aformat=channel_layouts={layout.name.removesuffix('(side)')}"]
    form += [*aac_coding(len(layout.channels)), str(target.absolute())]
    run_ffmpeg(
        [*input_arguments(sound), *form],
        limit=time_limit(duration),
        report=report,
        total=duration,
        doing="Encoding the sound",
    )


def _plain() -> list[str]:
    """Leaves out what tells about the maker of a clip, such as its place, and the time of encoding."""
    return ["-map_metadata", "-1", "-map_chapters", "-1", "-bitexact", "-movflags", "+faststart"]
