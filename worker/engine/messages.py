"""Messages between a worker and its engine process, one JSON object per line."""

from typing import Any, Final

import msgspec

from pipeline.types import DraftLine, Failure

CONFINEMENT_REFUSED: Final = "less confined: "
"""Start of a line of the engine's log that is to be a warning in the worker's."""


class RunStage(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="run_stage"):
    """Ask for a stage to be run; all paths are absolute."""

    id: int
    stage: str
    function: str
    """`module:function`."""
    inputs: dict[str, str]
    params: dict[str, Any]
    out: str
    """Folder in which the stage leaves its files."""
    temporary: str
    """Folder for its temporary files, which is removed with the others of the order."""


class CancelStage(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="cancel_stage"):
    """Cancel a running stage at its next progress report."""

    id: int


class StageProgress(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="stage_progress"):
    """Report how far a running stage is."""

    id: int
    fraction: float
    message: str
    draft: tuple[DraftLine, ...] = ()
    """Not empty: the transcript's beginning as the stage has it now."""


class StageSucceeded(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="stage_succeeded"):
    """Say that a stage returned; `seconds` are those spent inside its function."""

    id: int
    output: dict[str, Any]
    """As `pipeline.graph.codec.encode_output` gives it."""
    seconds: float
    vram_peak_bytes: int = 0
    """What torch held on the card at most meanwhile; 0 without a card."""


class StageFailed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="stage_failed"):
    """Say that a stage raised an error."""

    id: int
    failure: Failure


EngineCommand = RunStage | CancelStage
EngineReply = StageProgress | StageSucceeded | StageFailed


def encode_line(message: EngineCommand | EngineReply) -> bytes:
    """Encode a message as one JSON line; raises `TypeError` for values that JSON cannot hold."""
    return msgspec.json.encode(message) + b"\n"


def decode_command(line: bytes) -> EngineCommand:
    """Decode a line that the worker sent to its engine process."""
    return msgspec.json.decode(line, type=EngineCommand)


def decode_reply(line: bytes) -> EngineReply:
    """Decode a line that the engine process sent to its worker."""
    return msgspec.json.decode(line, type=EngineReply)
