"""How ffmpeg encodes the sound for people: AAC, which players know everywhere, and other formats on request."""

from pathlib import Path

from pipeline.audio import io as audio_io
from pipeline.audio.channels import Layout, default_layout
from pipeline.graph.stage import ProgressCallback
from pipeline.media.aac.segment_encoder import bit_rate
from pipeline.media.ffmpeg import input_arguments, run_ffmpeg
from pipeline.media.sound.extract import ffmpeg_timeout
from pipeline.types import SoundFormat

MP3_BIT_RATE = 256_000
"""Bits a second; it has no more than two channels."""
OPUS_BIT_RATE = 160_000
OPUS_CHANNEL_BIT_RATE = 64_000

LOSSY_FORMATS = (SoundFormat.MP3, SoundFormat.OPUS)
"""Whose peaks may end up higher than what was encoded, beside the m4a."""


_OPUS_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""Layouts of RFC 7845, section 5.1.1.2."""


def written_layout(sound_format: SoundFormat, layout: Layout) -> Layout:
    """Return the layout in which a format holds a sound: stereo where it does not support that of the sound."""
    name = layout.name.removesuffix("(side)")
    folded = (sound_format is SoundFormat.MP3 and len(layout.channels) > 2) or (
        sound_format is SoundFormat.OPUS and name not in _OPUS_LAYOUTS
    )
    return default_layout(2) if folded else layout


def encoder_arguments(sound_format: SoundFormat, layout: Layout) -> list[str]:
    """Build the ffmpeg arguments for a format, with what players need to skip the delay of the encoder."""
    channels = len(written_layout(sound_format, layout).channels)
    fold = ["-ac", "2"] if channels < len(layout.channels) else []
    match sound_format:
        case SoundFormat.M4A:
            return aac_arguments(channels)
        case SoundFormat.WAV:
            made = ["-c:a", "pcm_s24le", "-rf64", "auto", "-f", "wav"]
        case SoundFormat.FLAC:
            made = ["-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-f", "flac"]
        case SoundFormat.MP3:
            made = ["-c:a", "libmp3lame", "-b:a", str(MP3_BIT_RATE), *fold, "-f", "mp3"]
        case SoundFormat.OPUS:
            rate = OPUS_BIT_RATE if channels <= 2 else OPUS_CHANNEL_BIT_RATE * channels
            made = ["-c:a", "libopus", "-b:a", str(rate), *fold, "-f", "opus"]
    return ["-vn", "-map_metadata", "-1", "-bitexact", *made]


def aac_arguments(channels: int) -> list[str]:
    """Build the ffmpeg arguments for an m4a that plays while it loads.

    The `fast` coder of ffmpeg would take half the time, but makes strong tones quieter;
    `pipeline.media.aac.segment_encoder` checks for that.
    """
    return ["-c:a", "aac", "-b:a", str(bit_rate(channels)), *_privacy_arguments(), "-f", "ipod"]


def encode_aac(sound: Path, target: Path, *, duration: float, report: ProgressCallback | None = None) -> None:
    """Encode a sound file as AAC in an m4a that plays while it loads.

    MPEG-4 has one 5.0 and one 5.1: whether the surround channels are called side or back is lost.

    Raises:
        FFmpegError: ffmpeg failed or took too long.
    """
    layout = audio_io.read_layout(sound)
    arguments = ["-vn", "-af", f"aformat=channel_layouts={layout.name.removesuffix('(side)')}"]
    arguments += [*aac_arguments(len(layout.channels)), str(target.absolute())]
    run_ffmpeg(
        [*input_arguments(sound), *arguments],
        timeout=ffmpeg_timeout(duration),
        report=report,
        total=duration,
        doing="Encoding the sound",
    )


def _privacy_arguments() -> list[str]:
    """Build the arguments that leave out what tells about the maker of a clip and the time of encoding."""
    return ["-map_metadata", "-1", "-map_chapters", "-1", "-bitexact", "-movflags", "+faststart"]
