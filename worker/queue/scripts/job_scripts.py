"""Lua scripts for changes that Redis must make in one step. Key names come from `worker.queue.keys`.

A job's record is a hash with the fields job, status, attempts, token, cancel, first, submitted, began, ended, error,
worker, and those of `order_scripts`. `token` names the attempt that may write; clearing it fences that attempt off.
The lease key only says that the worker of the attempt is alive.
"""

_NOW = """
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end
"""

_ENDED = """
local function has_ended(status)
  return status == 'finished' or status == 'failed' or status == 'stopped' or status == 'dead'
end
"""

_LIVE = """
local function is_live(status)
  return status == 'queued' or status == 'running'
end
"""

_EMIT = """
local function emit(stream, event, max_events, ttl)
  redis.call('XADD', stream, 'MAXLEN', '~', max_events, '*', 'event', event)
  if tonumber(ttl) > 0 then redis.call('EXPIRE', stream, ttl) else redis.call('PERSIST', stream) end
end
"""

_OWNS_LEASE = """
local function owns_lease(record, token)
  local found = redis.call('HMGET', record, 'token', 'status')
  return found[1] == token and found[2] == 'running'
end
"""

SUBMIT = (
    _NOW
    + """
-- KEYS record index active undelivered; ARGV id job submitted answered. 1 when it is new.
-- Jobs are in the order in which they come here, whatever the clocks of those who submit them say.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'job', ARGV[2], 'status', 'queued', 'attempts', 0, 'token', '', 'cancel', '',
  'first', '0', 'submitted', ARGV[3], 'error', '')
local came = string.format('%.6f', now())
redis.call('ZADD', KEYS[2], came, ARGV[1])
redis.call('ZADD', KEYS[3], came, ARGV[1])
if ARGV[4] == '1' then redis.call('ZADD', KEYS[4], came, ARGV[1]) end
return 1
"""
)

RESTART = (
    _ENDED
    + _NOW
    + """
-- KEYS record index active events followers; ARGV id now job parent ttl. 1 when it must be enqueued.
-- With a job (a stage) a missing record is made and a running one is joined; without (a replay) neither.
local status = redis.call('HGET', KEYS[1], 'status')
if ARGV[4] ~= '' then redis.call('SADD', KEYS[5], ARGV[4]) redis.call('EXPIRE', KEYS[5], ARGV[5]) end
if not status and ARGV[3] == '' then return 0 end
if status and not has_ended(status) then
  if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'cancel', '') end
  return 0
end
if status == 'finished' and ARGV[3] == '' then return 0 end
local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)
local first = '0'
if #last > 0 then first = last[1][1] end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'job', ARGV[3]) end
redis.call('HSET', KEYS[1], 'status', 'queued', 'attempts', 0, 'token', '', 'cancel', '',
  'first', first, 'submitted', ARGV[2], 'error', '')
redis.call('HDEL', KEYS[1], 'ended', 'follower', 'place', 'began')
redis.call('PERSIST', KEYS[1])
local came = string.format('%.6f', now())
-- Nobody lists ended stages, and each has an id of its own.
if ARGV[3] == '' then redis.call('ZADD', KEYS[2], came, ARGV[1]) end
redis.call('ZADD', KEYS[3], came, ARGV[1])
return 1
"""
)

CANCEL = (
    _ENDED
    + _EMIT
    + """
-- KEYS record lease active events; ARGV id stopped now max_events ttl. 0 when there is nothing to cancel.
local status = redis.call('HGET', KEYS[1], 'status')
if not status or has_ended(status) then return 0 end
redis.call('HSET', KEYS[1], 'cancel', '1')
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
emit(KEYS[4], ARGV[2], ARGV[4], ARGV[5])
redis.call('HSET', KEYS[1], 'status', 'stopped', 'ended', ARGV[3], 'token', '')
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
"""
)

DISCARD = (
    _LIVE
    + """
-- KEYS record index events undelivered active; ARGV id. 1 when an ended job was there, or one that cannot be read.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return 0 end
if kind == 'hash' then
  local found = redis.call('HMGET', KEYS[1], 'status', 'job', 'attempts')
  if found[2] and tonumber(found[3] or '') and is_live(found[1]) then return 0 end
end
redis.call('DEL', KEYS[1], KEYS[3])
for _, set in ipairs({KEYS[2], KEYS[4], KEYS[5]}) do redis.call('ZREM', set, ARGV[1]) end
return 1
"""
)

UNFOLLOW_STAGE = """
-- KEYS followers; ARGV parent. The number of jobs that still wait for the stage.
redis.call('SREM', KEYS[1], ARGV[1])
return redis.call('SCARD', KEYS[1])
"""

IS_FOLLOWED = (
    _LIVE
    + """
-- KEYS followers; ARGV record_prefix. 1 when a job waits for the stage that has not ended.
for _, parent in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if is_live(redis.pcall('HGET', ARGV[1] .. parent, 'status')) then return 1 end
end
return 0
"""
)

ACQUIRE = (
    _LIVE
    + """
-- KEYS record lease; ARGV token ttl_ms max_attempts worker. {outcome, attempt, error}
local found = redis.call('HMGET', KEYS[1], 'status', 'token', 'attempts', 'error')
-- A record without attempts is another version's, and nobody's job here.
if not found[1] or not tonumber(found[3] or '') then return {'missing', 0, ''} end
if not is_live(found[1]) then return {'ended', 0, ''} end
local lease = redis.call('GET', KEYS[2])
if lease and lease ~= ARGV[1] then return {'held', 0, ''} end
local attempt = tonumber(found[3])
if found[2] ~= ARGV[1] then
  if attempt < tonumber(ARGV[3]) then attempt = redis.call('HINCRBY', KEYS[1], 'attempts', 1)
  else attempt = attempt + 1 end
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[1], 'status', 'running', 'token', ARGV[1], 'worker', ARGV[4])
redis.call('HSETNX', KEYS[1], 'began', redis.call('TIME')[1])
if attempt > tonumber(ARGV[3]) then return {'exhausted', attempt - 1, found[4] or ''} end
return {'acquired', attempt, ''}
"""
)

HEARTBEAT = (
    _OWNS_LEASE
    + """
-- KEYS record lease; ARGV token ttl_ms. 'lost', 'cancelled' or 'renewed'.
if not owns_lease(KEYS[1], ARGV[1]) then return 'lost' end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if redis.call('HGET', KEYS[1], 'cancel') == '1' then return 'cancelled' end
return 'renewed'
"""
)

EMIT = (
    _OWNS_LEASE
    + _EMIT
    + """
-- KEYS record events; ARGV token event max_events ttl. 0 when the lease was lost.
if not owns_lease(KEYS[1], ARGV[1]) then return 0 end
emit(KEYS[2], ARGV[2], ARGV[3], ARGV[4])
return 1
"""
)

END = (
    _OWNS_LEASE
    + _EMIT
    + """
-- KEYS record lease active events followers pace; ARGV token event status now error max_events ttl id. 0 when lost.
-- A ttl of 0 keeps the record.
-- The pace is how many seconds a job runs for each of its weight, smoothed over the last jobs.
local found = redis.call('HMGET', KEYS[1], 'token', 'status')
if found[1] == ARGV[1] and found[2] == ARGV[3] then return 1 end
if not owns_lease(KEYS[1], ARGV[1]) then return 0 end
emit(KEYS[4], ARGV[2], ARGV[6], ARGV[7])
redis.call('HSET', KEYS[1], 'status', ARGV[3], 'ended', ARGV[4], 'error', ARGV[5])
redis.call('DEL', KEYS[2], KEYS[5])
redis.call('ZREM', KEYS[3], ARGV[8])
local cost = redis.call('HMGET', KEYS[1], 'began', 'weight')
if ARGV[3] == 'finished' and tonumber(cost[1] or '') and (tonumber(cost[2] or '') or 0) > 0 then
  local pace = (tonumber(redis.call('TIME')[1]) - tonumber(cost[1])) / tonumber(cost[2])
  local before = tonumber(redis.call('GET', KEYS[6]) or '') or pace
  redis.call('SET', KEYS[6], tostring(0.8 * before + 0.2 * pace))
end
if tonumber(ARGV[7]) > 0 then redis.call('EXPIRE', KEYS[1], ARGV[7]) else redis.call('PERSIST', KEYS[1]) end
return 1
"""
)

RELEASE = (
    _OWNS_LEASE
    + """
-- KEYS record lease; ARGV token counted error delay_ms. Back to the queue, not to be taken before the delay is over;
-- an attempt that does not count is given back.
if not owns_lease(KEYS[1], ARGV[1]) then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('HSET', KEYS[1], 'status', 'queued', 'token', '', 'due', string.format('%d', now + tonumber(ARGV[4])))
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[3]) end
if ARGV[2] == '0' then redis.call('HINCRBY', KEYS[1], 'attempts', -1) end
redis.call('DEL', KEYS[2])
return 1
"""
)

FINISH = (
    _ENDED
    + _LIVE
    + """
-- KEYS record lease arq_running arq_queue arq_job arq_retry; ARGV id. After a run by arq: an ended job leaves arq, one
-- that goes on may be taken again, and one that another attempt has already is left alone.
-- A record that cannot be read keeps its mark, so that nobody takes it up again and again.
local found = redis.pcall('HMGET', KEYS[1], 'status', 'job')
if found.err then return 0 end
if not (found[1] or found[2]) or has_ended(found[1]) then
  redis.call('DEL', KEYS[3], KEYS[5], KEYS[6])
  redis.call('ZREM', KEYS[4], ARGV[1])
elseif found[2] and is_live(found[1]) and redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('DEL', KEYS[3])
end
return 1
"""
)

INSPECT = (
    _ENDED
    + """
-- KEYS record lease active arq_running arq_queue arq_job follower; ARGV id.
-- {status, name of the process that follows the job or '', 1 after a sign of life of it}; the status is
-- 'ended', 'alive', 'abandoned' (its worker is gone), 'stuck' (queued, but arq will not start it) or 'unreadable'.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then return {'unreadable', '', 0} end
local status = redis.call('HGET', KEYS[1], 'status')
if not status or has_ended(status) then
  redis.call('ZREM', KEYS[3], ARGV[1])
  return {'ended', '', 0}
end
local function answer(found)
  return {found, redis.call('HGET', KEYS[1], 'follower') or '', redis.call('EXISTS', KEYS[7])}
end
if redis.call('EXISTS', KEYS[2]) == 1 then return answer('alive') end
if status == 'running' then return answer('abandoned') end
if status ~= 'queued' or redis.call('HEXISTS', KEYS[1], 'job') == 0 then return {'unreadable', '', 0} end
local held = redis.call('EXISTS', KEYS[4]) == 1
local queued = redis.call('ZSCORE', KEYS[5], ARGV[1]) and redis.call('EXISTS', KEYS[6]) == 1
if held or not queued then return answer('stuck') end
return answer('alive')
"""
)

RECLAIM = (
    _ENDED
    + """
-- KEYS record lease arq_running arq_queue arq_job arq_retry; ARGV id engine_prefix. 1 when it must be enqueued anew.
-- The death of a worker does not count for a job while others were in its engines and this one was not.
local status = redis.call('HGET', KEYS[1], 'status')
if not status or has_ended(status) or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local occupants = (ARGV[2] or '') .. (redis.call('HGET', KEYS[1], 'worker') or '')
local innocent = redis.call('EXISTS', occupants) == 1 and redis.call('SISMEMBER', occupants, ARGV[1]) == 0
if status == 'running' and innocent then redis.call('HINCRBY', KEYS[1], 'attempts', -1) end
redis.call('HSET', KEYS[1], 'status', 'queued', 'token', '')
redis.call('DEL', KEYS[3], KEYS[5], KEYS[6])
redis.call('ZREM', KEYS[4], ARGV[1])
return 1
"""
)

REMOVE_FROM_ARQ = """
-- KEYS arq_running arq_queue arq_job arq_retry; ARGV id. Removes every trace of the job from arq.
redis.call('DEL', KEYS[1], KEYS[3], KEYS[4])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
"""
