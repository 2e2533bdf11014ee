"""What a page shows, and where it comes from."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.types import Artefact, Result, Transcript

MAX_TRANSCRIPT_BYTES = 16 * 1024 * 1024
"""Two hours of talk are about 2 MB."""
MAX_NAME_CHARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PageData:
    """One result."""

    title: str
    result: Result
    transcript: Transcript | None = None
    clip: Artefact | None = None
    """The clip itself, when it is stored."""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Later names of speakers, by id."""
    edit: bool = True
    """Whether the creator of the link may still rename speakers."""

    def files(self) -> dict[str, Artefact]:
        """Return all files that may be requested, by name; a result's own file replaces a clip of the same name."""
        own = {artefact.name: artefact for artefact in self.result.artefacts}
        return own if self.clip is None else {self.clip.name: self.clip, **own}

    def speakers(self) -> dict[str, str]:
        """Return the names of speakers by id, later names first."""
        known = () if self.transcript is None else self.transcript.speakers
        return {speaker.id: self.names.get(speaker.id) or speaker.name for speaker in known}


class ResultSource(Protocol):
    """Where results are. Raises `PageError` for a page that cannot be shown, `StoreError` for unreadable files."""

    async def load(self, link_id: str, viewer: str | None = None) -> PageData:
        """Return the result of a link, as the person `viewer` may see it; None: as whoever made the link may."""
        ...

    async def rename(self, link_id: str, names: Mapping[str, str], viewer: str | None = None) -> None:
        """Record names of speakers by id."""
        ...

    def stream(self, artefact: Artefact, start: int, end: int) -> AsyncGenerator[bytes]:
        """Stream the bytes from `start` up to `end`, not included."""
        ...
