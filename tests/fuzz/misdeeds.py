"""A stage that does what must not happen, so that the judge is seen to notice it."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import MediaError
from pipeline.graph.stage import NoParams, StageContext
from tests.fuzz.watched_stages import ManifestInputs, ManifestOutput, watched

TOO_MUCH_BYTES = 400 << 20


def commit(context: StageContext, inputs: ManifestInputs[Path], params: NoParams) -> ManifestOutput[Path]:
    """Do what the file says: the name of a deed and what it needs."""
    deed, _, operand = inputs.manifest.read_text().partition(" ")
    _DEEDS[deed](context, operand)
    made = context.out / "made"
    made.write_text(operand)
    return ManifestOutput(packed=made)


def _refuse(context: StageContext, operand: str) -> None:
    raise MediaError(f"The file is no clip: {operand}")


def _stumble(context: StageContext, operand: str) -> None:
    raise KeyError(operand)


_DEEDS: dict[str, Callable[[StageContext, str], object]] = {
    "behave": lambda context, operand: None,
    "refuse": _refuse,
    "stumble": _stumble,
    "crash": lambda context, operand: os.kill(os.getpid(), signal.SIGSEGV),
    "hang": lambda context, operand: time.sleep(600),
    "take": lambda context, operand: bytearray(b"1") * TOO_MUCH_BYTES,
    "read": lambda context, operand: Path(operand).read_bytes(),
    "write": lambda context, operand: Path(operand).write_bytes(b"mine"),
    "leave": lambda context, operand: (context.out.parent / "left").touch(),
}

misdeed = watched(commit)
