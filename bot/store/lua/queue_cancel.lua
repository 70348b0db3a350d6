-- Cancels all jobs of a ticket, those to come as well, and tells the workers that run one.
-- ARGV: prefix, ticket, error JSON
-- Returns how many had not ended.
redis.call('SET', prefix .. ':cancelled:' .. ARGV[2], ARGV[3], 'EX', 172800)
local count = 0
for _, id in ipairs(redis.call('SMEMBERS', prefix .. ':jobs-of:' .. ARGV[2])) do
  local found = redis.call('HMGET', job_key(id), 'state', 'want', 'tenant', 'person', 'owner', 'fence')
  if found[1] == 'waiting' then leave(id, found[2], found[3], found[4]) end
  if found[1] == 'running' then
    order(found[5], id)
  end
  if found[1] == 'waiting' or found[1] == 'running' then
    close(id, 'broken', found[6], ARGV[3])
    count = count + 1
  end
end
return count
