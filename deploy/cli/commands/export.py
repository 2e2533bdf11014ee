"""`stemcord export`: write the exports of a transcript again with other names or another layout."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.errors import exit_on_failure
from deploy.cli.printable import printable
from deploy.cli.request_options import FlagValue, given_in, with_options
from pipeline.errors import ValidationError
from pipeline.export.stage import write_exports, write_json
from pipeline.export.transcripts import read_transcript, read_voices_beside, rename_speakers
from pipeline.options import SUBTITLE_OPTIONS, parse_subtitle_style


@with_options(SUBTITLE_OPTIONS)
def export(
    *,
    source: Annotated[Path, typer.Argument(help="A folder that `stemcord run` wrote, or its transcript.json.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the exports.")],
    name: Annotated[
        list[str] | None, typer.Option(help="Another name for a speaker, such as S1=Anna; may be repeated.")
    ] = None,
    **given: FlagValue,
) -> None:
    """Write all exports of a transcript again: other names, another layout. No engine runs."""
    with exit_on_failure():
        style = parse_subtitle_style(given_in(SUBTITLE_OPTIONS, given))
        path = source / "transcript.json" if source.is_dir() else source
        transcript = read_transcript(path)
        voices = read_voices_beside(transcript, path.parent)
        renamed = rename_speakers(transcript, read_names(name or []))
        if out.exists() and not out.is_dir():
            raise ValidationError(f"{out} is a file.", hint="Name a folder with --out.")
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=out) as folder:
            write_json(renamed, Path(folder) / "transcript.json")
            write_exports(renamed, voices, style, Path(folder))
            for made in sorted(Path(folder).iterdir()):
                made.replace(out / made.name)
    Console().print(f"[bold]Files[/bold]     {escape(printable(out))}", highlight=False, soft_wrap=True)


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
