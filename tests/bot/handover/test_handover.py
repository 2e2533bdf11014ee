"""Two processes of the bot beside each other, as far as the database tells them of one another."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.database.engine import Database
from bot.handover import handover as handover_module
from bot.handover.gate import EventGate, GateMode
from bot.handover.handover import Handover
from bot.handover.liveness import is_gone, own_place
from bot.handover.processes import LEASE_S, BotProcesses, ProcessState

LIMIT_S = 5.0


class Duties:
    """Counts what happens."""

    def __init__(self) -> None:
        self.acts: list[str] = []
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def begin(self) -> None:
        self.acts.append("begin")

    async def search(self, allowed: bool) -> None:
        self.acts.append(f"search {allowed}")

    async def end(self, *, at_once: bool) -> None:
        self.acts.append("ending")
        await self.may_end.wait()
        self.acts.append("end at once" if at_once else "end")


class Process:
    """One process of the bot, without Discord."""

    def __init__(self, database: Database, dead: set[str], name: str) -> None:
        self.processes = BotProcesses(database, place=name, is_gone=dead.__contains__)
        self.gate = EventGate(self.processes.claim)
        self.duties = Duties()
        self.handover = Handover(self.processes, self.gate, self.duties)

    async def start(self) -> bool:
        async with asyncio.timeout(LIMIT_S):
            first = await self.handover.join()
        self.handover.connected()
        return first

    async def did(self, act: str) -> None:
        async with asyncio.timeout(LIMIT_S):
            while act not in self.duties.acts:
                await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover_module, "BEAT_INTERVAL_S", 0.05)
    monkeypatch.setattr(handover_module, "SHARED_BEAT_INTERVAL_S", 0.02)
    monkeypatch.setattr(handover_module, "LATE_EVENTS_S", 0.2)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """In a file: one in memory ends with the connection of a task that is cancelled."""
    async with Database.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}") as database:
        yield database


@pytest.fixture
def dead() -> set[str]:
    """Places whose process is gone."""
    return set()


@pytest.fixture
async def pair(database: Database, dead: set[str]) -> AsyncIterator[tuple[Process, Process]]:
    old, new = Process(database, dead, "old"), Process(database, dead, "new")
    yield old, new
    await old.handover.close()
    await new.handover.close()


async def mode(gate: EventGate, wanted: GateMode) -> None:
    async with asyncio.timeout(LIMIT_S):
        while gate.mode is not wanted:
            await asyncio.sleep(0.01)


async def test_a_process_alone_begins_at_once_and_claims_nothing(pair: tuple[Process, Process]) -> None:
    old, _ = pair
    assert await old.start()
    assert old.gate.mode is GateMode.OPEN
    assert await old.gate.admits(1)
    await asyncio.wait_for(old.handover.leave(), LIMIT_S)


async def test_the_new_one_follows_only_once_the_old_one_has_ended_what_it_began(pair: tuple[Process, Process]) -> None:
    old, new = pair
    old.duties.may_end.clear()
    assert await old.start()
    assert not await new.start()
    assert old.gate.mode is not GateMode.OPEN
    await old.did("ending")
    assert old.gate.mode is GateMode.CLOSED
    leaving = asyncio.create_task(old.handover.leave())
    await asyncio.sleep(0.2)
    assert "begin" not in new.duties.acts
    assert not leaving.done()
    old.duties.may_end.set()
    await new.did("begin")
    await asyncio.wait_for(leaving, LIMIT_S)
    assert old.duties.acts == ["search False", "ending", "end"]
    await old.handover.close()
    await mode(new.gate, GateMode.OPEN)


async def test_each_event_is_handled_once(pair: tuple[Process, Process]) -> None:
    old, new = pair
    old.duties.may_end.clear()
    await old.start()
    await new.start()
    old.gate.mode = GateMode.CLAIMS
    admitted = await asyncio.gather(*(each.gate.admits(event) for event in range(50) for each in (old, new, old)))
    for first, second, again in zip(*[iter(admitted)] * 3, strict=True):
        assert first != second
        assert first == again, "parts of one event stay together"


async def test_the_old_one_goes_on_when_the_new_one_dies(pair: tuple[Process, Process], dead: set[str]) -> None:
    old, new = pair
    await old.start()
    await new.start()
    await new.did("begin")
    dead.add("new")
    task = new.handover._task
    assert task is not None
    task.cancel()
    await old.did("begin")
    assert old.duties.acts[-2:] == ["search True", "begin"]
    await mode(old.gate, GateMode.OPEN)


async def test_who_slept_for_long_gives_way_at_once(pair: tuple[Process, Process], dead: set[str]) -> None:
    old, new = pair
    await old.start()
    task = old.handover._task
    assert task is not None
    task.cancel()
    dead.add("old")
    assert await new.start()
    dead.clear()
    old.handover._task = asyncio.create_task(old.handover._run())
    await old.did("end at once")
    assert old.gate.mode is GateMode.CLOSED


async def test_a_process_of_another_machine_counts_as_dead_after_a_while(database: Database) -> None:
    far = BotProcesses(database, place="elsewhere/1/2")
    assert await far.register(time.time() - LEASE_S - 1) == []
    near = BotProcesses(database)
    assert await near.register(time.time()) == []
    known, others = await far.beat(ProcessState.READY, time.time(), shares=False)
    assert not known
    assert [other.number for other in others] == [near.number]
    assert near.number > far.number


async def test_nobody_is_dead_who_was_silent_because_the_database_was_away(database: Database) -> None:
    began = time.time()
    old, new = BotProcesses(database, place="elsewhere/1/2"), BotProcesses(database, place="elsewhere/3/4")
    for each in (old, new):
        await each.register(began)
        await each.beat(ProcessState.READY, began, shares=True)
    back = began + 3 * LEASE_S
    _, others = await old.beat(ProcessState.RELEASED, back, shares=True)
    assert [other.number for other in others] == [new.number]
    known, _ = await new.beat(ProcessState.READY, back + 2, shares=True)
    assert known
    for after in range(3, int(LEASE_S) + 6, 3):
        _, others = await old.beat(ProcessState.RELEASED, back + after, shares=True)
    assert others == [], "it is silent although the database is there"


def test_a_process_that_was_killed_is_known_to_be_gone() -> None:
    assert not is_gone(own_place())
    assert not is_gone("")
    assert not is_gone(f"another machine/{os.getpid()}/1")
    said = "from bot.handover.liveness import own_place; print(own_place())"
    root = Path(__file__).parents[3]
    place = subprocess.run([sys.executable, "-c", said], cwd=root, capture_output=True, text=True, check=True).stdout
    assert place.strip() != own_place()
    assert is_gone(place.strip())
    assert is_gone(own_place() + "0"), "its number was given to another process"
