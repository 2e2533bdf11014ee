"""What changes transcripts and has their files written, built once at the start."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.database.models import JobRecord
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
    def build(
        cls,
        edits: TranscriptEdits,
        repository: Repository,
        store: Store,
        rewrite: Rewrite,
        *,
        changed: Callable[[str], None] | None = None,
    ) -> "Transcripts":
        """Build both.

        Args:
            edits: What people changed.
            repository: Where the jobs are recorded.
            store: Where transcripts are.
            rewrite: Runs a job again with another request, in its message.
            changed: Called with the id of a job whose transcript was changed.

        """
        rewriter = TranscriptRewriter(edits, repository, store, rewrite)

        def follow(record: JobRecord) -> None:
            rewriter.changed(record)
            if changed is not None:
                changed(record.id)

        return cls(editor=TranscriptEditor(edits, store, follow), rewriter=rewriter)
