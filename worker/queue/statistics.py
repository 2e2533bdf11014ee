"""How the queue stands as a whole, read in one step without the jobs themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from worker.protocol import PREFETCH_PREFIX
from worker.queue.keys import ASR, MEDIA, PART, WORKERS, QueueKind
from worker.queue.redis_client import Connection
from worker.queue.scripts.worker_scripts import WORKER_TTL_S

_READ: Final = """
-- KEYS active index; ARGV record_prefix prefetch_prefix. {queued, running, dead, seconds of the oldest that waits}
-- A prefetch job that waits makes nobody wait.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local queued, running, dead, oldest = 0, 0, 0, 0
local active = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #active, 2 do
  local status = redis.pcall('HGET', ARGV[1] .. active[i], 'status')
  if status == 'running' then
    running = running + 1
  elseif status == 'queued' and string.sub(active[i], 1, #ARGV[2]) ~= ARGV[2] then
    queued = queued + 1
    oldest = math.max(oldest, now - tonumber(active[i + 1]))
  end
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if redis.pcall('HGET', ARGV[1] .. id, 'status') == 'dead' then dead = dead + 1 end
end
return {queued, running, dead, tostring(oldest)}
"""

_COUNT_WORKERS: Final = """
-- KEYS workers; ARGV ttl. {members that are alive}
local time = redis.call('TIME')
return redis.call('ZRANGEBYSCORE', KEYS[1], tonumber(time[1]) - tonumber(ARGV[1]), '+inf')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindStatistics:
    """The jobs of one queue, and the workers that take them."""

    queued: int
    running: int
    dead: int
    """Put aside after too many attempts."""
    oldest_waiting_s: float
    """Age of the oldest job that waits; 0 when none does."""
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatistics:
    """How all queues stand."""

    queues: Mapping[QueueKind, KindStatistics]


async def read_statistics(connection: Connection) -> QueueStatistics:
    """Read how all queues stand.

    Raises:
        QueueError: The broker is away.
    """
    live = cast("list[str]", await connection.run(_COUNT_WORKERS, [WORKERS], [WORKER_TTL_S]))
    queues: dict[QueueKind, KindStatistics] = {}
    for keys in (MEDIA, ASR, PART):
        answer = await connection.run(_READ, [keys.active, keys.index], [keys.record_prefix, PREFETCH_PREFIX])
        worker_kind = MEDIA.kind if keys == PART else keys.kind
        queues[keys.kind] = KindStatistics(
            queued=int(answer[0]),
            running=int(answer[1]),
            dead=int(answer[2]),
            oldest_waiting_s=float(answer[3]),
            workers=sum(member.startswith(f"{worker_kind}/") for member in live),
        )
    return QueueStatistics(queues=queues)
