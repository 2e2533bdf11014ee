"""Looks for words in the transcripts that a person may see now."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.search.index import MAX_CANDIDATES, Candidate, Filters, SearchIndex
from bot.search.query import Query, read_query
from bot.search.ranking import Hit, rank
from bot.search.visibility import ChannelVisibility

MAX_HITS: Final = 5
MAX_HITS_PER_TRANSCRIPT: Final = 3
"""So that one long recording does not hide the others."""
MAX_ROUNDS: Final = 5
"""Times that further lines are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found."""

    hits: Sequence[Hit]
    more: bool
    """Whether there are further hits."""
    partial: bool
    """Whether no line has all words, so that these have some of them."""


class TranscriptFinder:
    """Finds words."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index

    async def find(self, text: str, filters: Filters, visibility: ChannelVisibility) -> Findings:
        """Find what a person typed.

        Args:
            text: The words.
            filters: Where to look; a server's channels are restricted here to those that the person may read.
            visibility: Who may read what; not asked for private chats, where each person has their own.

        Raises:
            RefusedError: There is no word in the text, or too much.
            DatabaseError: The database is unavailable.
            DiscordUnavailableError: Discord did not answer.

        """
        places = await self._index.places(filters)
        query = read_query(text, places.languages)
        if filters.guild_id:
            visible = visibility.possible(places.channels)
            filters = replace(filters, channels=visible)
        for every in (True, False):
            if not every and len(query.clauses) == 1:
                break
            hits = await self._look(query, filters, visibility, every=every)
            if hits:
                return Findings(hits=hits[:MAX_HITS], more=len(hits) > MAX_HITS, partial=not every)
        return Findings(hits=(), more=False, partial=False)

    async def _look(self, query: Query, filters: Filters, visibility: ChannelVisibility, *, every: bool) -> list[Hit]:
        """Return the best hits that the person may see, one more than are shown where there are as many.

        Where a hidden channel or a long recording fills the lines that are looked at, it is left out and those behind
        it are looked at.
        """
        chosen: list[Hit] = []
        counts = Counter[str]()
        for _ in range(MAX_ROUNDS):
            candidates = await self._index.find(query, filters, every=every)
            ranked = await asyncio.to_thread(rank, query, candidates)
            await _choose(ranked, filters, visibility, chosen, counts)
            if len(chosen) > MAX_HITS or len(candidates) < MAX_CANDIDATES:
                break
            seen = {line.job_id for line in candidates if counts[line.job_id] >= MAX_HITS_PER_TRANSCRIPT}
            further = replace(filters, without=filters.without | seen)
            if filters.guild_id:
                further = replace(further, channels=visibility.possible(filters.channels or ()))
            if further == filters:
                break
            filters = further
        return chosen


async def _choose(
    ranked: Sequence[Hit], filters: Filters, visibility: ChannelVisibility, chosen: list[Hit], counts: Counter[str]
) -> None:
    """Add the best hits that the person may see, until there is one more than are shown."""
    for hit in ranked:
        if len(chosen) > MAX_HITS:
            break
        fits = counts[hit.line.job_id] < MAX_HITS_PER_TRANSCRIPT
        if fits and await _may_see(hit.line, filters, visibility):
            chosen.append(hit)
            counts[hit.line.job_id] += 1


async def _may_see(line: Candidate, filters: Filters, visibility: ChannelVisibility) -> bool:
    if not filters.guild_id:
        return line.user_id == filters.user_id
    return await visibility.may_read(line.channel_id)
