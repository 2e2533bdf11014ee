"""Turn errors of a command into one line of text and an exit code."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import pydantic
import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.printable import printable
from pipeline.errors import AudioProcessingError, ValidationError

_PATH_ERRORS: Final = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
        *(errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOSPC, errno.EDQUOT),
    }
)
"""What may be wrong with a path that a person gave."""


@contextmanager
def exit_on_failure() -> Generator[None]:
    """Print a named error or a bad setting as one line; exit code 2 for bad input, 1 for anything else."""
    console = Console(stderr=True)
    try:
        yield
    except AudioProcessingError as error:
        console.print(f"[red]{type(error).__name__}[/red]: {escape(printable(error))}", highlight=False, soft_wrap=True)
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
    except OSError as error:
        if error.filename is None or error.errno not in _PATH_ERRORS:
            raise
        reason = f"{printable(error.filename)} cannot be used: {error.strerror}."
        console.print(f"[red]ValidationError[/red]: {escape(reason)}", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from error
    except UnicodeEncodeError as error:
        if not any("\ud800" <= letter <= "\udfff" for letter in error.object):
            raise
        reason = "A name holds bytes that are no text (UTF-8). Give it another name."
        console.print(f"[red]ValidationError[/red]: {reason}", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        raise typer.Exit(1) from None
