"""Lua scripts for the list of live workers and the clock of Redis. Key names come from `worker.queue.keys`."""

from typing import Final

WORKER_TTL_S: Final = 8.0
"""Time after its last heartbeat at which a worker counts as gone."""

REGISTER_WORKER = """
-- KEYS workers; ARGV member ttl. Records a heartbeat of the worker by the clock of Redis.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
return tostring(now)
"""

LIST_WORKERS = """
-- KEYS workers; ARGV ttl. {member, seen, member, seen, …} of all live workers.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
return redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[1]), '+inf', 'WITHSCORES')
"""

UNREGISTER_WORKER = """
-- KEYS workers; ARGV member.
return redis.call('ZREM', KEYS[1], ARGV[1])
"""

CLOCK = """
-- The clock of Redis, in seconds.
local time = redis.call('TIME')
return time[1] .. '.' .. string.format('%06d', time[2])
"""
