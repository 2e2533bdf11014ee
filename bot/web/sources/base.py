"""What the page shows, wherever it is kept."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from pipeline.types import Artefact, Result, Transcript

MAX_TRANSCRIPT_BYTES = 16 * 1024 * 1024
"""Bytes of a transcript; two hours of talk are about 2 MB."""
MAX_NAME_CHARS = 60
"""Characters of a speaker's name."""


class PageError(Exception):
    """The page cannot be shown: a status, and the key of the sentence in `bot.i18n.translator` that says why."""

    def __init__(self, status: HTTPStatus, key: str) -> None:
        super().__init__(key)
        self.status = status
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class PageData:
    """One result."""

    title: str
    result: Result
    transcript: Transcript | None = None
    clip: Artefact | None = None
    """What was sent in, where it is kept."""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """What speakers were called later, by id."""
    edit: bool = True
    """Whether who made the link may rename speakers still."""

    def files(self) -> dict[str, Artefact]:
        """All that may be asked for, by name; a result's own file goes before a clip of the same name."""
        own = {artefact.name: artefact for artefact in self.result.artefacts}
        return own if self.clip is None else {self.clip.name: self.clip, **own}

    def speakers(self) -> dict[str, str]:
        """Names by speaker id, the later ones where there are any."""
        known = () if self.transcript is None else self.transcript.speakers
        return {speaker.id: self.names.get(speaker.id) or speaker.name for speaker in known}


class ResultSource(Protocol):
    """Where results are. `PageError` says that a page is not to be had, `StoreError` that its files are not."""

    async def load(self, link_id: str) -> PageData:
        """The result behind a link."""
        ...

    async def rename(self, link_id: str, names: Mapping[str, str]) -> None:
        """Keep what speakers are called, by id."""
        ...

    def stream(self, artefact: Artefact, start: int, end: int) -> AsyncGenerator[bytes]:
        """The bytes from `start` up to `end`, not included."""
        ...
