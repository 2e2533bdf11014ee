"""What changes transcripts and has their files written, built once at the start."""

from dataclasses import dataclass

from bot.database.repository import Repository
from bot.database.transcript_edits import TranscriptEdits
from bot.transcripts.editor import TranscriptEditor
from bot.transcripts.rewriter import Rewrite, TranscriptRewriter
from worker.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcripts:
    """The editor of transcripts, and what writes the files of edited ones."""

    editor: TranscriptEditor
    rewriter: TranscriptRewriter

    @classmethod
    def build(cls, edits: TranscriptEdits, repository: Repository, store: Store, rewrite: Rewrite) -> "Transcripts":
        """Build both; `rewrite` runs a job again with another request, in its message."""
        rewriter = TranscriptRewriter(edits, repository, store, rewrite)
        return cls(editor=TranscriptEditor(edits, store, rewriter.changed), rewriter=rewriter)
