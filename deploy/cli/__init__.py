"""The `stemcord` command; each command has a module of its own."""

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType

import typer

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "run": "run",
        "page": "result_page",
        **{name: name for name in ("up", "worker", "bot", "doctor", "export")},
        **dict.fromkeys(("cut", "audio", "frame"), "clip_tools"),
    }
)
"""Commands and the modules of this package that hold them, in the order of the help."""
_GROUPS = ("models", "jobs", "voices")


def build_app(names: Iterable[str] = (*_COMMANDS, *_GROUPS)) -> typer.Typer:
    """The command with these subcommands; a module is imported only for a command that is in it."""
    app = typer.Typer(
        name="stemcord",
        help="Take the sound of a clip apart, write down who said what, mix it together again.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    # Without it, an app with one command would take no name of a command.
    app.callback()(_nothing)
    for name in names:
        found = getattr(import_module(f"{__name__}.{_COMMANDS.get(name, name)}"), name)
        if name in _GROUPS:
            app.add_typer(found, name=name)
        else:
            app.command()(found)
    return app


def main() -> None:
    """Entry point of `stemcord`: the command that is asked for starts without the others."""
    asked = [name for name in sys.argv[1:2] if name in (*_COMMANDS, *_GROUPS)]
    (build_app(asked) if asked else build_app())()


def _nothing() -> None: ...
