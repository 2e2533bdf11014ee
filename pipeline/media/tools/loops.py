"""Loops: a stretch as GIF or animated WebP, which chats play by themselves."""

import tempfile
from pathlib import Path
from typing import Final

from pipeline.clip_options import MAX_LOOP_SECONDS
from pipeline.graph.stage import ProgressCallback
from pipeline.media.ffmpeg import run_ffmpeg
from pipeline.media.probe import Probe
from pipeline.media.tools.encoding import constant_rate, encoding_timeout, exact_rate
from pipeline.media.tools.pictures import Pictures, fit_inside
from pipeline.media.tools.refusals import check_stretch
from pipeline.types import DEFAULT_LOOP_SECONDS, LoopFormat, MakeLoop

MAX_LOOP_HEIGHT: Final = 1920
_PALETTE_SHARE: Final = 0.4
"""Part of the progress that the search for colours takes."""
_WEBP_CODING: Final = (
    *("-c:v", "libwebp_anim", "-lossless", "0", "-quality", "72", "-compression_level", "4"),
    *("-loop", "0", "-f", "webp"),
)


def loop_end(clip: Probe, tool: MakeLoop) -> float:
    """Return where a loop ends, seconds.

    Raises:
        ValidationError: It begins or ends after the clip.
    """
    if tool.end is None:
        return min(check_stretch(clip, tool.start, None), tool.start + DEFAULT_LOOP_SECONDS)
    return check_stretch(clip, tool.start, min(tool.end, tool.start + MAX_LOOP_SECONDS))


def make_loop(
    clip: Probe, pictures: Pictures, target: Path, tool: MakeLoop, report: ProgressCallback | None = None
) -> None:
    """Write a stretch as a loop without sound.

    The 256 colours of a GIF are chosen from all its pictures, in a run of its own, so that no more than a few pictures
    are in memory at once.

    Raises:
        ValidationError: The stretch is not in the clip.
        FFmpegError: ffmpeg failed or took too long.
    """
    end = loop_end(clip, tool)
    seconds = end - tool.start
    look = pictures.look
    width, height = fit_inside(look, min(tool.width, max(2, look.width)), MAX_LOOP_HEIGHT)
    steps = constant_rate(exact_rate(tool.rate), seconds, start=0.0)
    chain = [*pictures.clock(tool.start, end), *steps, *pictures.scaled(width, height)]
    inputs, timeout = pictures.arguments(tool.start), encoding_timeout(seconds)
    plain = ["-map_metadata", "-1", "-bitexact", "-t", f"{seconds:.6f}"]
    if tool.form is LoopFormat.WEBP:
        selection = ["-map", pictures.stream, "-vf", ",".join(chain)]
        run_ffmpeg(
            [*inputs, *selection, *plain, *_WEBP_CODING, str(target.absolute())],
            timeout=timeout,
            report=report,
            total=seconds,
            doing="Making the loop",
        )
        return
    with tempfile.TemporaryDirectory(prefix="loop-") as folder:
        palette = Path(folder) / "palette.png"
        search = ["-map", pictures.stream, "-vf", ",".join([*chain, "palettegen=stats_mode=full"])]
        run_ffmpeg(
            [*inputs, *search, "-frames:v", "1", "-update", "1", "-f", "image2", str(palette)],
            timeout=timeout,
            report=report and (lambda fraction, message="": report(_PALETTE_SHARE * fraction, message)),
            total=seconds,
            doing="Choosing colours",
        )
        # Our own file, so it needs no list of what may be read.
        draw = f"[{pictures.stream}]{','.join(chain)}[p];[p][1:v]paletteuse=dither=sierra2_4a:diff_mode=rectangle[o]"
        selection = ["-i", str(palette), "-filter_complex", draw, "-map", "[o]"]
        run_ffmpeg(
            [*inputs, *selection, *plain, "-c:v", "gif", "-loop", "0", "-f", "gif", str(target.absolute())],
            timeout=timeout,
            report=report and (lambda fraction, message="": report(_PALETTE_SHARE + 0.6 * fraction, message)),
            total=seconds,
            doing="Making the loop",
        )
