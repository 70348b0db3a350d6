-- What the queue's scripts share. A waiting job stands in a line of its person; `persons` has the people of a server who wait,
-- `tenants` the servers, for each thing that is wanted ("generate", or "generate:model"), by the moment at which the first was submitted.
local prefix = ARGV[1]
local clock = redis.call('TIME')

local function now() return clock[1] * 1000 + math.floor(clock[2] / 1000) end

local function job_key(id) return prefix .. ':job:' .. id end
local function line(want, tenant, person) return prefix .. ':jobs:' .. want .. ':' .. tenant .. '|' .. person end
local function persons(want, tenant) return prefix .. ':persons:' .. want .. ':' .. tenant end
local function tenants(want) return prefix .. ':tenants:' .. want end

local function order(worker, what)
  local orders = prefix .. ':orders:' .. worker
  redis.call('RPUSH', orders, what)
  redis.call('EXPIRE', orders, 60)
end

-- Wakes one idle worker, and tells those that run a turn with room in it.
local function wake(want)
  local tokens = prefix .. ':work:' .. want
  redis.call('RPUSH', tokens, '1')
  redis.call('LTRIM', tokens, -64, -1)
  redis.call('EXPIRE', tokens, 60)
  local joiners = prefix .. ':joiners:' .. want
  for _, worker in ipairs(redis.call('SMEMBERS', joiners)) do order(worker, '') end
  redis.call('DEL', joiners)
end

local function fewer(field)
  if redis.call('HINCRBY', prefix .. ':depth', field, -1) <= 0 then redis.call('HDEL', prefix .. ':depth', field) end
end

local function no_longer_waits(id, tenant, person)
  fewer(tenant)
  fewer(tenant .. '|' .. person)
  redis.call('ZREM', prefix .. ':deadlines', id)
end

-- Puts a person and a server where their first waiting job belongs, or takes them away; jobs that have expired leave the line.
local function rank(want, tenant, person)
  local head = redis.call('LINDEX', line(want, tenant, person), 0)
  local at = head and redis.call('HGET', job_key(head), 'at')
  while head and not at do
    redis.call('LPOP', line(want, tenant, person))
    no_longer_waits(head, tenant, person)
    head = redis.call('LINDEX', line(want, tenant, person), 0)
    at = head and redis.call('HGET', job_key(head), 'at')
  end
  if head then
    redis.call('ZADD', persons(want, tenant), at, person)
  else
    redis.call('ZREM', persons(want, tenant), person)
  end
  local first = redis.call('ZRANGE', persons(want, tenant), 0, 0, 'WITHSCORES')
  if first[1] then redis.call('ZADD', tenants(want), first[2], tenant) else redis.call('ZREM', tenants(want), tenant) end
end

-- Puts a job into its line, at the back or (when it has run before) at the front.
local function enter(id, want, tenant, person, front)
  local length = redis.call(front and 'LPUSH' or 'RPUSH', line(want, tenant, person), id)
  if front or length == 1 then rank(want, tenant, person) end
  redis.call('HINCRBY', prefix .. ':depth', tenant, 1)
  redis.call('HINCRBY', prefix .. ':depth', tenant .. '|' .. person, 1)
  redis.call('ZADD', prefix .. ':deadlines', redis.call('HGET', job_key(id), 'deadline'), id)
  wake(want)
end

-- Takes a waiting job out of its line.
local function leave(id, want, tenant, person)
  if redis.call('LREM', line(want, tenant, person), 1, id) > 0 then no_longer_waits(id, tenant, person) end
  rank(want, tenant, person)
end

-- Tells the followers of a job; the newest entries are enough, because a partial holds all that was said.
local function tell(id, state, fence, value)
  local out = prefix .. ':out:' .. id
  redis.call('XADD', out, 'MAXLEN', 8, '*', 'state', state, 'fence', fence, 'value', value)
  redis.call('EXPIRE', out, 86400)
end

-- Ends a job: what it was asked is forgotten, how it ended is kept for its ticket.
local function close(id, state, fence, value)
  redis.call('HSET', job_key(id), 'state', 'done')
  redis.call('HDEL', job_key(id), 'body')
  redis.call('HINCRBY', job_key(id), 'fence', 1)
  redis.call('ZREM', prefix .. ':leases:jobs', id)
  tell(id, state, fence, value)
end

-- Puts a running job back into line. The time for which it ran is not time that it waited.
local function requeue(id, want, tenant, person)
  redis.call('ZREM', prefix .. ':leases:jobs', id)
  local begun = redis.call('HGET', job_key(id), 'begun')
  if begun then redis.call('HINCRBY', job_key(id), 'deadline', string.format('%.0f', now() - begun)) end
  redis.call('HDEL', job_key(id), 'begun', 'parked')
  redis.call('HSET', job_key(id), 'state', 'waiting')
  local fence = redis.call('HINCRBY', job_key(id), 'fence', 1)
  tell(id, 'waiting', fence, '')
  enter(id, want, tenant, person, true)
end
