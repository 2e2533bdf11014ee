"""The processes of the bot that share a database: who is there, what each does, and who takes which event."""

import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database, lock_writes
from bot.database.tables import BOT_PROCESSES, EVENT_CLAIMS
from bot.handover.liveness import is_gone, own_place

LEASE_S: Final = 20.0
"""Time after which a process that was not heard of counts as dead."""
CLAIM_LIFETIME_S: Final = 3600.0
"""Far more than the same event takes to reach two processes."""
CLAIM_TIMEOUT_S: Final = 2.0
"""Discord waits three seconds for the first answer."""


class ProcessState(StrEnum):
    """What a process does."""

    JOINING = "joining"
    """It starts; events and jobs are others' matter."""
    READY = "ready"
    """It is connected and takes events; the jobs are its own as soon as no earlier process has them."""
    RELEASED = "released"
    """It has handed over and takes nothing, unless all later ones die."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotProcess:
    """A process as the others see it."""

    id: str
    number: int
    """Processes are numbered as they come."""
    state: ProcessState
    shares: bool
    """Whether it claims each event before it takes it, so that another one may take events as well."""


class BotProcesses:
    """This process among those that share a database. Every method raises `DatabaseError`.

    Args:
        database: What they share.
        place: Names this process; processes of this machine that are gone are known by it.
        is_gone: Tells whether the process of a place has ended for sure.

    """

    def __init__(
        self, database: Database, *, place: str | None = None, is_gone: Callable[[str], bool] = is_gone
    ) -> None:
        self._database = database
        self._id = uuid.uuid4().hex
        self._place = own_place() if place is None else place
        self._is_gone = is_gone
        self._beaten = math.inf
        self._patient_until = 0.0
        """Until then nobody counts as dead for silence: the database was away, and for the others too."""
        self.number = 0
        """0: not registered yet."""

    async def are_there_others(self, now: float) -> bool:
        """Tell whether another process lives."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            return bool(await self._others(connection, now))

    async def register(self, now: float) -> list[BotProcess]:
        """Take the next number; return the others that live."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            await connection.execute(delete(EVENT_CLAIMS).where(EVENT_CLAIMS.c.claimed < now - CLAIM_LIFETIME_S))
            others = await self._others(connection, now)
            highest = (await connection.execute(select(func.max(BOT_PROCESSES.c.number)))).scalar_one()
            # By the time, so that the number of one who was forgotten is not given again.
            self.number = max((highest or 0) + 1, int(1000 * now))
            await connection.execute(insert(BOT_PROCESSES).values(self._values(ProcessState.JOINING, False, now)))
            return others

    async def beat(self, state: ProcessState, now: float, *, shares: bool) -> tuple[bool, list[BotProcess]]:
        """Say what this process does; return whether the others still knew it, and those that live, by number."""
        if now > self._beaten + LEASE_S / 2:
            self._patient_until = now + LEASE_S
        values = self._values(state, shares, now)
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            own = BOT_PROCESSES.c.id == self._id
            known = (await connection.execute(update(BOT_PROCESSES).where(own).values(values))).rowcount > 0
            if not known:
                await connection.execute(insert(BOT_PROCESSES).values(values))
            others = await self._others(connection, now)
        self._beaten = now
        return known, others

    async def leave(self) -> None:
        """Say that this process is gone."""
        async with self._database.transaction() as connection:
            await connection.execute(delete(BOT_PROCESSES).where(BOT_PROCESSES.c.id == self._id))

    async def claim(self, event_id: int, now: float) -> bool:
        """Take an event; False when another process has."""
        # PostgreSQL and SQLite have the same words for this.
        taken = text("INSERT INTO event_claims VALUES (:event_id, :claimed) ON CONFLICT (event_id) DO NOTHING")
        async with self._database.transaction(limit_s=CLAIM_TIMEOUT_S) as connection:
            done = await connection.execute(taken, {"event_id": str(event_id), "claimed": now})
            return done.rowcount > 0

    def _values(self, state: ProcessState, shares: bool, now: float) -> dict[str, Any]:
        values = {"id": self._id, "number": self.number, "place": self._place}
        return {**values, "seen": now, "state": state.value, "shares": shares}

    async def _others(self, connection: AsyncConnection, now: float) -> list[BotProcess]:
        """Return the others that live, and forget the dead."""
        found = list(await connection.execute(select(BOT_PROCESSES).order_by(BOT_PROCESSES.c.number)))
        others: list[BotProcess] = []
        for row in found:
            if row.id == self._id:
                continue
            is_silent = row.seen < now - LEASE_S and now >= self._patient_until
            if is_silent or self._is_gone(row.place):
                await connection.execute(delete(BOT_PROCESSES).where(BOT_PROCESSES.c.id == row.id))
                continue
            state = ProcessState(row.state)
            others.append(BotProcess(id=row.id, number=row.number, state=state, shares=bool(row.shares)))
        return others
