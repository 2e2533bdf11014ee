import asyncio

import pytest
from redis.asyncio import Redis

from pipeline.errors import EngineDiedError
from tests.worker.conftest import System
from worker.queue.engine_occupancy import engine_occupancy
from worker.queue.keys import ENGINE_PREFIX


async def occupant(system: System) -> str:
    """The job that is noted as in the engine of the worker `one`."""
    script = "return redis.call('SMEMBERS', KEYS[1])[1] or ''"
    return str(await system.queue.connection.run(script, [f"{ENGINE_PREFIX}one"], []))


async def test_a_job_whose_engine_failed_is_no_longer_noted(system: System) -> None:
    async def fail() -> None:
        async with engine_occupancy(system.queue, "one", "job") as enter:
            enter()
            raise EngineDiedError("The engine crashed.")

    with pytest.raises(EngineDiedError):
        await fail()
    assert await occupant(system) == ""


async def test_a_job_that_is_cancelled_twice_is_no_longer_noted(system: System) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with engine_occupancy(system.queue, "one", "job") as enter:
            enter()
            while await occupant(system) != "job":
                await asyncio.sleep(0.01)
            entered.set()
            await asyncio.sleep(60)

    working = asyncio.create_task(work())
    await entered.wait()
    # The broker is slow enough for the second cancellation to meet the way out.
    assert system.settings.redis_url is not None
    async with Redis(unix_socket_path=system.settings.redis_url.removeprefix("unix://")) as redis:
        await redis.client_pause(500)
    working.cancel()
    await asyncio.sleep(0.1)
    working.cancel()
    await asyncio.wait({working})
    assert working.cancelled()
    assert await occupant(system) == ""


async def test_several_engines_hold_a_job_each(system: System) -> None:
    async with engine_occupancy(system.queue, "one", "reads") as reads:
        reads()
        async with engine_occupancy(system.queue, "one", "mixes") as mixes:
            mixes()
            while await noted(system) != {"reads", "mixes"}:
                await asyncio.sleep(0.01)
        assert await noted(system) == {"reads"}
    assert await noted(system) == set()


async def noted(system: System) -> set[str]:
    return set(await system.queue.connection.run("return redis.call('SMEMBERS', KEYS[1])", [f"{ENGINE_PREFIX}one"], []))
