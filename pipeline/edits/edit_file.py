"""Edits as JSON: a file of them, and one alone as it is stored."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from pipeline.edits.apply import Outcome, apply_edits
from pipeline.edits.checks import check_edit
from pipeline.edits.lines import EditableTranscript
from pipeline.edits.operations import EDITS_VERSION, Edit
from pipeline.errors import ValidationError

MAX_EDITS_BYTES: Final = 16 * 1024 * 1024
"""Bytes."""
MAX_EDITS: Final = 20_000
"""Operations in a file."""
MAX_DURATION_DIFFERENCE_SECONDS: Final = 1.0
"""Seconds by which the length of a clip may differ when its transcript is made anew."""
_HINT: Final = "Save the edits again, or undo the changes made by hand."
T = TypeVar("T")


class EditFile(msgspec.Struct, frozen=True, kw_only=True):
    """The edits of a transcript, in the order in which they were made."""

    version: int = EDITS_VERSION
    duration: float
    """Seconds of the clip, by which the file of another clip is told."""
    operations: tuple[Edit, ...]


class _StoredEdit(msgspec.Struct, frozen=True, kw_only=True):
    version: int = EDITS_VERSION
    edit: Edit


class _Header(msgspec.Struct, frozen=True):
    version: int


def read_edits(path: Path) -> EditFile:
    """Read a file of edits and check all that they bring in.

    Raises:
        ValidationError: It is no file of edits, of another version, or too large, or an edit cannot be used.
    """
    try:
        if path.stat().st_size > MAX_EDITS_BYTES:
            raise ValidationError(
                f"{path.name} has more than {MAX_EDITS_BYTES // 1024**2} MB.", hint="Name a file of edits."
            )
        content = path.read_bytes()
    except OSError as error:
        raise ValidationError(
            f"{path.name} cannot be read.", hint="Name a file of edits with --edits.", detail=str(error)
        ) from error
    version = _decode(content, _Header, path.name).version
    if version != EDITS_VERSION:
        raise ValidationError(
            f"{path.name} is of version {version}, and this Stemcord reads version {EDITS_VERSION}.",
            hint="Update Stemcord.",
        )
    edits = _decode(content, EditFile, path.name)
    if len(edits.operations) > MAX_EDITS:
        raise ValidationError(f"{path.name} has more than {MAX_EDITS} edits.", hint="Name a file of edits.")
    for number, edit in enumerate(edits.operations, 1):
        try:
            check_edit(edit)
        except ValidationError as error:
            raise ValidationError(f"Edit {number} cannot be used: {error.message}", hint=error.hint) from error
    return edits


def apply_file(transcript: EditableTranscript, edits: EditFile) -> Outcome:
    """Apply the edits of a file as far as they fit.

    Raises:
        ValidationError: The file is of another clip: the length is another, or none of its edits fits.
    """
    if abs(edits.duration - transcript.duration) > MAX_DURATION_DIFFERENCE_SECONDS:
        raise ValidationError(
            f"The edits are of another clip: it lasts {edits.duration:.1f} s, this one {transcript.duration:.1f} s.",
            hint="Name the edits of this clip.",
        )
    outcome = apply_edits(transcript, edits.operations)
    if edits.operations and len(outcome.misfits) == len(edits.operations):
        raise ValidationError(
            f"None of the edits fits this transcript. The first: {outcome.misfits[0].reason}",
            hint="Name the edits of this clip.",
        )
    return outcome


def encode_edits(duration: float, edits: Sequence[Edit]) -> bytes:
    """Encode edits as a file, no larger than all of them as they are stored."""
    return msgspec.json.encode(EditFile(duration=duration, operations=tuple(edits)))


def encode_edit(edit: Edit) -> bytes:
    """Encode one edit as it is stored.

    Raises:
        ValidationError: What it brings in cannot be used.
    """
    check_edit(edit)
    return msgspec.json.encode(_StoredEdit(edit=edit))


def decode_edit(content: bytes) -> Edit:
    """Decode one edit.

    Raises:
        ValidationError: It is none, or of another version.
    """
    if _decode(content, _Header, "The edit").version != EDITS_VERSION:
        raise ValidationError("The edit is of another version of Stemcord.", hint="Update Stemcord.")
    return _decode(content, _StoredEdit, "The edit").edit


def _decode(content: bytes, kind: type[T], name: str) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValidationError(f"{name} is not whole: {error}.", hint=_HINT) from error
