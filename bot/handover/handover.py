"""Hands the bot over from an old process to a new one that shares its database, without a gap.

    old: takes events ──────── claims each ──────────── takes none, ends what it began ── released
    new:            joins ──── connects, claims each ── ready ─────────────────────────── follows the jobs

Discord sends each event to both; whoever claims it first handles it. The new process connects only once the old one
claims events, and the old one stops only once the new one is connected. Jobs are followed by one of them at a time.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol

import structlog

from bot.exceptions import DatabaseError
from bot.handover.gate import EventGate, GateMode
from bot.handover.processes import BotProcess, BotProcesses, ProcessState

BEAT_INTERVAL_S: Final = 2.0
"""Time between two looks at the other processes."""
SHARED_BEAT_INTERVAL_S: Final = 0.3
"""The same while there are others."""
LATE_EVENTS_S: Final = 30.0
"""Time for which events are still claimed after the last other process is gone: they do not reach all at once."""
YIELD_TIMEOUT_S: Final = 200.0
"""Time that a process which is told to end gives the next one to take over."""


class Duties(Protocol):
    """What only one process does at a time."""

    async def begin(self) -> None:
        """Follow the jobs that nobody follows, and keep the database in step."""

    async def search(self, allowed: bool) -> None:
        """Search for jobs that others submitted, or stop that: another process follows its own."""

    async def end(self, *, at_once: bool) -> None:
        """End what was begun, and follow nothing more; `at_once`: another process follows it already."""


class Handover:
    """Takes over from earlier processes, and hands over to later ones.

    Args:
        processes: All that share the database.
        gate: Lets events in.
        duties: What only one of them does.

    """

    def __init__(self, processes: BotProcesses, gate: EventGate, duties: Duties) -> None:
        self._processes = processes
        self._gate = gate
        self._duties = duties
        self._state = ProcessState.JOINING
        self._others: Sequence[BotProcess] = ()
        self._shares = False
        self._begun = False
        self._connected = False
        self._lapsed = False
        """Whether the others took this process for dead, so that they did not wait for it."""
        self._alone_since = 0.0
        self._ending: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._given = asyncio.Event()
        """Set while nobody waits to take over, and once it has."""

    async def join(self) -> bool:
        """Register; wait until earlier processes claim events; return whether there is none, and the duties are here.

        Raises:
            DatabaseError: The database is unavailable.

        """
        self._others = await self._processes.register(time.time())
        if self._earlier:
            self._gate.mode = GateMode.CLAIMS
            structlog.get_logger(__name__).info("handover_joined", others=len(self._earlier))
            while not all(other.shares for other in self._earlier):
                await asyncio.sleep(SHARED_BEAT_INTERVAL_S)
                await self._beat()
        if not self._earlier:
            self._state = ProcessState.READY
            self._begun = True
        self._task = asyncio.create_task(self._run(), name="handover")
        return self._begun

    def connected(self) -> None:
        """Note that Discord sends events to this process."""
        self._connected = True

    async def leave(self, limit_s: float = YIELD_TIMEOUT_S) -> None:
        """Wait until a later process, if there is one, has taken over; at most so long."""
        with suppress(TimeoutError, DatabaseError):
            async with asyncio.timeout(limit_s):
                await self._beat()
                if self._later and self._state is not ProcessState.RELEASED:
                    self._given.clear()
                    await self._given.wait()

    async def close(self) -> None:
        """Tell the others that this process is gone."""
        tasks = [task for task in (self._task, self._ending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(DatabaseError):
            await self._processes.leave()

    @property
    def _earlier(self) -> list[BotProcess]:
        """Earlier processes that still do something."""
        number = self._processes.number
        return [one for one in self._others if one.number < number and one.state is not ProcessState.RELEASED]

    @property
    def _later(self) -> list[BotProcess]:
        return [one for one in self._others if one.number > self._processes.number]

    @property
    def _is_replaced(self) -> bool:
        return any(one.state is ProcessState.READY for one in self._later)

    async def _beat(self) -> bool:
        """Tell the others; return whether they still knew this process."""
        known, self._others = await self._processes.beat(self._state, time.time(), shares=self._shares)
        return known

    async def _run(self) -> None:
        while True:
            try:
                self._lapsed = not await self._beat() or (self._lapsed and bool(self._later))
                await self._step()
            except DatabaseError as error:
                # Nobody else can take over meanwhile, so all goes on as it is.
                structlog.get_logger(__name__).warning("handover_unknown", detail=error.detail)
            if self._state is ProcessState.RELEASED or not self._later:
                self._given.set()
            else:
                self._given.clear()
            await asyncio.sleep(SHARED_BEAT_INTERVAL_S if self._others else BEAT_INTERVAL_S)

    async def _step(self) -> None:
        """Do what follows from what the others do."""
        await self._share()
        if self._ending is not None:
            if not self._ending.done():
                return
            self._ending = None
            await self._change(ProcessState.RELEASED)
        if self._state is ProcessState.JOINING and self._connected:
            await self._change(ProcessState.READY)
        elif self._state is ProcessState.READY and (self._is_replaced or (self._lapsed and self._later)):
            self._gate.mode = GateMode.CLOSED
            self._ending = asyncio.create_task(self._end(at_once=self._lapsed), name="handover-end")
        elif self._state is ProcessState.RELEASED and not self._is_replaced:
            # Whoever took over is gone.
            self._gate.mode = GateMode.CLAIMS
            await self._change(ProcessState.READY)
        if self._state is ProcessState.READY and not (self._begun or self._earlier or self._is_replaced):
            self._begun = True
            await self._duties.begin()
            structlog.get_logger(__name__).info("handover_taken")

    async def _share(self) -> None:
        """Claim events as long as there are others, and a while longer."""
        now = time.monotonic()
        if self._others:
            self._alone_since = now
            if self._gate.mode is GateMode.OPEN:
                self._gate.mode = GateMode.CLAIMS
        elif self._gate.mode is GateMode.CLAIMS and now > self._alone_since + LATE_EVENTS_S:
            self._gate.mode = GateMode.OPEN
        if bool(self._later) != self._shares:
            await self._duties.search(not self._later)
            self._shares = bool(self._later)
            await self._beat()

    async def _end(self, *, at_once: bool) -> None:
        await self._duties.end(at_once=at_once)
        self._begun = self._lapsed = False
        structlog.get_logger(__name__).info("handover_given")

    async def _change(self, state: ProcessState) -> None:
        self._state = state
        await self._beat()
