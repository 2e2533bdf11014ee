"""A result in a folder, as `stemcord run --out` writes it."""

import asyncio
import os
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from bot.exceptions import PageError
from bot.transcripts.editor import Change, TranscriptState
from bot.transcripts.json_forms import PastEditForm
from bot.web.sources.base import MAX_TRANSCRIPT_BYTES, PageData
from pipeline.edits.lines import EditableTranscript
from pipeline.edits.operations import Edit
from pipeline.errors import StoreError, ValidationError
from pipeline.types import Artefact, Result, Transcript

CHUNK_BYTES: Final = 256 * 1024
NAMES_FILE: Final = "names.json"
T = TypeVar("T")


class FolderSource:
    """One folder, under the link `local`; names of speakers are written to `names.json` beside the files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        if not (self._folder / "result.json").is_file():
            raise ValidationError(f"{folder} has no result.json.", hint="Give a folder that `stemcord run` wrote.")

    async def load(self, link_id: str, viewer: str | None = None) -> PageData:
        """Return the result; a folder of this machine knows no people."""
        if link_id != "local":
            raise PageError(HTTPStatus.FORBIDDEN, "page-forged")
        return await asyncio.to_thread(self._load)

    async def rename(self, link_id: str, names: Mapping[str, str], viewer: str | None = None) -> None:
        """Write names of speakers."""
        data = await self.load(link_id)
        document = msgspec.json.format(msgspec.json.encode({**data.names, **names}), indent=2)
        await asyncio.to_thread(self._write, document)

    async def change(self, link_id: str, edits: Sequence[Edit], base: int, viewer: str | None = None) -> Change:
        """Refuse; `stemcord export --edits` corrects the files of a folder."""
        raise PageError(HTTPStatus.FORBIDDEN, "page-not-yours")

    async def go_back(self, link_id: str, revision: int, base: int, viewer: str | None = None) -> Change:
        """Refuse, likewise."""
        raise PageError(HTTPStatus.FORBIDDEN, "page-not-yours")

    async def history(self, link_id: str, viewer: str | None = None) -> list[PastEditForm]:
        """Return none."""
        return []

    async def author(self, link_id: str, person: str) -> str:
        """Return nothing: a folder knows no people."""
        return ""

    async def settle(self, link_id: str) -> None:
        """Return at once: the files are what they are."""

    async def stream(self, artefact: Artefact, start: int, end: int) -> AsyncGenerator[bytes]:
        """Stream bytes of a file of the folder."""
        path = self._path(artefact)
        if path is None:
            raise StoreError("A file of this result is no longer in its folder.", detail=artefact.name)
        with await asyncio.to_thread(path.open, "rb") as file:
            file.seek(start)
            left = end - start
            while left > 0 and (chunk := await asyncio.to_thread(file.read, min(CHUNK_BYTES, left))):
                left -= len(chunk)
                yield chunk

    def _path(self, artefact: Artefact) -> Path | None:
        """Return the path of a file; None for one missing or outside the folder: `result.json` is not trusted."""
        path = (self._folder / artefact.name).resolve()
        return path if path.is_relative_to(self._folder) and path.is_file() else None

    def _load(self) -> PageData:
        try:
            result = msgspec.json.decode((self._folder / "result.json").read_bytes(), type=Result)
            present = [_measured(a, path) for a in result.artefacts if (path := self._path(a)) is not None]
            transcript = self._read("transcript.json", Transcript)
            names = self._read(NAMES_FILE, dict[str, str]) or {}
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreError("The result in this folder cannot be read.", detail=repr(error)) from error
        whole = replace(result, artefacts=tuple(present))
        lines = None if transcript is None else EditableTranscript.of(transcript)
        topics = () if transcript is None else transcript.topics
        state = None if lines is None else TranscriptState(revision=0, transcript=lines, chapters=topics)
        return PageData(title=_title(self._folder), result=whole, transcript=transcript, names=names, state=state)

    def _read(self, name: str, kind: type[T]) -> T | None:
        path = self._folder / name
        if not path.is_file() or path.stat().st_size > MAX_TRANSCRIPT_BYTES:
            return None
        return msgspec.json.decode(path.read_bytes(), type=kind)

    def _write(self, document: bytes) -> None:
        partial = self._folder / f".{NAMES_FILE}.{uuid.uuid4().hex}"
        try:
            partial.write_bytes(document)
            partial.replace(self._folder / NAMES_FILE)
        except OSError as error:
            raise StoreError("The names could not be written.", detail=repr(error)) from error
        finally:
            partial.unlink(missing_ok=True)


def _measured(artefact: Artefact, path: Path) -> Artefact:
    """Take size and digest from the disk when a file was changed since, so that caches notice."""
    status = path.stat()
    if status.st_size == artefact.size:
        return artefact
    return replace(artefact, size=status.st_size, digest=f"{status.st_mtime_ns:x}-{status.st_size:x}")


def _title(folder: Path) -> str:
    """Return the folder's name as text; on POSIX a name is any bytes."""
    return os.fsencode(folder.name).decode("utf-8", "replace")
