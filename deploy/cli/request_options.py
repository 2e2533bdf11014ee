"""Command-line options made from the tables in `pipeline.options`."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import typer

from pipeline.errors import ValidationError
from pipeline.options import Flag, Option

FlagValue: TypeAlias = "str | bool | list[str] | None"
"""What typer hands over for an option."""


def with_options(*tables: Mapping[str, Option]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a decorator that gives a command an option for each row, in place of its `**given` parameter.

    The command receives the values as people typed them; options that were left out and have no default are None.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters = inspect.signature(command).parameters.values()
        own = [parameter for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
        rows = [(row.name, row.flag) for table in tables for row in table.values()]
        made = [_make_parameter(name, flag) for name, flag in rows if flag is not None]
        setattr(command, "__signature__", inspect.Signature([*own, *made]))  # noqa: B010 - no attribute of its type
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *made)}
        return command

    return decorate


def given_in(table: Mapping[str, Option], values: Mapping[str, FlagValue]) -> dict[str, Any]:
    """Return the values that belong to a table and were given."""
    return {name: values[name] for name in table if values.get(name) not in (None, [])}


def read_speaker_gains(pairs: Sequence[str]) -> dict[str, str]:
    """Read pairs such as `Speaker 1=-3 dB`.

    Raises:
        ValidationError: A pair has no equals sign.
    """
    gains = dict[str, str]()
    for pair in pairs:
        name, sign, gain = pair.rpartition("=")
        if not sign:
            raise ValidationError(
                f"The gain of a speaker cannot be read: {pair}.", hint="Write it as 'Speaker 1=-3 dB'."
            )
        gains[name] = gain
    return gains


def _make_parameter(name: str, flag: Flag) -> inspect.Parameter:
    """Return a keyword parameter as typer reads it."""
    names = (flag.name,) if flag.name else ()
    default = False if flag.kind is bool and names else flag.default
    option = typer.Option(*names, help=flag.help)
    annotation = Annotated[flag.kind if default is not None else flag.kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
