"""Write a finished job to a folder and summarise it on the terminal."""

import asyncio
from pathlib import Path, PurePosixPath

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.cli.printable import printable
from pipeline.types import Loudness, Result
from worker.store import Store
from worker.store.scratch import Scratch


async def write_result(result: Result, store: Store, out: Path) -> None:
    """Write every artefact and `result.json` into a folder.

    Files are collected beside the folder first and then moved in, `result.json` last, so that an interrupted run
    leaves no partial file; what one that was killed has left there goes with the next.
    """
    scratch = await asyncio.to_thread(Scratch, out.parent, ".stemcord-")
    try:
        gathered = scratch.root / "gathered"
        gathered.mkdir()
        for artefact in result.artefacts:
            target = gathered / artefact.name
            target.parent.mkdir(parents=True, exist_ok=True)
            await store.fetch(artefact, target)
        document = msgspec.json.format(msgspec.json.encode(result), indent=2)
        await asyncio.to_thread((gathered / "result.json").write_bytes, document)
        await asyncio.to_thread(_move_in, gathered, out)
    finally:
        await asyncio.to_thread(scratch.close)


def _move_in(gathered: Path, out: Path) -> None:
    files = [path for path in gathered.rglob("*") if path.is_file() and path.name != "result.json"]
    for path in [*files, gathered / "result.json"]:
        target = out / path.relative_to(gathered)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


def show_result(result: Result, out: Path, seconds: float, console: Console) -> None:
    """Print a summary: route and reason, speakers, loudness, stages, failures and where the files are."""
    console.print(f"\n[bold]Route[/bold]     {result.route.name} ({result.route.model or result.route.engine})")
    console.print(f"          {escape(result.route.reason)}", highlight=False)
    if result.speakers:
        names = escape(printable(", ".join(speaker.name for speaker in result.speakers)))
        console.print(f"[bold]Speakers[/bold]  {len(result.speakers)} ({names}), language {result.language}")
    if result.speaker_stems:
        known = {speaker.id: speaker.name for speaker in result.speakers}
        tracks = ", ".join(
            f"{PurePosixPath(stem.file).name} ({known.get(stem.speaker, '-')})" for stem in result.speaker_stems
        )
        console.print(f"[bold]Tracks[/bold]    {escape(printable(tracks))}", highlight=False, soft_wrap=True)
    final = result.loudness.get("final")
    if final is not None and final.integrated is not None:
        console.print(f"[bold]Loudness[/bold]  {describe_loudness(final)}{_original_loudness(result)}", highlight=False)
    console.print(_timing_table(result, seconds))
    for note in result.notes:
        console.print(f"[yellow]Note[/yellow]      {escape(printable(note))}", highlight=False)
    for failure in result.failures:
        console.print(
            f"[red]Failed[/red]    {failure.stage}: {escape(failure.message)} {escape(failure.hint)}", highlight=False
        )
    console.print(
        f"[bold]Files[/bold]     {escape(printable(out))} ({len(result.artefacts) + 1} files)",
        highlight=False,
        soft_wrap=True,
    )


def describe_loudness(loudness: Loudness) -> str:
    """Return loudness, range and peak in one line, without values that were not measured."""
    found = (
        (loudness.integrated, "LUFS"),
        (loudness.range, "LU range"),
        (loudness.peak if loudness.true_peak is None else loudness.true_peak, "dB peak"),
    )
    return ", ".join(f"{value:.1f} {unit}" for value, unit in found if value is not None)


def _original_loudness(result: Result) -> str:
    original = result.loudness.get("original")
    return "" if original is None or original.integrated is None else f" (original: {describe_loudness(original)})"


def _timing_table(result: Result, seconds: float) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Stage     ")
    table.add_column("seconds", justify="right")
    table.add_column("in the engine", justify="right")
    table.add_column("")
    for timing in result.timings:
        table.add_row(
            timing.stage, f"{timing.seconds:.1f}", f"{timing.engine_seconds:.1f}", "kept" if timing.reused else ""
        )
    engines = sum(timing.engine_seconds for timing in result.timings if not timing.reused)
    table.add_row("all", f"{seconds:.1f}", f"{engines:.1f}", "", style="bold")
    return table
