"""Turn errors of a command into one line of text and an exit code."""

from collections.abc import Generator
from contextlib import contextmanager

import pydantic
import typer
from rich.console import Console
from rich.markup import escape

from pipeline.errors import AudioProcessingError, ValidationError


@contextmanager
def exit_on_failure() -> Generator[None]:
    """Print a named error or a bad setting as one line; exit code 2 for bad input, 1 for anything else."""
    console = Console(stderr=True)
    try:
        yield
    except AudioProcessingError as error:
        console.print(f"[red]{type(error).__name__}[/red]: {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(2 if isinstance(error, ValidationError) else 1) from error
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "STEMCORD_" + "_".join(str(part) for part in first["loc"]).upper()
        console.print(
            f"[red]ValidationError[/red]: The setting {name} cannot be used: {escape(first['msg'])}.",
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        raise typer.Exit(1) from None
