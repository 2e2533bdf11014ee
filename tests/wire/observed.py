"""The whole system with pages, traces and metrics, and a clip that has gone through it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.wire.answers import result_of
from tests.wire.objects import Message
from tests.wire.stack import Stack
from tests.worker.telemetry.scraping import Samples, free_port, scrape, value
from worker.protocol import JobState
from worker.queue import Queue

DELIVERY_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Observed:
    """The running system, and what was seen when its first clip was done."""

    stack: Stack
    made: Message
    """The result of the clip, with subtitles in its video."""
    state: JobState
    metrics: Samples
    """What the bot measured up to then."""
    traces: Path


@asynccontextmanager
async def observe(folder: Path, scene: Path) -> AsyncIterator[Observed]:
    """Start it, and ask for everything that can be made of the scene."""
    traces, port = folder / "traces.jsonl", free_port()
    settings = {"STEMCORD_TRACES_URL": traces.as_uri()}
    bot_settings = {"STEMCORD_METRICS_PORT": str(port)}
    async with Stack.start(folder, page_port=free_port(), settings=settings, bot_settings=bot_settings) as stack:
        made = await result_of(stack, await stack.fake.slash("process", clip=scene, language="en", subtitles=True))
        async with Queue.connect(stack.broker_url) as queue:
            (state,) = await queue.jobs()
        yield Observed(stack, made, state, await _when_delivered(port), traces)


async def _when_delivered(port: int) -> Samples:
    """Return what the bot measured once it has counted the delivery."""
    async with asyncio.timeout(DELIVERY_TIMEOUT_S):
        while value(seen := await scrape(port), "stemcord_deliveries_total", shown="yes") is None:
            await asyncio.sleep(0.05)
    return seen
