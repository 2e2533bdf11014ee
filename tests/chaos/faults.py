"""The faults: each breaks one thing for a while and lets it be whole again."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.system import ChaosSystem, Keeper, pause, resume, send

LONGEST_S = 12.0
"""Of a fault; longer than the lease of a job."""
KEPT_FREE_BYTES = 4096

Inject = Callable[[ChaosSystem, random.Random], Awaitable[None]]
"""Breaks something and mends it; returns when it is whole, or dead and to be started again by others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of fault."""

    name: str
    weight: float
    inject: Inject
    is_possible: Callable[[ChaosSystem], bool] = lambda _: True


def _length(rng: random.Random) -> float:
    """Mostly short, some longer than a lease."""
    return min(LONGEST_S, rng.expovariate(1 / 3.0) + 0.2)


def _any_worker(system: ChaosSystem, rng: random.Random) -> Keeper:
    return system.workers[rng.choice(sorted(system.workers))]


async def _kill_worker(system: ChaosSystem, rng: random.Random) -> None:
    _any_worker(system, rng).signal(signal.SIGKILL)


async def _stop_worker(system: ChaosSystem, rng: random.Random) -> None:
    worker = _any_worker(system, rng)
    worker.signal(signal.SIGSTOP)
    await asyncio.sleep(_length(rng))
    worker.signal(signal.SIGCONT)


async def _end_worker(system: ChaosSystem, rng: random.Random) -> None:
    program = _any_worker(system, rng).program
    if program is not None and program.running:
        program.process.send_signal(signal.SIGTERM)


async def _kill_engine(system: ChaosSystem, rng: random.Random) -> None:
    send(_any_worker(system, rng).engine(), signal.SIGKILL)


async def _stop_engine(system: ChaosSystem, rng: random.Random) -> None:
    engine = _any_worker(system, rng).engine()
    pause(engine)
    await asyncio.sleep(_length(rng))
    resume(engine)


async def _kill_broker(system: ChaosSystem, rng: random.Random) -> None:
    send(system.broker_process, signal.SIGKILL)


async def _stop_broker(system: ChaosSystem, rng: random.Random) -> None:
    broker = system.broker_process
    pause(broker)
    await asyncio.sleep(_length(rng))
    resume(broker)


async def _fill_broker(system: ChaosSystem, rng: random.Random) -> None:
    """Leave the broker no memory for anything new."""
    try:
        await _configure(system, "1")
        await asyncio.sleep(_length(rng))
    finally:
        await _configure(system, "0")


async def _configure(system: ChaosSystem, memory: str) -> None:
    async with asyncio.timeout(60):
        while not await _set_memory(system, memory):
            await asyncio.sleep(0.2)


async def _set_memory(system: ChaosSystem, memory: str) -> bool:
    """Set the bytes that the broker may take, 0 for all; False when it does not answer."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_unix_connection(system.broker_url.removeprefix("unix://"))
            writer.write(f"CONFIG SET maxmemory {memory} maxmemory-policy noeviction\r\n".encode())
            await writer.drain()
            answer = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return answer.startswith(b"+OK")


async def _fill_disk(system: ChaosSystem, rng: random.Random) -> None:
    """Leave nothing of the disk that broker, store, scratch and database share."""
    path = system.home / "ballast"
    try:
        await asyncio.to_thread(_take_all_space, path)
        await asyncio.sleep(_length(rng))
    finally:
        path.unlink(missing_ok=True)


def _take_all_space(path: Path) -> None:
    free = os.statvfs(path.parent)
    with path.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - KEPT_FREE_BYTES))
        except OSError:
            return


async def _drop_store(system: ChaosSystem, rng: random.Random) -> None:
    assert system.bucket is not None
    system.bucket.down = True
    await asyncio.sleep(_length(rng))
    system.bucket.down = False


async def _kill_bot(system: ChaosSystem, rng: random.Random) -> None:
    system.bot.signal(signal.SIGKILL)


async def _stop_bot(system: ChaosSystem, rng: random.Random) -> None:
    system.bot.signal(signal.SIGSTOP)
    await asyncio.sleep(_length(rng))
    system.bot.signal(signal.SIGCONT)


async def _second_bot(system: ChaosSystem, rng: random.Random) -> None:
    """Two bots for a while; then either the second one goes or both are killed."""
    async with system.second_bot.running():
        await asyncio.sleep(4.0 + _length(rng))
        if rng.random() < 0.5:
            system.bot.signal(signal.SIGKILL)
        system.second_bot.signal(signal.SIGKILL)


async def _rate_limit(system: ChaosSystem, rng: random.Random) -> None:
    system.fake.faults.rate_limited(_verb(rng), "/", wait=rng.uniform(0.2, 3.0), times=rng.randint(1, 3))


async def _discord_down(system: ChaosSystem, rng: random.Random) -> None:
    status = rng.choice((500, 502, 503))
    system.fake.faults.unavailable(_verb(rng), "/", status=status, times=rng.randint(1, 3))


async def _lose_answer(system: ChaosSystem, rng: random.Random) -> None:
    system.fake.faults.lose_answer(_verb(rng), "/(channels|webhooks)/", delay=rng.uniform(0, 2))


async def _expire_tokens(system: ChaosSystem, rng: random.Random) -> None:
    """All interaction tokens up to now are refused with 401."""
    for interaction in system.fake.world.interactions.values():
        interaction.created -= 3600


async def _cut_gateway(system: ChaosSystem, rng: random.Random) -> None:
    await system.fake.gateway.drop(code=rng.choice((1001, 4000)))


def _verb(rng: random.Random) -> str:
    return rng.choice(("PATCH", "PATCH", "POST"))


FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault(name="worker killed", weight=3, inject=_kill_worker),
        Fault(name="worker stopped for a while", weight=2, inject=_stop_worker),
        Fault(name="worker told to end", weight=1, inject=_end_worker),
        Fault(name="engine killed", weight=3, inject=_kill_engine),
        Fault(name="engine stopped for a while", weight=1, inject=_stop_engine),
        Fault(name="broker killed", weight=2, inject=_kill_broker),
        Fault(name="broker stopped for a while", weight=2, inject=_stop_broker),
        Fault(name="broker out of memory", weight=1, inject=_fill_broker),
        Fault(name="disk full", weight=2, inject=_fill_disk, is_possible=lambda system: system.disk),
        Fault(name="store drops answers", weight=3, inject=_drop_store, is_possible=lambda system: bool(system.bucket)),
        Fault(name="bot killed", weight=2, inject=_kill_bot),
        Fault(name="bot stopped for a while", weight=1, inject=_stop_bot),
        Fault(name="two bots", weight=0.5, inject=_second_bot),
        Fault(name="Discord answers 429", weight=1.5, inject=_rate_limit),
        Fault(name="Discord answers 5xx", weight=1.5, inject=_discord_down),
        Fault(name="Discord's answer is lost", weight=1, inject=_lose_answer),
        Fault(name="Discord answers 401", weight=1, inject=_expire_tokens),
        Fault(name="gateway cut", weight=1, inject=_cut_gateway),
    )
}


def choose_fault(system: ChaosSystem, rng: random.Random, only: Sequence[str] = ()) -> Fault:
    """Choose a kind by chance, among some only if they are named."""
    possible = [fault for name, fault in FAULTS.items() if fault.is_possible(system) and (not only or name in only)]
    return rng.choices(possible, [fault.weight for fault in possible])[0]
