"""What a page shows, and where it comes from."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.transcripts.editor import Change, TranscriptState
from bot.transcripts.json_forms import PastEditForm
from pipeline.edits.operations import Edit
from pipeline.types import Artefact, Result, Transcript

MAX_TRANSCRIPT_BYTES = 16 * 1024 * 1024
"""Two hours of talk are about 2 MB."""


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
    edit_words: bool = False
    """Whether that person may change the transcript, too."""
    state: TranscriptState | None = None
    """The transcript with all edits; None when there is none."""
    written: int = 0
    """Revision of the transcript that the files of the result have."""

    @property
    def is_stale(self) -> bool:
        """Whether the transcript was changed since its files were written."""
        return self.state is not None and self.state.revision != self.written

    def files(self) -> dict[str, Artefact]:
        """Return all files that may be requested, by name; a result's own file replaces a clip of the same name."""
        own = {artefact.name: artefact for artefact in self.result.artefacts}
        return own if self.clip is None else {self.clip.name: self.clip, **own}

    def named_transcript(self) -> Transcript | None:
        """Return the transcript with later names of speakers."""
        if self.transcript is None:
            return None
        names = self.speakers()
        renamed = tuple(replace(speaker, name=names[speaker.id]) for speaker in self.transcript.speakers)
        return replace(self.transcript, speakers=renamed)

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

    async def change(self, link_id: str, edits: Sequence[Edit], base: int, viewer: str | None = None) -> Change:
        """Make edits to the transcript as it was at the revision `base`; raises what `TranscriptEditor.change` does."""
        ...

    async def go_back(self, link_id: str, revision: int, base: int, viewer: str | None = None) -> Change:
        """Bring the transcript back to a revision, likewise."""
        ...

    async def history(self, link_id: str, viewer: str | None = None) -> list[PastEditForm]:
        """Describe all edits of the transcript, the first one first."""
        ...

    async def author(self, link_id: str, person: str) -> str:
        """Return what somebody is called who changed the transcript; empty when that is not known."""
        ...

    async def settle(self, link_id: str) -> None:
        """Wait some seconds for the files to follow the edits."""
        ...

    def stream(self, artefact: Artefact, start: int, end: int) -> AsyncGenerator[bytes]:
        """Stream the bytes from `start` up to `end`, not included."""
        ...
