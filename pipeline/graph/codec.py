"""Typed inputs and outputs of stages as plain data, and back.

Files cross a process or a queue by name. In an output's JSON a file is `{"$file": name}`, a name in
the stage's folder of output.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from itertools import count, takewhile
from pathlib import Path
from typing import Any, Final, TypeVar, cast, get_origin, get_type_hints

import msgspec

from pipeline.graph.stage import StageFunction, StageOutput
from pipeline.types import Artefact, JsonValue

FileT = TypeVar("FileT")
KindT = TypeVar("KindT")
FILE_KEY: Final = "$file"


def files_of(inputs: object, kind: type[FileT]) -> dict[str, FileT]:
    """List the files of a stage's inputs by field name; those of a nested dataclass stand beside the others.

    Files of a tuple are named by their number: `parts.0`, `parts.1`, …

    Args:
        inputs: A dataclass of the contract, such as `MixInputs[Artefact]`.
        kind: What stands for a file, `Artefact` or `Path`.
    """
    found: dict[str, FileT] = {}
    for field in fields(cast("Any", inputs)):
        value = getattr(inputs, field.name)
        if isinstance(value, kind):
            found[field.name] = value
        elif isinstance(value, tuple):
            found |= {f"{field.name}.{number}": file for number, file in enumerate(cast("tuple[FileT, ...]", value))}
        elif value is not None:
            found |= files_of(value, kind)
    return found


def inputs_from(kind: type[KindT], files: Mapping[str, Path]) -> KindT:
    """Build a stage's inputs from files by field name.

    Args:
        kind: The dataclass of the contract, such as `MixInputs[Path]`.
        files: As `files_of` lists them; absent ones are None.
    """
    plain = cast("Any", get_origin(kind) or kind)
    hints = get_type_hints(plain)
    values: dict[str, object] = {}
    for field in fields(plain):
        hint = hints[field.name]
        nested = get_origin(hint) or hint
        if is_dataclass(nested):
            values[field.name] = inputs_from(cast("type[object]", nested), files)
        elif nested is tuple:
            names = (f"{field.name}.{number}" for number in count())
            values[field.name] = tuple(files[name] for name in takewhile(files.__contains__, names))
        else:
            values[field.name] = files.get(field.name)
    return cast("KindT", plain(**values))


def encode_params(params: object) -> dict[str, JsonValue]:
    """Return a stage's parameters as JSON."""
    return cast("dict[str, JsonValue]", msgspec.to_builtins(params, str_keys=True))


def encode_output(output: StageOutput, folder: Path) -> dict[str, JsonValue]:
    """Return a stage's output as JSON.

    Raises:
        ValueError: A file of the output lies outside of the stage's folder of output.
    """

    def encode(value: object) -> dict[str, str]:
        if isinstance(value, Path):
            return {FILE_KEY: str(value.relative_to(folder))}
        raise NotImplementedError(f"{type(value).__name__} cannot be kept in a stage's output")

    return cast("dict[str, JsonValue]", msgspec.to_builtins(output, enc_hook=encode, str_keys=True))


def decode_output(data: Mapping[str, JsonValue], artefacts: Mapping[str, Artefact], kind: type[KindT]) -> KindT:
    """Build a stage's output from its JSON.

    Args:
        data: As `encode_output` gave it.
        artefacts: The kept files by their name in the stage's folder.
        kind: The dataclass of the contract, such as `MixOutput[Artefact]`.

    Raises:
        msgspec.ValidationError: The JSON is that of another contract.
        KeyError: A file is missing.
    """
    builtins = {name: msgspec.to_builtins(artefact) for name, artefact in artefacts.items()}
    return msgspec.convert(_with_files(dict(data), builtins), type=kind)


def _with_files(value: Any, files: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        known = cast("dict[str, Any]", value)
        if known.keys() == {FILE_KEY}:
            return files[known[FILE_KEY]]
        return {key: _with_files(part, files) for key, part in known.items()}
    if isinstance(value, list | tuple):
        return [_with_files(part, files) for part in cast("list[Any]", value)]
    return value


def contract_of(function: StageFunction) -> tuple[type[object], type[object]]:
    """Read the types of inputs and parameters that a stage function is declared with."""
    hints = get_type_hints(function)
    return hints["inputs"], hints["params"]


def decode_params(kind: type[KindT], params: Mapping[str, JsonValue]) -> KindT:
    """Build a stage's parameters from their JSON.

    Raises:
        msgspec.ValidationError: The JSON is that of another contract.
    """
    return msgspec.convert(dict(params), type=kind)
