"""The index of what was said, in the bot's database. Every method raises `DatabaseError`."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, column, delete, func, insert, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database, lock_writes
from bot.database.messages import jobs_of_message
from bot.database.models import StoredStatus
from bot.database.tables import EDITS, JOBS, SEARCH_DOCUMENTS, SEARCH_LINES
from bot.search.expressions import fts5_document, fts5_query, indexed_terms, scope_term, tsquery, tsvector
from bot.search.lines import Line
from bot.search.query import Query

INDEX_VERSION: Final = 1
"""Raised when the same transcript would be indexed otherwise; all are then indexed anew."""
MAX_CANDIDATES: Final = 250
"""Lines, the newest that fit, among which the best are looked for."""
NEWEST_LINES: Final = 50_000
"""Lines in which PostgreSQL looks first: a frequent word is found often enough among them, and of a rare one there are
few in all. Left to itself it reads all lines from the newest on for a rare word, or all that have a frequent one."""
MAX_KEY_CHARS: Final = 200
_FTS5: Final = table("search_terms", column("rowid"))
"""Of SQLite alone."""
_MATCHES_IN_POSTGRES: Final = text("terms @@ CAST(:expression AS tsquery)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A transcript to index."""

    job_id: str
    guild_id: str
    """Empty: a private chat."""
    channel_id: str
    user_id: str
    language: str
    revision: int
    """How many edits are in it."""
    created: float
    """Unix time."""
    lines: Sequence[Line] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Where and of whom somebody looks for words."""

    guild_id: str
    """Empty: in the person's private chats."""
    user_id: str
    """Who asks."""
    channels: Collection[str] | None = None
    """Channels that count; None: all."""
    without: frozenset[str] = frozenset()
    """Ids of jobs that do not count."""
    speakers: Collection[str] = ()
    """Results of `speaker_key`, of which the speaker must have one; empty: anybody."""
    member: str = ""
    """Id of a person whom the speaker must be; where nobody said who a speaker is, one of the names above counts."""
    speaker_part: str = ""
    """What the `speaker_key` of the speaker must contain."""
    since: float = 0.0
    """Unix time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where there is something to find."""

    languages: frozenset[str]
    """Codes of the languages of transcripts."""
    channels: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A line that has what was asked for."""

    job_id: str
    channel_id: str
    user_id: str
    language: str
    created: float
    speaker: str
    start: float
    text: str
    starts: bytes


class SearchIndex:
    """Keeps lines of transcripts and finds them by their words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, document: Document) -> bool:
        """Index a transcript in place of what its message had; False when its job is gone, and nothing is indexed."""
        scope = scope_term(document.guild_id, document.user_id)
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            kept = select(JOBS.c.id).where(
                JOBS.c.id == document.job_id,
                JOBS.c.user_id == document.user_id,
                JOBS.c.status == StoredStatus.FINISHED.value,
                JOBS.c.result.is_not(None),
            )
            if (await connection.execute(kept)).one_or_none() is None:
                return False
            await delete_indexed(connection, await jobs_of_message(connection, document.job_id))
            columns = ("job_id", "guild_id", "channel_id", "user_id", "language", "revision", "created")
            values = {name: getattr(document, name) for name in columns} | {"version": INDEX_VERSION}
            await connection.execute(insert(SEARCH_DOCUMENTS).values(values))
            form = tsvector if connection.dialect.name == "postgresql" else fts5_document
            rows = [
                {
                    "job_id": document.job_id,
                    "speaker": line.speaker,
                    "speaker_key": speaker_key(line.speaker),
                    "user_id": line.user_id,
                    "start": line.start,
                    "text": line.text,
                    "starts": line.starts,
                    "terms": form(indexed_terms(scope, line.terms)),
                }
                for line in document.lines
                if line.terms
            ]
            if rows:
                await connection.execute(insert(SEARCH_LINES), rows)
            return True

    async def places(self, filters: Filters) -> Places:
        """Return the languages and channels of the transcripts in which somebody looks for words."""
        documents = SEARCH_DOCUMENTS.c
        query = _documents(select(documents.language, documents.channel_id).distinct(), filters)
        async with self._database.transaction() as connection:
            rows = list(await connection.execute(query))
        return Places(
            languages=frozenset(row.language for row in rows), channels=frozenset(row.channel_id for row in rows)
        )

    async def find(self, query: Query, filters: Filters, *, every: bool) -> list[Candidate]:
        """Return the newest lines that have every clause, or one of them and all that are quoted."""
        scope = scope_term(filters.guild_id, filters.user_id)
        async with self._database.transaction() as connection:
            is_postgres = connection.dialect.name == "postgresql"
            # Servers are told apart by their documents; the term of the scope only makes FTS5 quicker.
            expression = tsquery(query, every=every) if is_postgres else fts5_query(scope, query, every=every)
            tries = (_newest_in_postgres(), _all_in_postgres()) if is_postgres else (_all_in_sqlite(),)
            rows: list[Row[Any]] = []
            for candidates in tries:
                found = _spoken_by(_documents(candidates.limit(MAX_CANDIDATES), filters), filters)
                rows = list(await connection.execute(found.params(expression=expression)))
                if len(rows) == MAX_CANDIDATES:
                    break
            return [_candidate(row) for row in rows]

    async def stale(self) -> list[str]:
        """Return jobs that are to be indexed: finished ones, the newest of each message, oldest first."""
        newest = _newest_jobs().subquery()
        edits = _edit_counts().subquery()
        revision = func.coalesce(edits.c.revision, 0)
        missing = (
            select(newest.c.id)
            .outerjoin(SEARCH_DOCUMENTS, SEARCH_DOCUMENTS.c.job_id == newest.c.id)
            .outerjoin(edits, (edits.c.channel_id == newest.c.channel_id) & (edits.c.message == newest.c.message))
            .where(
                SEARCH_DOCUMENTS.c.job_id.is_(None)
                | (SEARCH_DOCUMENTS.c.version != INDEX_VERSION)
                | (SEARCH_DOCUMENTS.c.revision != revision)
            )
            .order_by(newest.c.created, newest.c.id)
        )
        async with self._database.transaction() as connection:
            return [row.id for row in await connection.execute(missing)]

    async def clear(self) -> None:
        """Delete the whole index."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            await connection.execute(delete(SEARCH_LINES))
            await connection.execute(delete(SEARCH_DOCUMENTS))


def speaker_key(name: str) -> str:
    """Return a name as names are compared."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())[:MAX_KEY_CHARS]


async def delete_indexed(connection: AsyncConnection, job_ids: Sequence[str]) -> None:
    """Delete what is indexed of jobs."""
    for kept in (SEARCH_LINES, SEARCH_DOCUMENTS):
        await connection.execute(delete(kept).where(kept.c.job_id.in_(job_ids)))


def _documents(query: Select[*tuple[Any, ...]], filters: Filters) -> Select[*tuple[Any, ...]]:
    """Restrict a query over documents to those in which somebody may look."""
    documents = SEARCH_DOCUMENTS.c
    query = query.where(documents.guild_id == filters.guild_id)
    if not filters.guild_id:
        query = query.where(documents.user_id == filters.user_id)
    if filters.channels is not None:
        query = query.where(documents.channel_id.in_(sorted(filters.channels)))
    if filters.without:
        query = query.where(documents.job_id.not_in(sorted(filters.without)))
    if filters.since:
        query = query.where(documents.created >= filters.since)
    return query


def _spoken_by(query: Select[*tuple[Any, ...]], filters: Filters) -> Select[*tuple[Any, ...]]:
    """Restrict a query over lines to those of some speakers."""
    key, person = SEARCH_LINES.c.speaker_key, SEARCH_LINES.c.user_id
    if filters.member:
        query = query.where((person == filters.member) | ((person == "") & key.in_(sorted(filters.speakers))))
    elif filters.speakers:
        query = query.where(key.in_(sorted(filters.speakers)))
    return query.where(key.contains(filters.speaker_part, autoescape=True)) if filters.speaker_part else query


def _candidates() -> Select[*tuple[Any, ...]]:
    documents, lines = SEARCH_DOCUMENTS.c, SEARCH_LINES.c
    shown = (lines.job_id, lines.speaker, lines.start, lines.text, lines.starts)
    return select(*shown, documents.channel_id, documents.user_id, documents.language, documents.created).select_from(
        SEARCH_LINES.join(SEARCH_DOCUMENTS, documents.job_id == lines.job_id)
    )


def _all_in_sqlite() -> Select[*tuple[Any, ...]]:
    query = _candidates().join_from(SEARCH_LINES, _FTS5, _FTS5.c.rowid == SEARCH_LINES.c.id)
    return query.where(text("search_terms MATCH :expression")).order_by(_FTS5.c.rowid.desc())


def _newest_in_postgres() -> Select[*tuple[Any, ...]]:
    lines = SEARCH_LINES.c
    newest = select(func.max(lines.id) - NEWEST_LINES).scalar_subquery()
    return _candidates().where(lines.id > newest, _MATCHES_IN_POSTGRES).order_by(lines.id.desc())


def _all_in_postgres() -> Select[*tuple[Any, ...]]:
    # An order that no index has, so that the index of words is read.
    return _candidates().where(_MATCHES_IN_POSTGRES).order_by((SEARCH_LINES.c.id + 0).desc())


def _newest_jobs() -> Select[*tuple[Any, ...]]:
    """Select the newest finished job of each message; one without a message stands for itself."""
    message = func.coalesce(JOBS.c.message_id, JOBS.c.id)
    number = (
        func.row_number()
        .over(partition_by=(JOBS.c.channel_id, message), order_by=(JOBS.c.created.desc(), JOBS.c.id))
        .label("number")
    )
    done = (JOBS.c.status == StoredStatus.FINISHED.value) & JOBS.c.result.is_not(None) & (JOBS.c.user_id != "")
    jobs = select(JOBS.c.id, JOBS.c.channel_id, message.label("message"), JOBS.c.created, number).where(done).subquery()
    return select(jobs).where(jobs.c.number == 1)


def _edit_counts() -> Select[*tuple[Any, ...]]:
    message = func.coalesce(JOBS.c.message_id, JOBS.c.id)
    return (
        select(JOBS.c.channel_id, message.label("message"), func.max(EDITS.c.revision).label("revision"))
        .join(EDITS, EDITS.c.job_id == JOBS.c.id)
        .group_by(JOBS.c.channel_id, message)
    )


def _candidate(row: Row[Any]) -> Candidate:
    return Candidate(
        job_id=row.job_id,
        channel_id=row.channel_id,
        user_id=row.user_id,
        language=row.language,
        created=row.created,
        speaker=row.speaker,
        start=row.start,
        text=row.text,
        starts=bytes(row.starts),
    )
