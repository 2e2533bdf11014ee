"""Which engine a stage runs in: an express lane beside the engine, so that a film keeps no short clip waiting.

The express lane is an engine process of its own. It is started when a short clip's stage would wait behind a much
longer clip's, shares the processors with it meanwhile, and ends when it was idle for some time.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

from worker.engine.supervisor import EngineSupervisor

MAX_EXPRESS_CLIP_S: Final = 600.0
"""Longest clip that may use the express lane."""
MIN_RATIO: Final = 4.0
"""How many times longer the clip must be that it would wait behind."""
IDLE_TIMEOUT_S: Final = 120.0
"""Time without a stage after which the express lane ends, since its models take memory."""


class Lanes:
    """The engine of a worker and its express lane.

    Args:
        engine: Runs stages one at a time.
        express: Started when it is needed; None: every stage waits for its turn.
        idle_timeout_s: Seconds after which an idle express lane ends.
    """

    def __init__(
        self, engine: EngineSupervisor, express: EngineSupervisor | None = None, idle_timeout_s: float = IDLE_TIMEOUT_S
    ) -> None:
        self.engine = engine
        self.express = express
        self._idle_timeout_s = idle_timeout_s
        self._ahead: list[float] = []
        """Lengths of the clips whose stages have or await the engine."""
        self._in_express = 0
        self._ending: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def choose(self, clip_s: float) -> AsyncGenerator[EngineSupervisor]:
        """Give the engine for a stage until the end of the block.

        Args:
            clip_s: Length of the clip in seconds; 0 when it is not known.
        """
        if self.express is not None and 0 < clip_s <= MAX_EXPRESS_CLIP_S and self._is_behind_longer(clip_s):
            async with self._express_lane(self.express) as express:
                yield express
            return
        self._ahead.append(clip_s)
        try:
            yield self.engine
        finally:
            self._ahead.remove(clip_s)

    def pids(self) -> dict[str, Callable[[], int | None]]:
        """Return what gives the process ids of the engines, by their names."""
        engines = {"warm": self.engine, **({} if self.express is None else {"express": self.express})}
        return {name: lambda engine=engine: engine.pid for name, engine in engines.items()}

    async def close(self) -> None:
        """End both engines."""
        if self._ending is not None:
            self._ending.cancel()
        if self._closing is not None:
            await asyncio.wait({self._closing})
        if self.express is not None:
            await self.express.close()
        await self.engine.close()

    def _is_behind_longer(self, clip_s: float) -> bool:
        return any(other >= MIN_RATIO * clip_s for other in self._ahead)

    @asynccontextmanager
    async def _express_lane(self, express: EngineSupervisor) -> AsyncGenerator[EngineSupervisor]:
        if self._ending is not None:
            self._ending.cancel()
        self._in_express += 1
        if self._closing is not None:
            # What is being closed would die under the stage; afterwards a new engine starts.
            await asyncio.wait({self._closing})
        try:
            yield express
        finally:
            self._in_express -= 1
            if not self._in_express:
                loop = asyncio.get_running_loop()
                self._ending = loop.call_later(self._idle_timeout_s, self._end_idle, express)

    def _end_idle(self, express: EngineSupervisor) -> None:
        if not self._in_express:
            self._closing = asyncio.create_task(express.close())
