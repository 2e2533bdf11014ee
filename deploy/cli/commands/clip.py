"""`stemcord clip`: one file out of a clip, made by the same queue and workers as the bot's `/clip`."""

import asyncio
import time
import uuid
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.errors import exit_on_failure
from deploy.cli.input_files import check_file
from deploy.cli.local_job import run_local_job
from deploy.cli.printable import artefact_name, printable
from pipeline.clip_options import needs_speech, parse_tool, tool_request
from pipeline.errors import MediaError, ValidationError
from pipeline.types import (
    CaptionPlace,
    CaptionSize,
    Fit,
    LoopFormat,
    PictureFormat,
    PictureTurn,
    Request,
    Result,
    SoundFormat,
)
from worker.protocol import Job
from worker.settings import WorkerSettings
from worker.store import Store

clip = typer.Typer(help="Tools that make one file out of a clip.", no_args_is_help=True)
Source: TypeAlias = Annotated[Path, typer.Argument(metavar="CLIP", help="A video or sound file.", show_default=False)]
Start: TypeAlias = Annotated[str, typer.Option("--from", help="Where to begin, such as 12.5 or 1:03.")]
End: TypeAlias = Annotated[str | None, typer.Option("--to", help="Where to end.", show_default="the end of the clip")]
Track: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Which of several sound tracks, counted from 1; by default it is chosen.", show_default=False),
]
Fresh: TypeAlias = Annotated[bool, typer.Option("--fresh", help="Ignore what the store already has.")]
Video: TypeAlias = Annotated[Path, typer.Option("--out", "-o", help="A file ending in mp4.", show_default=False)]
VIDEO_SUFFIXES: Final = ("mp4",)
CUT_SUFFIXES: Final = ("mp4", "m4a")


def _out(*suffixes: str) -> typer.models.OptionInfo:
    listed = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
    option: typer.models.OptionInfo = typer.Option(
        "--out", "-o", help=f"A file ending in {listed}.", show_default=False
    )
    return option


@clip.command("cut")
def cut_clip(
    source: Source,
    out: Annotated[Path, _out(*CUT_SUFFIXES)],
    start: Start = "0",
    end: End = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Copy the picture as it is; some players then show a moment before the start."),
    ] = False,
    track: Track = None,
    fresh: Fresh = False,
) -> None:
    """Keep a stretch, exact to the picture; of a sound alone as m4a."""
    _run("cut", source, out, CUT_SUFFIXES, track, fresh, **{"from": start, "to": end, "quick": quick})


@clip.command("resize")
def resize_clip(
    source: Source,
    out: Video,
    width: Annotated[str | None, typer.Option(help="Pixels.", show_default=False)] = None,
    height: Annotated[str | None, typer.Option(help="Pixels.", show_default=False)] = None,
    fit: Annotated[str, typer.Option(help=f"With both: {' | '.join(Fit)}.")] = Fit.INSIDE,
    track: Track = None,
    fresh: Fresh = False,
) -> None:
    """Give the picture another size; with a width or a height alone, the other goes with it."""
    _run("resize", source, out, VIDEO_SUFFIXES, track, fresh, width=width, height=height, fit=fit)


@clip.command("fps")
def change_rate(
    source: Source,
    out: Video,
    rate: Annotated[str, typer.Option(help="Pictures a second, such as 24 or 29.97.", show_default=False)],
    track: Track = None,
    fresh: Fresh = False,
) -> None:
    """Show another number of pictures a second, as fast as before."""
    _run("fps", source, out, VIDEO_SUFFIXES, track, fresh, fps=rate)


@clip.command("turn")
def turn_clip(
    source: Source,
    out: Video,
    turn: Annotated[str, typer.Option("--to", help=" | ".join(PictureTurn))] = PictureTurn.RIGHT,
    track: Track = None,
    fresh: Fresh = False,
) -> None:
    """Turn or mirror the picture."""
    _run("turn", source, out, VIDEO_SUFFIXES, track, fresh, turn=turn)


@clip.command("audio")
def take_sound(
    source: Source,
    out: Annotated[Path, _out(*SoundFormat)],
    start: Start = "0",
    end: End = None,
    track: Track = None,
    fresh: Fresh = False,
) -> None:
    """Keep the sound alone, or a stretch of it."""
    given = {"from": start, "to": end, "format": _suffix(out)}
    _run("audio", source, out, tuple(SoundFormat), track, fresh, **given)


@clip.command("frame")
def take_frame(
    source: Source,
    out: Annotated[Path, _out(*PictureFormat)],
    at: Annotated[str, typer.Option(help="When, such as 12.5 or 1:03.")] = "0",
    fresh: Fresh = False,
) -> None:
    """Keep the picture that is shown at a time."""
    _run("frame", source, out, tuple(PictureFormat), None, fresh, at=at, format=_suffix(out))


@clip.command("sheet")
def draw_sheet(
    source: Source,
    out: Annotated[Path, _out(*PictureFormat)],
    columns: Annotated[str, typer.Option(help="Pictures in a row.")] = "4",
    rows: Annotated[str, typer.Option(help="Rows.")] = "4",
    fresh: Fresh = False,
) -> None:
    """Put pictures from all over the clip into one, each with its time."""
    given = {"columns": columns, "rows": rows, "format": _suffix(out)}
    _run("sheet", source, out, tuple(PictureFormat), None, fresh, **given)


@clip.command("gif")
def make_loop(
    source: Source,
    out: Annotated[Path, _out(*LoopFormat)],
    start: Start = "0",
    end: Annotated[str | None, typer.Option("--to", help="Where to end.", show_default="6 s later")] = None,
    width: Annotated[str, typer.Option(help="Pixels; a smaller picture stays as it is.")] = "480",
    rate: Annotated[str, typer.Option(help="Pictures a second.")] = "12",
    fresh: Fresh = False,
) -> None:
    """Make a picture that moves and plays by itself, without sound."""
    given = {"from": start, "to": end, "width": width, "fps": rate, "format": _suffix(out)}
    _run("gif", source, out, tuple(LoopFormat), None, fresh, **given)


@clip.command("captions")
def burn_captions(
    source: Source,
    out: Video,
    highlight: Annotated[bool, typer.Option("--highlight", help="Colour each word while it is said.")] = False,
    place: Annotated[str, typer.Option(help=" | ".join(CaptionPlace))] = CaptionPlace.BOTTOM,
    size: Annotated[str, typer.Option(help=" | ".join(CaptionSize))] = CaptionSize.MEDIUM,
    language: Annotated[str, typer.Option(help="Language code such as en or zh, or auto.")] = "auto",
    track: Track = None,
    fresh: Fresh = False,
) -> None:
    """Write what is said into the picture."""
    given = {"highlight": highlight, "place": place, "size": size}
    _run("captions", source, out, VIDEO_SUFFIXES, track, fresh, language=language, **given)


def _run(
    name: str,
    source: Path,
    out: Path,
    suffixes: tuple[str, ...],
    track: int | None,
    fresh: bool,
    *,
    language: str = "auto",
    **given: object,
) -> None:
    """Check the arguments, have the file made and name it."""
    console = Console()
    with exit_on_failure():
        settings = WorkerSettings()
        if _suffix(out) not in suffixes:
            raise ValidationError(
                f"A result of this tool cannot be written as {out.name}.",
                hint=f"End the name with {' or '.join(suffixes)}.",
            )
        usual = {"preset": settings.preset, "language": language, "track": track}
        request = tool_request(parse_tool(name, given), usual)
        check_file(source, settings.max_size)
        _check_target(source, out)
        result = asyncio.run(_make(request, source, out, settings, console, fresh=fresh))
    for note in result.notes:
        console.print(f"[yellow]Note[/yellow]  {escape(note)}", highlight=False, soft_wrap=True)
    console.print(f"[bold]File[/bold]  {escape(printable(out))}", highlight=False, soft_wrap=True)


def _suffix(path: Path) -> str:
    return path.suffix.lower().removeprefix(".").replace("jpeg", "jpg")


def _check_target(source: Path, out: Path) -> None:
    """Refuse a target that cannot be written, before anything is started."""
    if out.is_dir() or not out.parent.is_dir():
        raise ValidationError(f"{out} cannot be written.", hint="Name a file in a folder that exists.")
    if out.exists() and out.samefile(source):
        raise ValidationError("The clip itself would be replaced.", hint="Choose another name with --out.")


async def _make(
    request: Request, source: Path, out: Path, settings: WorkerSettings, console: Console, *, fresh: bool
) -> Result:
    """Run the job of a tool and write what it made."""

    async def build(store: Store) -> Job:
        return Job(
            id=uuid.uuid4().hex,
            request=request,
            source=await store.put(source, name=artefact_name(source)),
            submitted=time.time(),
            fresh=fresh,
        )

    return await run_local_job(
        settings,
        console,
        ("media", "asr") if needs_speech(request) else ("media",),
        build=build,
        write=lambda result, store: _write(result, store, source, out),
    )


async def _write(result: Result, store: Store, source: Path, out: Path) -> None:
    from pipeline.media.clip_tools import atomic_output

    made = result.artefacts[0]
    if _suffix(Path(made.name)) != _suffix(out):
        kind = _suffix(Path(made.name))
        raise MediaError(f"What was made of this clip is an {kind}.", hint=f"End the name with {kind}.")
    with atomic_output(source, out) as path:
        await store.fetch(made, Path(path))
