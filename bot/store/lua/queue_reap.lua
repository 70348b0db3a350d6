-- Puts the jobs of dead workers back into line, to run alone; ends those that killed three workers alone, and those that waited too long.
-- ARGV: prefix, lease ms, most crashes, error JSON for lost, error JSON for late
-- Returns how many were put back or ended.
local KEPT_DEAD = 604800
local LONGEST = 60000
local at, lease, count = now(), tonumber(ARGV[2]), 0
redis.call('EXPIRE', facts(), 30 * KEPT)
redis.call('ZREMRANGEBYSCORE', prefix .. ':workers', '-inf', at)

-- When nobody could reap for half a lease, nobody could renew either: Redis was away, and the living get time to say so.
local last = tonumber(redis.call('GET', prefix .. ':reaped') or at)
redis.call('SET', prefix .. ':reaped', at, 'EX', 86400)
local away = at - last > lease / 2

-- No lease is so long: this server's clock was set back, and nobody knows whether who has it lives.
for _, leases in ipairs({':leases:jobs', ':workers'}) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. leases, at + LONGEST, '+inf', 'LIMIT', 0, 256)) do
    redis.call('ZADD', prefix .. leases, at + lease, id)
  end
end

-- Puts a job on the dead list, with the ticket that it was of, so that it can be asked again.
local function bury(id, found)
  local record = prefix .. ':dead-job:' .. id
  local ticket = redis.call('HGET', prefix .. ':ticket:' .. found[7], 'body')
  redis.call('HSET', record, 'want', found[2], 'tenant', found[3], 'ticket', found[7], 'worker', found[8], 'at', at, 'ticket-body', ticket or '')
  redis.call('EXPIRE', record, KEPT_DEAD)
  redis.call('ZADD', prefix .. ':dead-jobs', at, id)
  redis.call('ZREMRANGEBYRANK', prefix .. ':dead-jobs', 0, -1001)
  redis.call('EXPIRE', prefix .. ':dead-jobs', KEPT_DEAD)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. ':leases:jobs', '-inf', at, 'LIMIT', 0, 256)) do
  local found = redis.call('HMGET', job_key(id), 'state', 'want', 'tenant', 'person', 'alone', 'fence', 'ticket', 'owner')
  if found[1] ~= 'running' then
    redis.call('ZREM', prefix .. ':leases:jobs', id)
  elseif away then
    redis.call('ZADD', prefix .. ':leases:jobs', at + lease, id)
  else
    count = count + 1
    refund(id)
    if redis.call('HINCRBY', job_key(id), 'crashes', found[5]) >= tonumber(ARGV[3]) then
      close(id, 'broken', found[6], ARGV[4])
      bury(id, found)
    else
      redis.call('HSET', job_key(id), 'alone', 1)
      requeue(id, found[2], found[3], found[4])
    end
  end
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. ':deadlines', '-inf', at, 'LIMIT', 0, 256)) do
  local found = redis.call('HMGET', job_key(id), 'state', 'want', 'tenant', 'person', 'fence')
  redis.call('ZREM', prefix .. ':deadlines', id)
  if found[1] == 'waiting' then
    leave(id, found[2], found[3], found[4])
    close(id, 'broken', found[5], ARGV[5])
    count = count + 1
  end
end
return count
