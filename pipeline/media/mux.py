"""The picture of a clip with another sound: nothing of the picture is decoded, moved or changed.

The video is an mp4 wherever that can hold the picture, else an mkv. What the clip had beside picture and
sound is kept: its title and the like, chapters, other sound tracks, subtitles. A note lists what is left out.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from pipeline.errors import MediaError
from pipeline.graph.stage import ProgressCallback
from pipeline.media.containers.container import Track, count_chapters
from pipeline.media.containers.tags import write_tags
from pipeline.media.ffmpeg import input_arguments, run_ffmpeg
from pipeline.media.pictures.times import PictureSource, restore_times
from pipeline.media.probe import Probe, probe
from pipeline.media.sound.extract import ffmpeg_timeout
from pipeline.types import Chapter

Suffix: TypeAlias = Literal["mp4", "mkv"]

_MP4_VIDEO_CODECS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "h264": ("h264",),
        "hevc": ("hevc",),
        "av1": ("libdav1d", "av1"),
        "vp9": ("vp9",),
        "mpeg4": ("mpeg4",),
    }
)
"""Video codecs that players expect in an mp4, with the decoders that know their headers."""
_MPEG_DECODERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"mpeg1video": ("mpeg1video", "mpegvideo"), "mpeg2video": ("mpeg2video", "mpegvideo")}
)
"""Decoders that know the order of the pictures in an MPEG program stream."""
_MKV_VIDEO_CODECS = frozenset(
    {
        *("vp8", "theora", "mpeg1video", "mpeg2video", "prores", "ffv1", "mjpeg", "wmv1", "wmv2", "wmv3", "vc1"),
        *("msmpeg4v2", "msmpeg4v3", "h263", "dnxhd", "svq3", "huffyuv", "utvideo", "png", "cinepak", "rv40"),
        *("gif", "flv1", "jpeg2000", "magicyuv", "v210", "hap", "dirac", "targa", "tiff", "cfhd"),
    }
)
"""Others, which an mkv can hold."""
_HEADER_DECODERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {**_MP4_VIDEO_CODECS, "h263": ("h263",), "flv1": ("flv",)}
)
"""The decoders that tell what a header leaves out, such as the size of an H.263 picture."""
_SELF_DESCRIBING_CODECS = ("h264", "hevc", "av1")
"""Codecs of which a mov or mp4 says everything that another mp4 needs to say."""
_MP4_AUDIO_CODECS = frozenset(
    {
        *("aac", "mp3", "mp2", "ac3", "eac3", "alac", "flac", "opus", "vorbis", "dts"),
        *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be"),
    }
)
_MKV_AUDIO_CODECS = _MP4_AUDIO_CODECS | {"pcm_u8", "pcm_f64le", "truehd", "wavpack", "tta"}
TEXT_SUBTITLE_CODECS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "subrip": ("srt", "subrip"),
        "ass": ("ssa", "ass"),
        "ssa": ("ssa",),
        "webvtt": ("webvtt",),
        "mov_text": ("mov_text",),
    }
)
"""Subtitles of words, with the decoders of each: what either kind of file can hold in its own way."""
_MOVIE_TIMESCALE = 48_000
"""A second in the edit lists of an mp4; the usual 1000 would move a sound by up to half a millisecond."""
_MKV_SUBTITLE_CODECS = frozenset(
    {"subrip", "ass", "ssa", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MuxPlan:
    """The tracks that go into a video, in order, and notes on those that do not."""

    suffix: Suffix
    others: tuple[Track, ...]
    """Further sound tracks."""
    subtitles: tuple[Track, ...]
    notes: tuple[str, ...] = field(default=())


def plan_mux(clip: Probe) -> MuxPlan:
    """Choose what becomes of each track.

    Raises:
        MediaError: Neither container holds the picture.
    """
    suffix = container_for(clip)
    holds = _MP4_AUDIO_CODECS if suffix == "mp4" else _MKV_AUDIO_CODECS
    others, subtitles, left = list[Track](), list[Track](), list[str]()
    for track in clip.tracks:
        if track.index in (clip.sound_index, clip.picture_index) or track.kind in ("data", "attachment"):
            continue
        if track.kind == "audio" and track.codec in holds:
            others.append(track)
        elif track.kind == "subtitle" and (
            track.codec in TEXT_SUBTITLE_CODECS or (suffix == "mkv" and track.codec in _MKV_SUBTITLE_CODECS)
        ):
            subtitles.append(track)
        else:
            left.append(f"{track.kind}, {track.codec}")
    notes = (f"Left out of final.{suffix}, which cannot hold them beside the main ones: {'; '.join(left)}.",)
    return MuxPlan(suffix=suffix, others=tuple(others), subtitles=tuple(subtitles), notes=notes if left else ())


def container_for(clip: Probe) -> Suffix:
    """Choose the container for a clip's picture.

    Raises:
        MediaError: There is no picture, or neither container holds it.
    """
    if clip.media.video is None or clip.picture_index is None:
        raise MediaError("The clip has no picture.", hint="Ask for the sound alone.")
    codec = clip.media.video.codec
    if clip.restarts and not clip.continued:
        raise MediaError(
            "The clip is several recordings put together, and the times of its pictures start again.",
            hint="Export the clip again with another program and try again.",
        )
    if codec in _MP4_VIDEO_CODECS:
        return "mp4"
    if codec in _MKV_VIDEO_CODECS:
        return "mkv"
    raise MediaError(
        f"Neither an mp4 nor an mkv can hold this picture ({codec}).",
        hint="Use the sound alone, or convert the clip to mp4 and try again.",
    )


def mux(
    source: Path,
    clip: Probe,
    sound: Path,
    target: Path,
    *,
    language: str = "",
    subtitles: Path | None = None,
    chapters: Sequence[Chapter] = (),
    report: ProgressCallback | None = None,
) -> tuple[str, ...]:
    """Write the picture of a clip with another AAC sound, which is the first and the default track.

    Args:
        source: The clip.
        clip: What `probe` found.
        sound: An m4a on the clip's clock.
        target: The file to write, in the container `container_for(clip)` whatever its name.
        language: ISO 639-2 of the sound; empty: that of the track it replaces.
        subtitles: An SRT on the clip's clock.
        chapters: On the clip's clock, for a clip that has none of its own.
        report: Called with the fraction that is done.

    Returns:
        Sentences about what was left out.

    Raises:
        MediaError: The picture cannot be kept.
        FFmpegError: ffmpeg failed or took too long.
    """
    plan, worded = plan_mux(clip), subtitles is not None
    with tempfile.TemporaryDirectory(prefix="mux-") as folder:
        if clip.restarts:
            source, clip = _write_steady(source, clip, Path(folder) / "steady.mkv")
            plan = plan_mux(clip)
        tags, picture = Path(folder) / "tags", restore_times(source, clip, Path(folder))
        chapters = () if count_chapters(source) else chapters
        write_tags(tags, clip.tags, _track_tags(clip, plan, language, with_subtitles=worded), chapters)
        beside = [*input_arguments(sound), *_text_input_arguments(tags, subtitles)]
        inputs = _all_input_arguments(source, clip, picture, plan, beside)
        chosen = _stream_arguments(picture, plan, source, with_subtitles=worded, with_chapters=bool(chapters))
        chosen += [*picture.output_arguments, *container_arguments(clip, plan.suffix)]
        run_ffmpeg(
            [*inputs, *chosen, str(target.absolute())],
            timeout=ffmpeg_timeout(clip.media.duration),
            report=report,
            total=clip.media.duration,
            doing="Joining picture and sound",
        )
    return plan.notes


def _write_steady(source: Path, clip: Probe, target: Path) -> tuple[Path, Probe]:
    """Copy picture and sound of a clip whose clock starts again into a file whose clock goes on, and probe that."""
    tracks = ["-map", f"0:{clip.picture_index}", "-map", f"0:{clip.sound_index}"]
    run_ffmpeg(
        [*_source_input_arguments(source, clip), *tracks, "-c", "copy", "-f", "matroska", str(target)],
        timeout=ffmpeg_timeout(clip.media.duration),
    )
    return target, probe(target)


def _all_input_arguments(
    source: Path, clip: Probe, picture: PictureSource, plan: MuxPlan, beside: Sequence[str]
) -> list[str]:
    """Build the arguments of the clip, of what stands beside it, and of its picture where that is another file."""
    inputs = ["-copyts", *_source_input_arguments(source, clip, plan.subtitles), *beside]
    return inputs + (_source_input_arguments(picture.path, clip, plan.subtitles) if picture.path != source else [])


def _text_input_arguments(tags: Path, subtitles: Path | None) -> list[str]:
    arguments = ["-protocol_whitelist", "file", "-f", "ffmetadata", "-i", str(tags.absolute())]
    if subtitles is not None:
        arguments += ["-protocol_whitelist", "file", "-codec_whitelist", "srt,subrip"]
        arguments += ["-f", "srt", "-i", str(subtitles.absolute())]
    return arguments


def _source_input_arguments(source: Path, clip: Probe, subtitles: Sequence[Track] = ()) -> list[str]:
    words = [name for track in subtitles for name in TEXT_SUBTITLE_CODECS.get(track.codec, ())]
    arguments = input_arguments(source, offset=-clip.zero, decoders=(*header_decoders(clip), *dict.fromkeys(words)))
    return ["-fflags", "+genpts", *arguments] if clip.media.container == "mpeg" else arguments


def header_decoders(clip: Probe) -> tuple[str, ...]:
    """List the decoders that ffmpeg needs to know a picture that it copies."""
    codec = "" if clip.media.video is None else clip.media.video.codec
    known = clip.media.container == "mov" and codec in _SELF_DESCRIBING_CODECS
    decoders = () if known else _HEADER_DECODERS.get(codec, ())
    # Only some pictures of an MPEG file have a time; those of the others follow from the order that their headers tell.
    return (*decoders, *_MPEG_DECODERS.get(codec, ())) if clip.media.container == "mpeg" else decoders


def _track_tags(clip: Probe, plan: MuxPlan, language: str, *, with_subtitles: bool) -> list[Mapping[str, str]]:
    """List the tags of the tracks in the order in which they are written."""
    by_index = {track.index: track.tags for track in clip.tracks}
    spoken = language or by_index.get(clip.sound_index, {}).get("language", "")
    words = {"language": spoken} if spoken else {}
    tags: list[Mapping[str, str]] = [{} if clip.picture_index is None else by_index.get(clip.picture_index, {}), words]
    tags += [track.tags for track in plan.others]
    tags += [words] if with_subtitles else []
    return [*tags, *(track.tags for track in plan.subtitles)]


def _stream_arguments(
    picture: PictureSource, plan: MuxPlan, source: Path, *, with_subtitles: bool, with_chapters: bool
) -> list[str]:
    """Build the arguments for which tracks are written, in which order, with which codecs and tags."""
    place = 0 if picture.path == source else 4 if with_subtitles else 3
    tracks = [f"{place}:{picture.index}", "1:a:0", *(f"0:{track.index}" for track in plan.others)]
    tracks += ["3:s:0"] if with_subtitles else []
    tracks += [f"0:{track.index}" for track in plan.subtitles]
    chosen = [part for track in tracks for part in ("-map", track)]
    chosen += ["-c", "copy", "-map_chapters", "2" if with_chapters else "0", "-map_metadata:g", "2:g"]
    for index in range(len(tracks)):
        chosen += [f"-map_metadata:s:{index}", f"2:s:{index}"]
    chosen += ["-disposition:a:0", "default"]
    for index in range(len(plan.others)):
        chosen += [f"-disposition:a:{index + 1}", "-default"]
    codecs = [*(("subrip",) if with_subtitles else ()), *(track.codec for track in plan.subtitles)]
    for index, codec in enumerate(codecs):
        chosen += [f"-c:s:{index}", subtitle_codec(codec, plan.suffix)]
    return chosen


def subtitle_codec(codec: str, suffix: Suffix) -> str:
    """Choose how subtitles are written into a container."""
    if suffix == "mp4":
        return "copy" if codec == "mov_text" else "mov_text"
    return "subrip" if codec == "mov_text" else "copy"


def container_arguments(clip: Probe, suffix: Suffix) -> list[str]:
    """Build the arguments for a file with the same bytes each time and exact times."""
    if suffix == "mkv":
        return ["-bitexact", "-f", "matroska"]
    # Apple's players want this one of the two tags of HEVC.
    tag = ["-tag:v", "hvc1"] if clip.media.video is not None and clip.media.video.codec == "hevc" else []
    return [
        *(*tag, "-bitexact", "-movflags", "+faststart", "-movie_timescale", str(_MOVIE_TIMESCALE)),
        # With this, ffmpeg also writes what Dolby Vision and 3D pictures need to be shown right.
        *("-strict", "unofficial", "-f", "mp4"),
    ]
