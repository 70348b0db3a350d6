-- What the queue's scripts share. A waiting job stands in a line of its person; `persons` has the people of a server who wait,
-- `tenants` the servers, for each thing that is wanted ("generate", or "generate:model"), by the moment at which the first was submitted.
local prefix = ARGV[1]
local clock

-- The server's clock stands still while a script runs.
local function micros()
  clock = clock or redis.call('TIME')
  return clock[1] * 1000000 + clock[2]
end

local function now() return math.floor(micros() / 1000) end
local function minute() return math.floor(micros() / 60000000) end

local function job_key(id) return prefix .. ':job:' .. id end
local function line(want, tenant, person) return prefix .. ':jobs:' .. want .. ':' .. tenant .. '|' .. person end
local function persons(want, tenant) return prefix .. ':persons:' .. want .. ':' .. tenant end
local function tenants(want) return prefix .. ':tenants:' .. want end

-- Whether the operator has a worker off duty now: 'pause', 'drain' or nil. The same in Python: `duty.py`.
local function duty(name, owns)
  local off
  for _, found in ipairs(redis.call('HMGET', prefix .. ':duty', name, 'quiet:' .. name, owns and '*' or name)) do
    if found then
      local what, ending = found:match('^(%a+) (%d+)$')
      if ending == '0' or tonumber(ending) > now() then off = off == 'pause' and off or what end
    end
  end
  return off
end

local function order(worker, what)
  local orders = prefix .. ':orders:' .. worker
  redis.call('RPUSH', orders, what)
  redis.call('EXPIRE', orders, 60)
end

-- Wakes one idle worker, and tells those that run a turn with room in it.
local function wake(want)
  local tokens = prefix .. ':work:' .. want
  local count = redis.call('RPUSH', tokens, '1')
  if count > 64 then redis.call('LPOP', tokens) end
  if count == 1 then redis.call('EXPIRE', tokens, 60) end
  for _, worker in ipairs(redis.call('SPOP', prefix .. ':joiners:' .. want, 1000)) do order(worker, '') end
end

local function first_in(line) return redis.call('LINDEX', line, 0) or nil end

local function fewer(field)
  if redis.call('HINCRBY', prefix .. ':depth', field, -1) <= 0 then redis.call('HDEL', prefix .. ':depth', field) end
end

local function no_longer_waits(id, tenant, person)
  fewer(tenant)
  fewer(tenant .. '|' .. person)
  redis.call('ZREM', prefix .. ':deadlines', id)
end

-- Puts a person and a server where their first waiting job belongs, or takes them away; jobs that have expired leave the line.
-- Returns the moment at which the server's first was submitted; nil when none waits.
-- `head` is the first in the person's line; nil when there is none.
local function rank(want, tenant, person, head)
  local at = head and redis.call('HGET', job_key(head), 'at')
  while head and not at do
    redis.call('LPOP', line(want, tenant, person))
    no_longer_waits(head, tenant, person)
    head = first_in(line(want, tenant, person))
    at = head and redis.call('HGET', job_key(head), 'at')
  end
  if head then
    redis.call('ZADD', persons(want, tenant), at, person)
  else
    redis.call('ZREM', persons(want, tenant), person)
  end
  local first = redis.call('ZRANGE', persons(want, tenant), 0, 0, 'WITHSCORES')
  if first[1] then redis.call('ZADD', tenants(want), first[2], tenant) else redis.call('ZREM', tenants(want), tenant) end
  return tonumber(first[2])
end

-- A job has been put into its line.
local function waits(id, want, tenant, person, deadline)
  redis.call('HINCRBY', prefix .. ':depth', tenant, 1)
  redis.call('HINCRBY', prefix .. ':depth', tenant .. '|' .. person, 1)
  redis.call('ZADD', prefix .. ':deadlines', deadline, id)
  wake(want)
end

-- Puts a new job at the back of its line.
local function enter(id, want, tenant, person, deadline)
  if redis.call('RPUSH', line(want, tenant, person), id) == 1 then
    redis.call('ZADD', persons(want, tenant), micros(), person)
    redis.call('ZADD', tenants(want), 'LT', micros(), tenant)
  end
  waits(id, want, tenant, person, deadline)
end

-- Takes a waiting job out of its line; returns what `rank` does.
local function leave(id, want, tenant, person)
  if redis.call('LREM', line(want, tenant, person), 1, id) > 0 then no_longer_waits(id, tenant, person) end
  return rank(want, tenant, person, first_in(line(want, tenant, person)))
end

-- Tells the followers of a job; the newest entries are enough, because a partial holds all that was said, and the end more.
local function tell(id, state, fence, value, most)
  local out = prefix .. ':out:' .. id
  redis.call('XADD', out, 'MAXLEN', most or 8, '*', 'state', state, 'fence', fence, 'value', value)
  if state ~= 'partial' then redis.call('EXPIRE', out, 86400) end
end

-- Ends a job: what it was asked is forgotten, how it ended is kept for its ticket.
local function close(id, state, fence, value)
  redis.call('HSET', job_key(id), 'state', 'done', 'fence', fence + 1)
  redis.call('HDEL', job_key(id), 'body')
  redis.call('ZREM', prefix .. ':leases:jobs', id)
  tell(id, state, fence, value, 1)
end

-- Puts a running job back into line. The time for which it ran is not time that it waited.
local function requeue(id, want, tenant, person)
  redis.call('ZREM', prefix .. ':leases:jobs', id)
  local found = redis.call('HMGET', job_key(id), 'begun', 'deadline', 'fence')
  local deadline = found[2] + (found[1] and now() - found[1] or 0)
  redis.call('HDEL', job_key(id), 'begun', 'loaded', 'parked')
  redis.call('HSET', job_key(id), 'state', 'waiting', 'fence', found[3] + 1, 'deadline', deadline)
  tell(id, 'waiting', found[3] + 1, '')
  redis.call('LPUSH', line(want, tenant, person), id)
  rank(want, tenant, person, id)
  waits(id, want, tenant, person, deadline)
end
