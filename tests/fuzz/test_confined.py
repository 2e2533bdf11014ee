"""The judge notices what it is there for, and its baits can be bitten."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fuzz.confined import PACK, SECRET, ConfinedStages, Verdict, confined_stages
from tests.fuzz.seed_files import make_seeds

MISDEED = replace(PACK, function="tests.fuzz.misdeeds:misdeed")


@pytest.fixture(scope="module")
def seeds() -> dict[str, bytes]:
    return make_seeds()


@pytest.fixture
async def stages(tmp_path: Path, seeds: dict[str, bytes]) -> AsyncIterator[ConfinedStages]:
    async with confined_stages(tmp_path, seeds) as stages:
        stages.memory_limit_bytes = 300 << 20
        yield stages


async def commit(stages: ConfinedStages, deed: str, operand: str = "") -> Verdict:
    return (await stages.run(MISDEED, {"manifest": f"{deed} {operand}".encode()}, {}))[0]


async def test_each_misdeed_is_noticed(stages: ConfinedStages) -> None:
    neighbour, outside = stages.watched.bait.neighbour, stages.watched.bait.outside
    for deed, operand, ending in (
        ("behave", "", "accepted"),
        ("refuse", "", "refused"),
        ("refuse", SECRET, "escape"),
        ("behave", SECRET, "escape"),
        ("stumble", "", "unnamed"),
        ("crash", "", "crash"),
        ("take", "", "memory"),
        ("read", str(neighbour), "escape"),
        ("write", str(neighbour), "escape"),
        ("write", str(stages.scratch.root / "another"), "left"),
        ("leave", "", "left"),
    ):
        verdict = await commit(stages, deed, operand)
        assert verdict.ending == ending, (deed, verdict)
        (stages.scratch.root / "another").unlink(missing_ok=True)
    # What the confinement refuses is a bug of the stage all the same.
    assert (await commit(stages, "read", str(outside))).ending == "unnamed"


async def test_a_hang_is_tried_twice_and_ends(stages: ConfinedStages) -> None:
    stages.stage_limit_s, stages.second_limit_s = 0.5, 1.0
    verdict = await commit(stages, "hang")
    assert (verdict.ending, verdict.error) == ("hang", "EngineTimeoutError")
    stages.stage_limit_s = 20.0
    assert (await commit(stages, "behave")).ending == "accepted"


async def test_whoever_comes_to_a_bait_is_noticed(stages: ConfinedStages) -> None:
    watched = stages.watched
    assert await watched.take() == []
    watched.bait.outside.read_bytes()
    assert any("opened" in event for event in await watched.take())
    _, web = await asyncio.open_connection("127.0.0.1", watched.bait.port)
    _, local = await asyncio.open_unix_connection(watched.bait.socket)
    for writer in (web, local):
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.1)
    assert len([event for event in await watched.take() if "connection" in event]) == 2
