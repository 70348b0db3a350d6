-- Gives back a running job that its worker does not understand: it waits at the end of its line for one of another release, and is not
-- given to one of this again. That counts no crash.
-- ARGV: prefix, id, fence, the schema that the worker knows
local found = redis.call('HMGET', job_key(ARGV[2]), 'state', 'fence', 'want', 'tenant', 'person', 'refused')
if found[1] ~= 'running' or found[2] ~= ARGV[3] then return 0 end
redis.call('HSET', job_key(ARGV[2]), 'refused', (found[6] or '') .. ' ' .. ARGV[4])
refund(ARGV[2])
requeue(ARGV[2], found[3], found[4], found[5])
local mine = line(found[3], found[4], found[5])
redis.call('LREM', mine, 1, ARGV[2])
redis.call('RPUSH', mine, ARGV[2])
rank(found[3], found[4], found[5], first_in(mine))
return 1
