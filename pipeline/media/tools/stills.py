"""Still pictures: the one that is shown at a time, and a sheet of pictures from all over a clip."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from pipeline.clip_options import format_time
from pipeline.errors import FFmpegError, MediaError
from pipeline.graph.stage import ProgressCallback
from pipeline.media.ffmpeg import run_ffmpeg
from pipeline.media.probe import Probe
from pipeline.media.tools.pictures import Pictures
from pipeline.media.tools.refusals import check_time, refuse_damaged
from pipeline.types import ContactSheet, PictureFormat, TakeFrame

_PICTURE_TIMEOUT_S: Final = 60.0
"""Seconds for one picture."""
_JPEG_QUALITY: Final = ("-q:v", "2")
_FRAME_CODING = {
    PictureFormat.PNG: ("-c:v", "png", "-pix_fmt", "rgb24"),
    PictureFormat.JPG: ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", *_JPEG_QUALITY),
}
MAX_SHEET_WIDTH: Final = 1920
MAX_SHEET_HEIGHT: Final = 2560
"""Pixels of a contact sheet."""
MAX_CELL_PIXELS: Final = 640
"""Of the longer side of a picture in it."""
_MARGIN: Final = 16
_GAP: Final = 8
"""Pixels around and between the pictures."""
_SHEET_COLOUR: Final = (24, 25, 28)
_MISSING_COLOUR: Final = (43, 45, 49)
_LABEL_COLOUR: Final = (255, 255, 255)
_LABEL_GROUND: Final = (0, 0, 0, 170)
_SHEET_JPEG_QUALITY: Final = 90


def take_frame(clip: Probe, pictures: Pictures, target: Path, tool: TakeFrame) -> None:
    """Write the picture that is shown at a time, as it is played.

    Raises:
        ValidationError: The time is after the end.
        MediaError: There is no picture that can be decoded.
        FFmpegError: ffmpeg failed or took too long.
    """
    check_time(clip, tool.at)
    _write_picture(pictures, tool.at, pictures.plain(even=False), _FRAME_CODING[tool.form], target)
    if not target.is_file():
        refuse_damaged(f"no picture at {tool.at} s")


def draw_sheet(
    clip: Probe, pictures: Pictures, target: Path, tool: ContactSheet, report: ProgressCallback | None = None
) -> None:
    """Draw pictures from all over a clip, evenly spaced, each with its time; a place that cannot be decoded stays dark.

    Raises:
        MediaError: No picture can be decoded.
        FFmpegError: ffmpeg took too long.
    """
    grid = _Grid.of(pictures, tool)
    count = tool.columns * tool.rows
    sheet = Image.new("RGB", grid.size, _SHEET_COLOUR)
    drawing = ImageDraw.Draw(sheet, "RGBA")
    font = ImageFont.load_default(grid.letter_height)
    found = 0
    with tempfile.TemporaryDirectory(prefix="sheet-") as folder:
        for index in range(count):
            if report is not None:
                report(index / count, "Taking pictures")
            at = (index + 0.5) * clip.media.duration / count
            place = grid.place(index)
            picture = _read_picture(pictures, at, grid, Path(folder) / f"{index}.png")
            if picture is None:
                drawing.rectangle((*place, place[0] + grid.width - 1, place[1] + grid.height - 1), _MISSING_COLOUR)
            else:
                found += 1
                sheet.paste(picture, place)
            _label(drawing, font, format_time(float(int(at))), grid, place)
    if not found:
        refuse_damaged("no picture of the sheet")
    if tool.form is PictureFormat.PNG:
        sheet.save(target, format="PNG", optimize=True)
    else:
        sheet.save(target, format="JPEG", quality=_SHEET_JPEG_QUALITY, subsampling=0)


def _read_picture(pictures: Pictures, at: float, grid: "_Grid", path: Path) -> Image.Image | None:
    """Return a picture in the size of the grid; None where there is none that can be decoded."""
    try:
        _write_picture(pictures, at, pictures.scaled(grid.width, grid.height), _FRAME_CODING[PictureFormat.PNG], path)
    except (FFmpegError, MediaError):
        return None
    if not path.is_file():
        return None
    with Image.open(path, formats=("PNG",)) as picture:
        picture.load()
        return picture.convert("RGB")


def _write_picture(pictures: Pictures, at: float, filters: list[str], coding: tuple[str, ...], target: Path) -> None:
    chain = [*pictures.clock(at), *filters]
    selection = ["-map", pictures.stream, "-vf", ",".join(chain), "-frames:v", "1"]
    output = ["-map_metadata", "-1", "-bitexact", *coding, "-update", "1", "-f", "image2", str(target.absolute())]
    run_ffmpeg([*pictures.arguments(at), *selection, *output], timeout=_PICTURE_TIMEOUT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Where the pictures of a sheet stand."""

    columns: int
    rows: int
    width: int
    """Of a picture, pixels, like `height`."""
    height: int

    @classmethod
    def of(cls, pictures: Pictures, tool: ContactSheet) -> "_Grid":
        look = pictures.look
        across = (MAX_SHEET_WIDTH - 2 * _MARGIN - (tool.columns - 1) * _GAP) / tool.columns
        down = (MAX_SHEET_HEIGHT - 2 * _MARGIN - (tool.rows - 1) * _GAP) / tool.rows
        factor = min(across / look.width, down / look.height, MAX_CELL_PIXELS / max(look.width, look.height))
        return cls(
            columns=tool.columns,
            rows=tool.rows,
            width=max(2, int(look.width * factor)),
            height=max(2, int(look.height * factor)),
        )

    @property
    def size(self) -> tuple[int, int]:
        across = self.columns * self.width + (self.columns - 1) * _GAP
        down = self.rows * self.height + (self.rows - 1) * _GAP
        return across + 2 * _MARGIN, down + 2 * _MARGIN

    @property
    def letter_height(self) -> float:
        return max(10.0, min(22.0, self.width / 14))

    def place(self, index: int) -> tuple[int, int]:
        row, column = divmod(index, self.columns)
        return _MARGIN + column * (self.width + _GAP), _MARGIN + row * (self.height + _GAP)


def _label(
    drawing: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    text: str,
    grid: _Grid,
    place: tuple[int, int],
) -> None:
    """Write a time into the lower left corner of a picture."""
    inset = max(3.0, grid.letter_height * 0.35)
    x, y = place[0] + 1.2 * inset, place[1] + grid.height - 1.2 * inset
    left, top, right, bottom = drawing.textbbox((x + inset, y - inset), text, font=font, anchor="ld")
    ground = (left - inset, top - 0.8 * inset, right + inset, bottom + 0.8 * inset)
    drawing.rounded_rectangle(ground, radius=inset, fill=_LABEL_GROUND)
    drawing.text((x + inset, y - inset), text, font=font, anchor="ld", fill=_LABEL_COLOUR)
