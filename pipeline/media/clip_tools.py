"""Tools on one clip: cut a part of it, take out its sound or one picture.

Each clip is probed, checked against the limits and worked on by ffmpeg with a time limit. The file is made
beside its target and moved into place when it is whole; the clip itself is only read.
"""

import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from pipeline.errors import MediaError, ValidationError
from pipeline.graph.stage import ProgressCallback
from pipeline.media.ffmpeg import input_arguments, run_ffmpeg
from pipeline.media.mux import container_for
from pipeline.media.pictures.times import PictureSource, index_pictures, shown_at
from pipeline.media.probe import Probe, check_duration, check_size, format_duration, probe
from pipeline.media.sound.channel_folding import map_channels
from pipeline.media.sound.encoding import encoder_arguments
from pipeline.media.sound.extract import ffmpeg_timeout, write_sound
from pipeline.types import SoundFormat, TextReference

PICTURE_DECODERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **{name: (name,) for name in ("h264", "hevc", "vp8", "vp9", "mpeg4", "mpeg2video", "mjpeg", "prores")},
        "av1": ("libdav1d", "av1"),
    }
)
"""Decoders that a single picture may be made with; rarer ones are where holes are found."""
_MAX_PICTURE_PIXELS = 8192 * 8192
_PICTURE_TIMEOUT_S = 60.0
"""Seconds for one picture."""


def open_clip(path: Path, *, max_size: float, max_duration: float, track: int | None = None) -> Probe:
    """Probe a clip and check it against the limits.

    Args:
        path: The clip.
        max_size: Bytes.
        max_duration: Seconds.
        track: Number of the sound track, from 1; None: it is chosen.

    Raises:
        ValidationError: There is no such file, or no such sound track in it.
        MediaError: The file is no clip.
        LimitError: The clip is too large or too long.
    """
    if not path.is_file():
        raise ValidationError(f"There is no file {path}.", hint="Check the path.")
    check_size(path, max_size)
    clip = probe(path, track=track)
    check_duration(clip.media.duration, max_duration)
    return clip


def cut(
    source: Path,
    clip: Probe,
    target: Path,
    *,
    start: float,
    end: float | None,
    on_picture: bool = False,
    report: ProgressCallback | None = None,
) -> tuple[str, ...]:
    """Cut a part of a clip, exact to the sample in the sound, in the format that the target's name says.

    For `.mp4` the picture is copied unchanged from the key frame before `start`, and an edit list hides what comes
    before. Where pictures are stored out of order, one or two from after `end` stay, since others are made from them.
    For a suffix of `SoundFormat` only the sound is cut.

    Args:
        source: The clip.
        clip: What `open_clip` found.
        target: The file to write.
        start: Seconds from the clip's first picture or sample.
        end: Seconds; None: to the end.
        on_picture: Begin a video with the picture that is shown at `start`, and the sound with it: players differ in
            where they put a picture of which only the end is in an edit list.
        report: Called with the fraction that is done.

    Returns:
        Sentences for people about the sound.

    Raises:
        ValidationError: The part is empty or the target cannot be written.
        MediaError: The picture does not fit into an mp4, or the clip is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    end = _end_within(clip, start, end)
    if target.suffix.lower() != ".mp4":
        return extract_sound(source, clip, target, start=start, end=end)
    _check_picture(clip)
    with tempfile.TemporaryDirectory(prefix="cut-") as folder, atomic_output(source, target) as made:
        picture = index_pictures(source, clip, Path(folder), _decoders(clip))
        if on_picture:
            start = max(0.0, min(start, shown_at(picture, start) or 0.0))
        sound, notes = write_stretch(source, clip, Path(folder) / "sound.flac", start=start, end=end)
        run_ffmpeg(
            [*_copied(clip, picture, sound, start, end), made],
            timeout=ffmpeg_timeout(end - start),
            report=report,
            total=end - start,
        )
    return notes


def _end_within(clip: Probe, start: float, end: float | None) -> float:
    """Return where a stretch ends. Raises `ValidationError` for an empty one."""
    end = clip.media.duration if end is None else min(end, clip.media.duration)
    if not 0 <= start < end:
        raise ValidationError(
            "The stretch to cut is empty.",
            hint=f"Choose a beginning before the end, within {format_duration(clip.media.duration)}.",
        )
    return end


def _decoders(clip: Probe) -> tuple[str, ...]:
    return () if clip.media.video is None else PICTURE_DECODERS.get(clip.media.video.codec, ())


def _copied(clip: Probe, picture: PictureSource, sound: Path | None, start: float, end: float) -> list[str]:
    """Build the arguments for an mp4 with a picture that is copied and a sound that is encoded."""
    hevc = clip.media.video is not None and clip.media.video.codec == "hevc"
    inputs = _range_arguments(picture.zero + start, end - start)
    inputs += input_arguments(picture.path, decoders=_decoders(clip))
    inputs += [] if sound is None else input_arguments(sound)
    selection = ["-map", f"0:{picture.index}", *([] if sound is None else ["-map", "1:a:0"])]
    selection += ["-map_chapters", "-1", "-map_metadata", "-1"]
    coding = ["-c:v", "copy", *(["-tag:v", "hvc1"] if hevc else []), "-c:a", "aac", "-b:a", "256k"]
    coding += ["-bitexact", "-movflags", "+faststart", "-movie_timescale", "48000", "-f", "mp4"]
    return [*inputs, *selection, *coding, *picture.output_arguments]


def write_stretch(
    source: Path, clip: Probe, target: Path, *, start: float, end: float, report: ProgressCallback | None = None
) -> tuple[Path | None, tuple[str, ...]]:
    """Write a stretch of the sound as FLAC.

    Returns:
        The file, None for a clip without a sound, and sentences for people about it.

    Raises:
        MediaError: The clip is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    if not clip.media.audio.is_there:
        return None, ()
    mapping = map_channels(clip.media.audio.layout, clip.speakers)
    coding = encoder_arguments(SoundFormat.FLAC, mapping.layout)
    return target, write_sound(source, clip, target, mapping, coding, start=start, end=end, report=report).notes


def extract_sound(
    source: Path,
    clip: Probe,
    target: Path,
    *,
    start: float = 0.0,
    end: float | None = None,
    report: ProgressCallback | None = None,
) -> tuple[str, ...]:
    """Write the sound of a clip, or a part of it, as mp3, wav, flac, opus or m4a by the target's name.

    Returns:
        Sentences for people about the sound.

    Raises:
        ValidationError: The format is unknown or the target cannot be written.
        MediaError: The clip is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    suffix = target.suffix.lower().removeprefix(".")
    if suffix not in [*SoundFormat]:
        raise ValidationError(
            f"A sound cannot be written as {target.name}.", hint=f"End the name with {', '.join(SoundFormat)}."
        )
    mapping = map_channels(clip.media.audio.layout, clip.speakers)
    end = clip.media.duration if end is None else end
    coding = encoder_arguments(SoundFormat(suffix), mapping.layout)
    with atomic_output(source, target) as made:
        return write_sound(source, clip, Path(made), mapping, coding, start=start, end=end, report=report).notes


def take_frame(source: Path, clip: Probe, target: Path, *, at: float) -> None:
    """Write the picture that is shown at a time (seconds) as PNG, turned as it is played.

    Raises:
        ValidationError: The time is after the end, or the target cannot be written.
        MediaError: There is no picture that can be decoded.
        FFmpegError: ffmpeg failed or took too long.
    """
    video = clip.media.video
    if video is None:
        raise MediaError("The clip has no picture.", hint="Choose a video.")
    if target.suffix.lower() != ".png":
        raise ValidationError(f"A picture cannot be written as {target.name}.", hint="End the name with .png.")
    if at >= clip.media.duration:
        raise ValidationError(
            f"The clip ends before {at:g} s.", hint=f"Choose a time within {format_duration(clip.media.duration)}."
        )
    if video.codec not in PICTURE_DECODERS:
        raise MediaError(f"Pictures of this kind ({video.codec}) are not decoded.", hint="Send the clip as mp4.")
    if video.width * video.height > _MAX_PICTURE_PIXELS:
        raise MediaError("The picture is too large.", hint="Send a smaller one.")
    _check_steady(clip)
    # ffmpeg gives the first picture that begins at a time; the one that is shown then may have begun before.
    begun = max(0.0, at + 0.001 - (1 / video.frame_rate if video.frame_rate > 0 else 0.0))
    bounds = ["-threads", "2", "-max_pixels", str(_MAX_PICTURE_PIXELS)]
    arguments = ["-frames:v", "1", "-map_metadata", "-1", "-bitexact", "-c:v", "png", "-update", "1", "-f", "image2"]
    with tempfile.TemporaryDirectory(prefix="frame-") as folder, atomic_output(source, target) as made:
        picture = index_pictures(source, clip, Path(folder), PICTURE_DECODERS[video.codec])
        bounds += ["-ss", f"{picture.zero + begun:.6f}", "-seek_timestamp", "1"]
        inputs = input_arguments(picture.path, decoders=PICTURE_DECODERS[video.codec])
        run_ffmpeg(
            [*bounds, *inputs, "-map", f"0:{picture.index}", *arguments, made],
            timeout=_PICTURE_TIMEOUT_S,
        )
        if not Path(made).is_file():
            raise MediaError(f"There is no picture at {at:g} s.", hint="Choose an earlier time.")


def _range_arguments(start: float, duration: float) -> list[str]:
    """Build the arguments for the part of the input to read, on the container's own clock (seconds)."""
    return ["-ss", f"{start:.6f}", "-seek_timestamp", "1", "-t", f"{duration:.6f}"]


def _check_picture(clip: Probe) -> None:
    """Refuse a picture that cannot be cut."""
    _check_steady(clip)
    if container_for(clip) != "mp4":
        raise MediaError(
            "An mp4 cannot hold this picture, so it cannot be cut without changing it.",
            hint="Cut the sound alone, such as --out part.m4a.",
            text=TextReference(key="tool-no-copy"),
        )


def _check_steady(clip: Probe) -> None:
    if clip.restarts:
        raise MediaError(
            "The clip is several recordings put together, so no picture can be found by its time.",
            hint="Export the clip again with another program, or cut the sound alone.",
            text=TextReference(key="tool-joined"),
        )


@contextmanager
def atomic_output(source: Path, target: Path) -> Generator[str]:
    """Give a name beside the target for a file that takes its place when it is whole."""
    if target.is_dir() or not target.parent.is_dir():
        raise ValidationError(f"{target} cannot be written.", hint="Name a file in a folder that exists.")
    if target.exists() and target.samefile(source):
        raise ValidationError("The clip itself would be replaced.", hint="Choose another name with --out.")
    with tempfile.TemporaryDirectory(prefix=".stemcord-", dir=target.parent) as folder:
        made = Path(folder) / "made"
        yield str(made.absolute())
        made.replace(target)
