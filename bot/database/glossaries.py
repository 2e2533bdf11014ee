"""Glossaries of servers. Every method raises `DatabaseError`."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database, lock_writes
from bot.database.tables import GLOSSARIES
from bot.exceptions import RefusedError
from pipeline.speech.glossary.terms import MAX_TERMS, fault_of, shown, split_line


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedTerms:
    """What became of terms that somebody added."""

    new: int
    """Those that were not there before."""
    total: int
    """All of the glossary."""


class Glossaries:
    """Stores the lines of each server's glossary, such as `Siobhan = Shivawn`, by the alphabet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def terms(self, guild_id: str) -> tuple[str, ...]:
        """Return the lines of a server's glossary; empty where it has none."""
        async with self._database.transaction() as connection:
            return await _terms(connection, guild_id)

    async def add(self, guild_id: str, lines: Iterable[str]) -> AddedTerms:
        """Add lines to a glossary: all of them, or none where one is refused.

        Raises:
            RefusedError: There would be too many, or a term cannot be used; the message says which.

        """
        given = list(dict.fromkeys(" ".join(line.split()) for line in lines))
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            before = await _terms(connection, guild_id)
            total = len({*before, *given})
            if total > MAX_TERMS:
                raise RefusedError("glossary-full", "glossary-full-hint", count=total, limit=MAX_TERMS)
            for line in given:
                _check_line(line)
            after = tuple(dict.fromkeys((*before, *given)))
            await _save(connection, guild_id, after)
        return AddedTerms(new=len(after) - len(before), total=len(after))

    async def remove(self, guild_id: str, wanted: str) -> tuple[str, ...]:
        """Remove a line, or all lines of a term, in upper or lower case; return what was removed."""
        key = " ".join(wanted.split()).casefold()
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            before = await _terms(connection, guild_id)
            removed = tuple(line for line in before if line.casefold() == key)
            removed = removed or tuple(line for line in before if split_line(line)[0].casefold() == key)
            if removed:
                await _save(connection, guild_id, [line for line in before if line not in removed])
        return removed


async def _terms(connection: AsyncConnection, guild_id: str) -> tuple[str, ...]:
    found = await connection.execute(select(GLOSSARIES.c.terms).where(GLOSSARIES.c.guild_id == guild_id))
    return tuple(found.scalar_one_or_none() or ())


async def _save(connection: AsyncConnection, guild_id: str, lines: Sequence[str]) -> None:
    await connection.execute(delete(GLOSSARIES).where(GLOSSARIES.c.guild_id == guild_id))
    if lines:
        # In one order whoever adds them, so that equal glossaries give equal results.
        terms = sorted(lines, key=lambda line: (line.casefold(), line))
        values = {"guild_id": guild_id, "terms": terms, "changed": time.time()}
        await connection.execute(insert(GLOSSARIES).values(values))


def _check_line(line: str) -> None:
    """Raise `RefusedError` for a line that cannot be used."""
    for term in split_line(line):
        fault = fault_of(term)
        if fault is not None:
            raise RefusedError(f"term-{fault}", f"term-{fault}-hint", term=shown(term))
