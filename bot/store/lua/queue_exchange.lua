-- Takes the waiting jobs of a ticket out of line, because another model was chosen for them; who follows them hears which.
-- ARGV: prefix, ticket, kind, error JSON that names the model
-- Returns how many.
local count = 0
for _, id in ipairs(redis.call('SMEMBERS', prefix .. ':jobs-of:' .. ARGV[2])) do
  local found = redis.call('HMGET', job_key(id), 'state', 'want', 'tenant', 'person', 'fence')
  if found[1] == 'waiting' and (found[2] == ARGV[3] or found[2]:sub(1, #ARGV[3] + 1) == ARGV[3] .. ':') then
    leave(id, found[2], found[3], found[4])
    close(id, 'broken', found[5], ARGV[4])
    count = count + 1
  end
end
return count
