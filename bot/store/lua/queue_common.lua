-- What the queue's scripts share. A waiting job stands in a line of its person; persons with a line stand in the ring of
-- their tenant, tenants in the ring of what is wanted ("generate", or "generate:model"). Rings are scored by the moment of
-- the last service, so that rings of several wants can be read as one.
local prefix = ARGV[1]
local clock = redis.call('TIME')
local stamp = clock[1] * 1000000 + clock[2]

local function now() return clock[1] * 1000 + math.floor(clock[2] / 1000) end

-- A place behind everybody in a ring.
local function behind()
  stamp = stamp + 1
  return stamp
end

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

-- Puts a job into its line, at the back or (after a crash) at the front.
local function enter(id, want, tenant, person, front)
  redis.call(front and 'LPUSH' or 'RPUSH', line(want, tenant, person), id)
  redis.call('ZADD', persons(want, tenant), 'NX', behind(), person)
  redis.call('ZADD', tenants(want), 'NX', behind(), tenant)
  redis.call('HINCRBY', prefix .. ':depth', tenant, 1)
  redis.call('HINCRBY', prefix .. ':depth', tenant .. '|' .. person, 1)
  redis.call('ZADD', prefix .. ':deadlines', redis.call('HGET', job_key(id), 'deadline'), id)
  wake(want)
end

local function fewer(field)
  if redis.call('HINCRBY', prefix .. ':depth', field, -1) <= 0 then redis.call('HDEL', prefix .. ':depth', field) end
end

-- Takes a waiting job out of its line.
local function leave(id, want, tenant, person)
  redis.call('LREM', line(want, tenant, person), 1, id)
  if redis.call('EXISTS', line(want, tenant, person)) == 0 then
    redis.call('ZREM', persons(want, tenant), person)
    if redis.call('EXISTS', persons(want, tenant)) == 0 then redis.call('ZREM', tenants(want), tenant) end
  end
  fewer(tenant)
  fewer(tenant .. '|' .. person)
  redis.call('ZREM', prefix .. ':deadlines', id)
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

-- Puts a running job back into line.
local function requeue(id, want, tenant, person)
  redis.call('ZREM', prefix .. ':leases:jobs', id)
  redis.call('HSET', job_key(id), 'state', 'waiting')
  local fence = redis.call('HINCRBY', job_key(id), 'fence', 1)
  tell(id, 'waiting', fence, '')
  enter(id, want, tenant, person, true)
end
