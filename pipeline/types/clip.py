"""The tools that make one file out of a clip: what a person may choose, as numbers and choices only.

Times are seconds on the clip's clock. Build them with `pipeline.clip_options.parse_tool`.
"""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from pipeline.types.media import SoundFormat


class Turn(StrEnum):
    """How a picture is turned or mirrored."""

    RIGHT = "right"
    LEFT = "left"
    OVER = "over"
    """Upside down."""
    MIRROR = "mirror"
    """Left and right change places."""
    FLIP = "flip"
    """Top and bottom change places."""


class Fit(StrEnum):
    """How a picture comes into a size of another shape."""

    INSIDE = "inside"
    """All of it, as large as it fits."""
    FILL = "fill"
    """The size is filled; what goes over at two sides is cut off."""
    STRETCH = "stretch"


class PictureFormat(StrEnum):
    """A form of a still picture."""

    PNG = "png"
    JPG = "jpg"


class LoopFormat(StrEnum):
    """A form of a moving picture that plays by itself."""

    GIF = "gif"
    WEBP = "webp"


class CaptionPlace(StrEnum):
    """Where captions stand in the picture."""

    BOTTOM = "bottom"
    TOP = "top"


class CaptionSize(StrEnum):
    """How large captions are."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class _Tool(msgspec.Struct, frozen=True, kw_only=True, tag_field="tool"):
    """Base of all tools."""


class Cut(_Tool, frozen=True, kw_only=True, tag="cut"):
    """Keep a stretch of the clip."""

    start: float = 0.0
    end: float | None = None
    """None: to the end."""
    quick: bool = False
    """Copy the picture as it is instead of encoding it again; players hide what comes before the stretch."""


class Resize(_Tool, frozen=True, kw_only=True, tag="resize"):
    """Give the picture another size."""

    width: int | None = None
    """Pixels; None: what goes with the height."""
    height: int | None = None
    """Pixels; None: what goes with the width."""
    fit: Fit = Fit.INSIDE
    """Only where both are given."""


class ChangeRate(_Tool, frozen=True, kw_only=True, tag="fps"):
    """Show another number of pictures a second, as fast as before."""

    rate: float


class TurnPicture(_Tool, frozen=True, kw_only=True, tag="turn"):
    """Turn or mirror the picture."""

    turn: Turn


class TakeSound(_Tool, frozen=True, kw_only=True, tag="audio"):
    """Keep the sound alone, or a stretch of it."""

    form: SoundFormat = SoundFormat.MP3
    start: float = 0.0
    end: float | None = None


class TakeFrame(_Tool, frozen=True, kw_only=True, tag="frame"):
    """Keep the picture that is shown at a time."""

    at: float = 0.0
    form: PictureFormat = PictureFormat.PNG


class ContactSheet(_Tool, frozen=True, kw_only=True, tag="sheet"):
    """Put pictures from all over the clip into one, each with its time."""

    columns: int = 4
    rows: int = 4
    form: PictureFormat = PictureFormat.JPG


class MakeLoop(_Tool, frozen=True, kw_only=True, tag="gif"):
    """Make a picture that moves and plays by itself, without sound."""

    start: float = 0.0
    end: float | None = None
    """None: some seconds after the start, or the end of the clip."""
    width: int = 480
    """Pixels; a smaller picture stays as it is."""
    rate: float = 12.0
    """Pictures a second."""
    form: LoopFormat = LoopFormat.GIF


class BurnCaptions(_Tool, frozen=True, kw_only=True, tag="captions"):
    """Write what is said into the picture."""

    highlight: bool = False
    """Colour each word while it is said."""
    place: CaptionPlace = CaptionPlace.BOTTOM
    size: CaptionSize = CaptionSize.MEDIUM


ClipTool: TypeAlias = (
    Cut | Resize | ChangeRate | TurnPicture | TakeSound | TakeFrame | ContactSheet | MakeLoop | BurnCaptions
)
DEFAULT_LOOP_SECONDS = 6.0
"""Length of a loop whose end was not given."""


def tool_name(tool: ClipTool) -> str:
    """Return what a tool is called on the wire, in texts and on the command line, such as `cut`."""
    return str(type(tool).__struct_config__.tag)


def worked_seconds(tool: ClipTool, duration: float) -> float:
    """Return the seconds of a clip that a tool works on.

    Args:
        tool: The tool.
        duration: Length of the clip, seconds.
    """
    match tool:
        case TakeFrame() | ContactSheet():
            return 0.0
        case MakeLoop(end=None):
            return min(DEFAULT_LOOP_SECONDS, max(0.0, duration - tool.start))
        case Cut() | TakeSound() | MakeLoop():
            end = duration if tool.end is None else min(tool.end, duration)
            return max(0.0, end - tool.start)
        case _:
            return duration
