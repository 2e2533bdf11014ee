"""Which engine a stage runs in."""

import asyncio
from pathlib import Path

import pytest

from worker.engine.lanes import Lanes
from worker.engine.supervisor import EngineSupervisor


@pytest.fixture
def lanes(tmp_path: Path) -> Lanes:
    return Lanes(EngineSupervisor(tmp_path, scratch=tmp_path), EngineSupervisor(tmp_path, scratch=tmp_path), 0.1)


async def test_only_a_short_clip_behind_a_much_longer_one_takes_the_express_lane(lanes: Lanes) -> None:
    async with lanes.choose(20) as first:
        assert first is lanes.engine
        async with lanes.choose(10) as alike:
            assert alike is lanes.engine
    async with lanes.choose(7200), lanes.choose(20) as short, lanes.choose(3000) as long, lanes.choose(0) as unknown:
        assert short is lanes.express
        assert long is lanes.engine
        assert unknown is lanes.engine
    async with lanes.choose(20) as after:
        assert after is lanes.engine


async def test_a_lane_that_is_off_is_not_taken(tmp_path: Path) -> None:
    lanes = Lanes(EngineSupervisor(tmp_path, scratch=tmp_path))
    async with lanes.choose(7200), lanes.choose(20) as short:
        assert short is lanes.engine
    assert set(lanes.pids()) == {"warm"}


async def test_an_idle_lane_ends(lanes: Lanes) -> None:
    assert lanes.express is not None
    async with lanes.choose(7200), lanes.choose(20):
        await lanes.express.start()
        await asyncio.sleep(0.3)
        assert lanes.pids()["express"]() is not None, "it is in use"
    async with asyncio.timeout(10):
        while lanes.express.pid is not None:
            await asyncio.sleep(0.05)
    await lanes.close()


async def test_a_stage_waits_for_a_lane_that_is_being_closed(tmp_path: Path) -> None:
    closed = asyncio.Event()

    class Slow(EngineSupervisor):
        async def close(self) -> None:
            await asyncio.sleep(0.2)
            closed.set()

    lanes = Lanes(EngineSupervisor(tmp_path, scratch=tmp_path), Slow(tmp_path, scratch=tmp_path), 0.0)
    async with lanes.choose(7200):
        async with lanes.choose(20):
            pass
        await asyncio.sleep(0.05)
        assert not closed.is_set()
        async with lanes.choose(20):
            assert closed.is_set()
