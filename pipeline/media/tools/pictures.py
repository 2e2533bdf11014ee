"""The pictures of a clip as an input of ffmpeg: on the clip's clock, upright, in square pixels, in standard range."""

import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import FFmpegError, MediaError
from pipeline.media.clip_tools import PICTURE_DECODERS
from pipeline.media.ffmpeg import input_arguments, read_log
from pipeline.media.pictures.times import TICK_S, PictureSource, index_pictures, shown_at
from pipeline.media.probe import Probe
from pipeline.media.tools.refusals import check_steady, need_picture, refuse_codec, refuse_damaged

MAX_PICTURE_PIXELS = 8192 * 4320
"""Pixels of a picture that is decoded; memory is kept for many of them."""
MIN_CROPPED_PIXELS = 16
"""Width and height from which a line is left out to make them even; smaller ones are stretched."""
HDR_NOTE = "The picture was made for HDR screens; its brightness and colours were brought to those of ordinary ones."
_PREROLL_S = 1.0
"""Seconds before a place from which packets are read, so that a key frame with a wrong stamp is still found."""
_INSPECT_TIMEOUT_S = 60.0
_DECODER_THREADS = "2"
_HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
_FRAME = re.compile(r"\[Parsed_showinfo\S* @ \S+\] n: *0 .* sar:(\d+)/(\d+) s:(\d+)x(\d+) ")
_COLOUR = re.compile(
    r"\[Parsed_showinfo\S* @ \S+\] color_range:\S+ color_space:(\S+) color_primaries:\S+ color_trc:(\S+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the pictures of a clip look once they are decoded and turned as they are played."""

    width: int
    """In square pixels, like `height`."""
    height: int
    hdr: str = ""
    """The transfer function of a picture for HDR screens; empty for any other."""
    has_matrix: bool = True
    """Whether the file says how colours are coded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """The pictures of a clip from some time on, as an input of ffmpeg."""

    source: PictureSource
    look: Look
    decoders: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what people are told about the picture."""
        return (HDR_NOTE,) if self.look.hdr else ()

    def arguments(self, start: float) -> list[str]:
        """Build the arguments for the pictures from a time (seconds) on; their stamps stay those of the file."""
        place = self.source.zero + start - _PREROLL_S
        sought = ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", f"{place:.6f}"] if start > 0 else []
        bounds = ["-threads", _DECODER_THREADS, "-max_pixels", str(MAX_PICTURE_PIXELS)]
        return ["-copyts", *bounds, *sought, *input_arguments(self.source.path, decoders=self.decoders)]

    @property
    def stream(self) -> str:
        """Return the name of the picture for `-map`, where it is the first input."""
        return f"0:{self.source.index}"

    def clock(self, start: float, end: float | None = None) -> list[str]:
        """Build the filters that give the stretch its own clock; its first picture is the one shown at `start`.

        Args:
            start: Seconds on the clip's clock.
            end: Seconds; None: to the end.
        """
        zero = self.source.zero + start
        shown = self.shown_at(start)
        begin = 0.0 if shown is None else min(0.0, shown - start)
        stop = "" if end is None else f":end={end - start - TICK_S:.6f}"
        return [
            f"setpts=PTS-({zero:.6f})/TB",
            f"trim=start={begin - TICK_S:.6f}{stop}",
            # What is shown at the beginning may have begun before.
            "setpts='max(PTS,0)'",
        ]

    def shown_at(self, time: float) -> float | None:
        """Return when the picture begins that is shown at a time (seconds); None where none has begun by then."""
        return shown_at(self.source, time)

    def plain(self, *, even: bool = True) -> list[str]:
        """Build the filters for square pixels and standard range.

        Args:
            even: Make width and height even, as H.264 for everybody needs it, by leaving out a line.
        """
        look = self.look
        filters = [f"scale={look.width}:{look.height}:flags=lanczos{self._matrix()}", "setsar=1"]
        if even and (look.width % 2 or look.height % 2):
            width, height = even_size(look.width, look.height)
            cropped = min(look.width, look.height) >= MIN_CROPPED_PIXELS
            filters.append(f"crop={width}:{height}:0:0" if cropped else f"scale={width}:{height}")
        return [*_standard_range(look.hdr), *filters]

    def scaled(self, width: int, height: int, *, stretched: bool = True) -> list[str]:
        """Build the filters for standard range and a size in square pixels.

        Args:
            width: Pixels.
            height: Pixels.
            stretched: Give the whole picture this size; else fill it and cut off what goes over.
        """
        # Scaled first, a large picture is brought to another range in a fraction of the time.
        if stretched:
            size = f"scale={width}:{height}:flags=lanczos{self._matrix()}"
            return [size, "setsar=1", *_standard_range(self.look.hdr)]
        factor = max(width / self.look.width, height / self.look.height)
        inner = max(width, round(self.look.width * factor)), max(height, round(self.look.height * factor))
        size = f"scale={inner[0]}:{inner[1]}:flags=lanczos{self._matrix()}"
        return [size, "setsar=1", f"crop={width}:{height}", *_standard_range(self.look.hdr)]

    def _matrix(self) -> str:
        """Name the coding of colours where the file does not: players go by the height."""
        if self.look.has_matrix or self.look.hdr:
            return ""
        return f":in_color_matrix={'bt709' if self.look.height >= 720 else 'smpte170m'}"


@contextmanager
def open_pictures(source: Path, clip: Probe) -> Generator[Pictures]:
    """Prepare the pictures of a clip for tools, and look at the first one.

    Raises:
        MediaError: There is no picture, or it cannot be decoded or found by its time.
        FFmpegError: ffmpeg failed or took too long.
    """
    video = need_picture(clip)
    check_steady(clip)
    decoders = PICTURE_DECODERS.get(video.codec)
    if decoders is None:
        refuse_codec(video.codec)
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        picture = index_pictures(source, clip, Path(folder), decoders)
        yield Pictures(source=picture, look=_look_at(picture, decoders), decoders=decoders)


def even_size(width: int, height: int) -> tuple[int, int]:
    """Round a size down to even numbers, at least two."""
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


def fit_inside(look: Look, width: int, height: int) -> tuple[int, int]:
    """Return the largest even size of a picture's shape within another size."""
    factor = min(width / look.width, height / look.height)
    return max(2, round(look.width * factor / 2) * 2), max(2, round(look.height * factor / 2) * 2)


def _look_at(picture: PictureSource, decoders: tuple[str, ...]) -> Look:
    """Decode the first picture and read how it looks."""
    bounds = ["-threads", _DECODER_THREADS, "-max_pixels", str(MAX_PICTURE_PIXELS)]
    inputs = [*bounds, *input_arguments(picture.path, decoders=decoders)]
    selection = ["-map", f"0:{picture.index}", "-frames:v", "1", "-vf", "showinfo", "-f", "null", "-"]
    try:
        log = read_log([*inputs, *selection], timeout=_INSPECT_TIMEOUT_S)
    except (FFmpegError, MediaError) as error:
        refuse_damaged(error.detail)
    frame, colour = _FRAME.search(log), _COLOUR.search(log)
    if frame is None:
        refuse_damaged(log)
    across, down, width, height = map(int, frame.groups())
    if across and down and across != down:
        width = max(1, round(width * across / down))
    matrix, transfer = ("unknown", "unknown") if colour is None else colour.groups()
    hdr = transfer if transfer in _HDR_TRANSFERS else ""
    return Look(width=width, height=height, hdr=hdr, has_matrix=matrix not in ("unknown", "reserved"))


def _standard_range(hdr: str) -> list[str]:
    """Build the filters that bring a picture for HDR screens (ITU-R BT.2100) to ordinary ones (BT.709)."""
    if not hdr:
        return []
    return [
        f"zscale=tin={hdr}:pin=2020:min=2020_ncl:t=linear:npl=203",
        "format=gbrpf32le",
        "zscale=p=709",
        "tonemap=tonemap=mobius:param=0.7:peak=4.926:desat=0",
        "zscale=t=709:m=709:r=limited",
        "format=yuv420p",
    ]
