"""Sound out of clips, and back into them: extract, convert, encode, mux."""

from pathlib import Path

from pipeline.errors import FFmpegError, MediaError
from pipeline.media.ffmpeg import input_arguments, run_ffmpeg
from pipeline.media.probe import Probe
from pipeline.stages import Report

MAX_SAMPLE_RATE = 192_000
"""Higher rates are brought down to this."""
AAC_RATE = "192k"

_COPYABLE = {
    "h264": ("h264",),
    "hevc": ("hevc",),
    "av1": ("libdav1d", "av1"),
    "vp9": ("vp9",),
    "mpeg4": ("mpeg4",),
}
"""Video codecs that an mp4 can hold, with the decoders that know their headers."""
_TELLS_ALL = ("h264", "hevc", "av1", "mpeg4")
"""Codecs of which a mov or mp4 says everything that another mp4 needs to say."""
_GAPS = "aresample=async=1"
"""Silence where packets are missing for more than 0.1 s, so that sound and picture stay together."""
_BOTH_SIDES = "pan=stereo|c0=c0|c1=c0"
"""Mono on both sides at its own level; ffmpeg's own way takes 3 dB off."""
_SPARE = 60.0
"""Seconds allowed for any run beside those that the length of the clip gives."""


def time_limit(duration: float) -> float:
    """Seconds after which ffmpeg is stopped, for a clip of that many seconds."""
    return _SPARE + 2 * duration


def extract_mono(source: Path, clip: Probe, target: Path, report: Report | None = None) -> None:
    """The plain extraction of the basic route: mono, 44.1 kHz, 16-bit WAV."""
    _extract(source, clip, target, ["-vn", "-ac", "1", "-ar", "44100", "-c:a", "pcm_s16le", "-f", "wav"], report)


def extract_master(source: Path, clip: Probe, target: Path, report: Report | None = None) -> None:
    """The sound at full quality: 24-bit FLAC at its own rate, in mono or stereo.

    More than two channels become two by ffmpeg's standard matrix.
    """
    channels = min(2, clip.media.audio.channels)
    rate = min(MAX_SAMPLE_RATE, clip.media.audio.sample_rate)
    _extract(source, clip, target, ["-vn", "-af", _GAPS, "-ac", str(channels), "-ar", str(rate), *_flac()], report)


def convert(
    source: Path, clip: Probe, target: Path, *, sample_rate: int, channels: int, report: Report | None = None
) -> None:
    """The sound of any clip as 24-bit FLAC of a given rate and number of channels."""
    widen = clip.media.audio.channels == 1 and channels == 2
    filters = f"{_GAPS},{_BOTH_SIDES}" if widen else _GAPS
    coding = ["-vn", "-af", filters, "-ac", str(channels), "-ar", str(sample_rate), *_flac()]
    _extract(source, clip, target, coding, report)


def encode_aac(sound: Path, target: Path, *, duration: float, report: Report | None = None) -> None:
    """A sound file as AAC in an m4a that plays while it loads."""
    coding = ["-vn", "-c:a", "aac", "-b:a", AAC_RATE, *_plain(), "-f", "ipod", str(target.absolute())]
    run_ffmpeg(
        [*input_arguments(sound), *coding],
        limit=time_limit(duration),
        report=report,
        total=duration,
        doing="Encoding the sound",
    )


def mux(
    source: Path, clip: Probe, sound: Path, target: Path, *, audio_start: float, report: Report | None = None
) -> None:
    """The picture of a clip, copied untouched, with another AAC sound that starts at `audio_start` seconds.

    Raises `MediaError` when the clip has no picture that an mp4 can hold.
    """
    video = clip.media.video
    if video is None or clip.picture_index is None:
        raise MediaError("The clip has no picture.", mend="Ask for the sound alone.")
    if video.codec not in _COPYABLE:
        raise MediaError(
            f"An mp4 cannot hold this picture ({video.codec}).", mend="Use the sound alone, or send the clip as mp4."
        )
    known = clip.media.container == "mov" and video.codec in _TELLS_ALL
    picture = input_arguments(source, offset=-clip.zero, decoders=() if known else _COPYABLE[video.codec])
    tag = ["-tag:v", "hvc1"] if video.codec == "hevc" else []  # Apple's players want this one of the two tags
    run_ffmpeg(
        [
            *("-copyts", *picture, *input_arguments(sound, offset=audio_start)),
            *("-map", f"0:{clip.picture_index}", "-map", "1:a:0", "-c", "copy", *tag),
            *(*_plain(), "-f", "mp4", str(target.absolute())),
        ],
        limit=time_limit(clip.media.duration),
        report=report,
        total=clip.media.duration,
        doing="Joining picture and sound",
    )


def _extract(source: Path, clip: Probe, target: Path, coding: list[str], report: Report | None) -> None:
    # A header can lie about the length: nothing beyond it is decoded.
    bound = ["-t", f"{clip.media.duration + 1:.3f}"]
    selection = ["-map", f"0:{clip.sound_index}", *bound, "-map_metadata", "-1", "-bitexact"]
    try:
        run_ffmpeg(
            [*input_arguments(source), *selection, *coding, str(target.absolute())],
            limit=time_limit(clip.media.duration),
            report=report,
            total=clip.media.duration,
            doing="Extracting the sound",
        )
    except (FFmpegError, MediaError):
        target.unlink(missing_ok=True)
        raise


def _flac() -> list[str]:
    return ["-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-f", "flac"]


def _plain() -> list[str]:
    """Leaves out what tells about the maker of a clip, such as its place, and the time of encoding."""
    return ["-map_metadata", "-1", "-map_chapters", "-1", "-bitexact", "-movflags", "+faststart"]
