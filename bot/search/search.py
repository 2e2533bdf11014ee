"""What finds words in transcripts, and what has its index follow them, built once at the start."""

from dataclasses import dataclass

from bot.database.repository import Repository
from bot.search.finder import TranscriptFinder
from bot.search.index import SearchIndex
from bot.search.indexer import SearchIndexer
from bot.transcripts.editor import TranscriptEditor


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The finder and the indexer."""

    finder: TranscriptFinder
    indexer: SearchIndexer

    @classmethod
    def build(cls, index: SearchIndex, repository: Repository, editor: TranscriptEditor) -> "Search":
        """Build both."""
        return cls(finder=TranscriptFinder(index), indexer=SearchIndexer(index, repository, editor))
