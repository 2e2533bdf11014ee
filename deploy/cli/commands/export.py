"""`stemcord export`: write the exports of a transcript again, corrected, with other names or another layout."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.edited_result import read_frame_rate, write_result_json, write_videos
from deploy.cli.errors import exit_on_failure
from deploy.cli.input_files import InputFile, check_results
from deploy.cli.printable import printable
from deploy.cli.request_options import FlagValue, given_in, with_options
from pipeline.chapters.stage import divide
from pipeline.edits.edit_file import read_edits
from pipeline.edits.edited_transcript import edit_transcript
from pipeline.errors import ValidationError
from pipeline.export.stage import write_exports, write_json
from pipeline.export.transcripts import read_edited, read_voices_beside, rename_speakers
from pipeline.options import SUBTITLE_OPTIONS, parse_subtitle_style


@with_options(SUBTITLE_OPTIONS)
def export(
    *,
    source: Annotated[Path, typer.Argument(help="A folder that `stemcord run` wrote, or its transcript.json.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the exports.")],
    name: Annotated[
        list[str] | None, typer.Option(help="Another name for a speaker, such as S1=Anna; may be repeated.")
    ] = None,
    edits: Annotated[
        Path | None, typer.Option(help="A file of edits, which all files follow; docs/edits.md describes it.")
    ] = None,
    **given: FlagValue,
) -> None:
    """Write all exports of a transcript again: corrected, other names, another layout. No engine runs."""
    notes: list[str] = []
    with exit_on_failure():
        style = parse_subtitle_style(given_in(SUBTITLE_OPTIONS, given))
        path = source / "transcript.json" if source.is_dir() else source
        transcript = read_edited(path)
        voices = read_voices_beside(transcript.current(), path.parent)
        if edits is not None:
            edited = edit_transcript(transcript, voices, read_edits(edits))
            transcript, voices = divide(edited.transcript), edited.voices
            notes += [f"Edit {each.number} was left out: {each.reason}" for each in edited.misfits]
        renamed = rename_speakers(transcript.current(), read_names(name or []))
        transcript = replace(transcript, speakers=renamed.speakers)
        if out.exists() and not out.is_dir():
            raise ValidationError(f"{out} is a file.", hint="Name a folder with --out.")
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=out) as folder:
            made = Path(folder)
            write_json(renamed if transcript.original is None else transcript, made / "transcript.json")
            write_exports(renamed, voices, style, made, frame_rate=read_frame_rate(path.parent))
            if edits is not None:
                notes += write_videos(path.parent, made, transcript)
                write_result_json(path.parent, made, out, transcript)
                inputs = [InputFile(path=edits, title="The file of edits")]
                check_results(inputs, [out / each.name for each in made.iterdir()])
            for each in sorted(made.iterdir()):
                each.replace(out / each.name)
    console = Console()
    for note in notes:
        console.print(f"[yellow]Note[/yellow]      {escape(printable(note))}", highlight=False, soft_wrap=True)
    console.print(f"[bold]Files[/bold]     {escape(printable(out))}", highlight=False, soft_wrap=True)


def read_names(pairs: Sequence[str]) -> dict[str, str]:
    """Read pairs such as `S1=Anna`.

    Raises:
        ValidationError: A pair has no equals sign.
    """
    names: dict[str, str] = {}
    for pair in pairs:
        speaker, sign, name = pair.partition("=")
        if not sign:
            raise ValidationError(f"The name cannot be read: {pair}.", hint="Write it as S1=Anna.")
        names[speaker.strip()] = name
    return names
