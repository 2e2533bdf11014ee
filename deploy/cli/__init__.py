"""The `stemcord` command: its subcommands are in `commands`, here is what several of them share."""

import os
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from io import TextIOWrapper
from types import MappingProxyType
from typing import Annotated

import typer

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "run": "run",
        "page": "result_page",
        **{name: name for name in ("up", "worker", "bot", "top", "doctor", "export")},
        **dict.fromkeys(("cut", "audio", "frame"), "clip_tools"),
    }
)
"""Commands and the modules of this package that hold them, in the order of the help."""
_GROUPS = ("clip", "models", "jobs", "voices", "index")
_NAMES = (*_COMMANDS, *_GROUPS)


def build_app(names: Iterable[str] = _NAMES, *, load: bool = True) -> typer.Typer:
    """Build the command with some of its subcommands.

    Args:
        names: The subcommands; a module is imported only for a subcommand that is named.
        load: False leaves the subcommands empty, which is enough to complete their names.
    """
    app = typer.Typer(
        name="stemcord",
        help="Take the sound of a clip apart, write down who said what, mix it together again.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    # With a callback, an app with one command still expects the command's name.
    app.callback()(_read_root_options)
    for name in names:
        if not load:
            app.command(name)(_do_nothing)
            continue
        command = getattr(import_module(f"{__name__}.commands.{_COMMANDS.get(name, name)}"), name)
        if name in _GROUPS:
            app.add_typer(command, name=name)
        else:
            app.command()(command)
    return app


def main() -> None:
    """Run `stemcord`; only the module of the subcommand that was asked for is imported."""
    _escape_output()
    completing = "_STEMCORD_COMPLETE" in os.environ
    words = _completed_words() if completing else sys.argv[1:]
    asked = [name for name in words[:1] if name in _NAMES]
    if asked:
        build_app(asked)()
    elif completing or words[:1] in (["--version"], ["--install-completion"], ["--show-completion"]):
        build_app(load=False)()
    else:
        build_app()()


def _escape_output() -> None:
    """Let standard output and standard error escape what their encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _completed_words() -> list[str]:
    """Return the words after `stemcord` on the line that the shell completes (zsh and fish; bash)."""
    line = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")
    return line.split()[1:]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"stemcord {version('stemcord')}")
        raise typer.Exit


def _read_root_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None: ...


def _do_nothing() -> None: ...
