"""The command that follows a job; a job of a command that is gone is done for nobody."""

from typing import Final

from worker.queue.keys import Keys
from worker.queue.redis_client import Connection
from worker.queue.worker_name import process_has_ended

FOLLOWER_TTL_S: Final = 60
"""Seconds after its last sign of life at which a command on another machine counts as gone."""

_BEAT: Final = """
-- KEYS record sign; ARGV follower ttl. A sign of life of who follows the job.
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'follower', ARGV[1]) end
return 1
"""


async def note_follower(connection: Connection, keys: Keys, job_id: str, name: str) -> None:
    """Give a sign of life of the process that follows a job; from the first on, the job needs them.

    Args:
        connection: The broker.
        keys: The keys of the kind of job.
        job_id: The job.
        name: As `worker.queue.worker_name.new_worker_name` gives it.

    Raises:
        QueueError: The broker is away, or takes no writes, for example because its disk is full.
    """
    await connection.run(_BEAT, [keys.record(job_id), keys.follower(job_id)], [name, FOLLOWER_TTL_S])


def has_lost_follower(name: str, *, gave_sign: bool, trusted: bool) -> bool:
    """Tell whether the command that follows a job is gone; False for a job that needs none.

    Args:
        name: Name of the command's process; empty for a job that needs none.
        gave_sign: Its last sign of life is not too old.
        trusted: The broker was there all the time, so that missing signs of life mean something.
    """
    return bool(name) and (process_has_ended(name) or (trusted and not gave_sign))
