-- Accepts a job, once.
-- ARGV: prefix, id, want, batch key, body, ticket, tenant, person, deadline ms, timeout ms, most per tenant, most per person,
-- JSON of the meters to which its device seconds are added, how many meters, these (see `quota_common`)
-- Returns {'ok'}, {'known'}, {'cancelled', error JSON}, {'busy', 'server' or 'person', waiting} or {'over', which meter, ms}.
local id, want, batch, body, ticket, tenant, person = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local state = redis.call('HGET', job_key(id), 'state')
if state and state ~= 'gone' then return {'known'} end
local cancelled = redis.call('GET', prefix .. ':cancelled:' .. ticket)
if cancelled then return {'cancelled', cancelled} end
local depth = redis.call('HMGET', prefix .. ':depth', tenant, tenant .. '|' .. person)
if tonumber(depth[2] or '0') >= tonumber(ARGV[12]) then return {'busy', 'person', tonumber(depth[2])} end
if tonumber(depth[1] or '0') >= tonumber(ARGV[11]) then return {'busy', 'server', tonumber(depth[1])} end
local meters = tonumber(ARGV[14])
local which, left = too_far(15, meters)
if which then return {'over', which, left} end
use(15, meters)
local deadline = now() + ARGV[9]
redis.call('HSET', job_key(id), 'state', 'waiting', 'want', want, 'batch', batch, 'body', body, 'ticket', ticket, 'tenant', tenant,
  'person', person, 'timeout', ARGV[10], 'deadline', deadline, 'fence', 0, 'crashes', 0, 'alone', 0, 'at', micros(), 'meters', ARGV[13])
redis.call('EXPIRE', job_key(id), 172800)
redis.call('SADD', prefix .. ':jobs-of:' .. ticket, id)
redis.call('EXPIRE', prefix .. ':jobs-of:' .. ticket, 172800)
enter(id, want, tenant, person, deadline)
local asked = prefix .. ':asked:' .. minute()
if redis.call('HINCRBY', asked, want .. '|' .. tenant, 1) == 1 then redis.call('EXPIRE', asked, 360) end
return {'ok'}
