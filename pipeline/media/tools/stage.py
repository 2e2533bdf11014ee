"""The stage edit_clip: what a tool makes of a clip."""

from pathlib import Path

from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.media import clip_tools
from pipeline.media.containers.sound_tracks import describe_choice
from pipeline.media.probe import Probe, probe_any
from pipeline.media.tools.contracts import EditClipInputs, EditClipParams, MadeFile
from pipeline.media.tools.encoding import Stretch, write_video
from pipeline.media.tools.loops import make_loop
from pipeline.media.tools.pictures import even_size, fit_inside, open_pictures
from pipeline.media.tools.refusals import check_stretch, need_picture, need_sound
from pipeline.media.tools.stills import draw_sheet, take_frame
from pipeline.types import (
    ChangeRate,
    ContactSheet,
    Cut,
    Fit,
    MakeLoop,
    PictureTurn,
    Resize,
    TakeFrame,
    TakeSound,
    TurnPicture,
)

MAX_SIDE_PIXELS = 4096
"""Width and height of a picture whose other side was chosen."""
_TURNS = {
    PictureTurn.RIGHT: ("transpose=clock",),
    PictureTurn.LEFT: ("transpose=cclock",),
    PictureTurn.OVER: ("hflip", "vflip"),
    PictureTurn.MIRROR: ("hflip",),
    PictureTurn.FLIP: ("vflip",),
}


def edit_clip_stage(context: StageContext, inputs: EditClipInputs[Path], params: EditClipParams) -> MadeFile[Path]:
    """Make what a tool makes of a clip.

    Raises:
        ValidationError: The tool does not fit the clip, such as a time after its end.
        MediaError: The clip lacks what the tool needs, or is damaged.
        LimitError: It is more than is encoded in one go.
        FFmpegError: ffmpeg failed or took too long.
    """
    clip = probe_any(inputs.source, track=params.track)
    work = _Work(inputs.source, clip, context.out, context.report)
    match params.tool:
        case Cut() as tool:
            made, notes = work.cut(tool)
        case TakeSound() as tool:
            made, notes = work.take_sound(tool)
        case TakeFrame() | ContactSheet() | MakeLoop() as tool:
            made, notes = work.draw(tool)
        case Resize() | ChangeRate() | TurnPicture() as tool:
            made, notes = work.change(tool)
    context.report(1.0)
    return MadeFile(made=made, notes=notes)


class _Work:
    """One tool at work on one clip."""

    def __init__(self, source: Path, clip: Probe, out: Path, report: ProgressCallback) -> None:
        self._source = source
        self._clip = clip
        self._out = out
        self._report = report

    def cut(self, tool: Cut) -> tuple[Path, tuple[str, ...]]:
        """Cut a stretch: of a sound alone as m4a, else as mp4."""
        start, end = tool.start, check_stretch(self._clip, tool.start, tool.end)
        if self._clip.media.video is None:
            target = self._out / "cut.m4a"
            notes = clip_tools.extract_sound(
                self._source, self._clip, target, start=start, end=end, report=self._report
            )
            return target, notes
        target = self._out / "cut.mp4"
        if tool.quick:
            notes = clip_tools.cut(
                self._source, self._clip, target, start=start, end=end, on_picture=True, report=self._report
            )
            return target, notes
        with open_pictures(self._source, self._clip) as pictures:
            stretch = Stretch(source=self._source, clip=self._clip, start=start, end=end)
            notes = write_video(stretch, pictures, target, pictures.plain(), report=self._report)
        return target, notes

    def take_sound(self, tool: TakeSound) -> tuple[Path, tuple[str, ...]]:
        need_sound(self._clip)
        end = check_stretch(self._clip, tool.start, tool.end)
        target = self._out / f"sound.{tool.form}"
        notes = clip_tools.extract_sound(
            self._source, self._clip, target, start=tool.start, end=end, report=self._report
        )
        told = describe_choice(self._clip.media.track, self._clip.media.tracks)
        return target, (*notes, *((told,) if told else ()))

    def draw(self, tool: TakeFrame | ContactSheet | MakeLoop) -> tuple[Path, tuple[str, ...]]:
        """Make a picture."""
        need_picture(self._clip)
        with open_pictures(self._source, self._clip) as pictures:
            match tool:
                case TakeFrame():
                    target = self._out / f"frame.{tool.form}"
                    take_frame(self._clip, pictures, target, tool)
                case ContactSheet():
                    target = self._out / f"sheet.{tool.form}"
                    draw_sheet(self._clip, pictures, target, tool, self._report)
                case MakeLoop():
                    target = self._out / f"loop.{tool.form}"
                    make_loop(self._clip, pictures, target, tool, self._report)
            return target, pictures.notes

    def change(self, tool: Resize | ChangeRate | TurnPicture) -> tuple[Path, tuple[str, ...]]:
        """Encode the picture again, with another size, rate or direction."""
        need_picture(self._clip)
        with open_pictures(self._source, self._clip) as pictures:
            rate, pixels = None, 0
            look = pictures.look
            match tool:
                case Resize():
                    width, height = _size(tool, fit_inside(look, *_bounds(tool)))
                    stretched = tool.width is None or tool.height is None or tool.fit is not Fit.FILL
                    filters, name, pixels = (
                        pictures.scaled(width, height, stretched=stretched),
                        "resized",
                        width * height,
                    )
                case ChangeRate():
                    filters, name, rate = pictures.plain(), "fps", tool.rate
                case TurnPicture():
                    filters, name = [*pictures.plain(), *_TURNS[tool.turn]], "turned"
            target = self._out / f"{name}.mp4"
            stretch = Stretch.whole(self._source, self._clip)
            notes = write_video(stretch, pictures, target, filters, rate=rate, pixels=pixels, report=self._report)
        return target, notes


def _bounds(tool: Resize) -> tuple[int, int]:
    return tool.width or MAX_SIDE_PIXELS, tool.height or MAX_SIDE_PIXELS


def _size(tool: Resize, inside: tuple[int, int]) -> tuple[int, int]:
    """Return the size that a picture gets; `inside` is that of its own shape."""
    if tool.width is None or tool.height is None or tool.fit is Fit.INSIDE:
        return inside
    return even_size(tool.width, tool.height)
