"""Lua scripts for the order of the queue. Key names come from `worker.queue.keys`.

Jobs are taken by their place, a time in milliseconds: the time at which a job would be done if each server had a worker
of its own that does one second of weight a second (a virtual clock; L. Zhang, 1990). So a server that sends many clips
at once queues behind itself, a small job comes before a large one, and a job that has waited as long as its weight is
overtaken by none that comes later. A job keeps its place when it is tried again.

Fields of a record: `weight` in seconds, `place` in milliseconds.
"""

PLACE = """
-- KEYS arq_queue record share; ARGV id weight. Puts a job that was just enqueued in its place, by the clock of Redis.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local found = redis.pcall('HGET', KEYS[2], 'place')
local place = type(found) == 'string' and tonumber(found)
if not place then
  place = math.max(now, tonumber(redis.call('GET', KEYS[3]) or '') or 0) + tonumber(ARGV[2]) * 1000
  redis.call('SET', KEYS[3], string.format('%d', place), 'PX', math.max(1, math.floor(place - now)))
  redis.pcall('HSET', KEYS[2], 'place', string.format('%d', place), 'weight', ARGV[2])
end
return redis.call('ZADD', KEYS[1], 'XX', string.format('%d', place), ARGV[1])
"""

CLAIM = """
-- KEYS queue; ARGV arq_running_prefix record_prefix mark_ttl_ms max_jobs max_large small_weight id …. Marks the next
-- jobs as in progress and returns their ids; the ids given are those that this worker has. Large jobs may not take all
-- its slots. What is due is told by the clock of Redis; scores only give the order.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function is_large(id)
  local weight = redis.pcall('HGET', ARGV[2] .. id, 'weight')
  return type(weight) ~= 'string' or (tonumber(weight) or 0) > tonumber(ARGV[6])
end
local own, claimed, total, large = {}, {}, 0, 0
for i = 7, #ARGV do
  own[ARGV[i]] = true
  total = total + 1
  if is_large(ARGV[i]) then large = large + 1 end
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if total >= tonumber(ARGV[4]) then break end
  -- A record of another version may be anything.
  local due = redis.pcall('HGET', ARGV[2] .. id, 'due')
  local heavy = is_large(id)
  if not own[id] and not (heavy and large >= tonumber(ARGV[5]))
    and (type(due) ~= 'string' or (tonumber(due) or 0) <= now)
    and redis.call('SET', ARGV[1] .. id, '1', 'NX', 'PX', ARGV[3]) then
    claimed[#claimed + 1] = id
    total = total + 1
    if heavy then large = large + 1 end
  end
end
return claimed
"""
