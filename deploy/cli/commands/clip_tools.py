"""`stemcord cut`, `audio` and `frame`: simple tools for a clip that need no queue."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.errors import exit_on_failure
from deploy.cli.printable import printable
from pipeline.clip_options import parse_time
from worker.settings import WorkerSettings

if TYPE_CHECKING:
    from pipeline.media.probe import Probe

Clip: TypeAlias = Annotated[Path, typer.Argument(help="A video or sound file.")]
Track: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Which of several sound tracks, counted from 1; by default it is chosen.", show_default=False),
]


def cut(
    clip: Clip,
    out: Annotated[Path, typer.Option("--out", "-o", help="An mp4, or m4a, mp3, wav, flac, opus for the sound alone.")],
    start: Annotated[str, typer.Option("--from", help="Where to begin, such as 0:12.5.")] = "0",
    end: Annotated[str | None, typer.Option("--to", help="Where to end, such as 1:03; default: the end.")] = None,
    track: Track = None,
) -> None:
    """Cut a stretch out of a clip; the picture is copied untouched, the sound is exact to the sample."""
    with exit_on_failure():
        from pipeline.media import clip_tools as cutting

        settings = WorkerSettings()
        opened = cutting.open_clip(clip, max_size=settings.max_size, max_duration=settings.max_duration, track=track)
        until = None if end is None else parse_time(end)
        notes = cutting.cut(clip, opened, out, start=parse_time(start), end=until)
    _print_outcome(out, opened, notes)


def audio(
    clip: Clip,
    out: Annotated[Path, typer.Option("--out", "-o", help="A file ending in mp3, m4a, wav, flac or opus.")],
    track: Track = None,
) -> None:
    """Write the sound of a clip as mp3 or another format."""
    with exit_on_failure():
        from pipeline.media import clip_tools as cutting

        settings = WorkerSettings()
        opened = cutting.open_clip(clip, max_size=settings.max_size, max_duration=settings.max_duration, track=track)
        notes = cutting.extract_sound(clip, opened, out)
    _print_outcome(out, opened, notes)


def frame(
    clip: Clip,
    out: Annotated[Path, typer.Option("--out", "-o", help="A file ending in png.")],
    at: Annotated[str, typer.Option(help="When, such as 12.5 or 1:03.")] = "0",
) -> None:
    """Write one picture of a clip as png."""
    with exit_on_failure():
        from pipeline.media import clip_tools as cutting

        settings = WorkerSettings()
        opened = cutting.open_clip(clip, max_size=settings.max_size, max_duration=settings.max_duration)
        cutting.take_frame(clip, opened, out, at=parse_time(at))
    _print_file(out)


def _print_outcome(out: Path, clip: "Probe", notes: tuple[str, ...]) -> None:
    """Name the file, and say what was found of the clip and which of its sound tracks was taken."""
    from pipeline.media.containers.sound_tracks import describe_choice

    console = Console()
    for note in (*clip.notes, *notes, describe_choice(clip.media.track, clip.media.tracks)):
        if note:
            console.print(f"[yellow]Note[/yellow]  {escape(note)}", highlight=False, soft_wrap=True)
    _print_file(out)


def _print_file(out: Path) -> None:
    Console().print(f"[bold]File[/bold]  {escape(printable(out))}", highlight=False, soft_wrap=True)
