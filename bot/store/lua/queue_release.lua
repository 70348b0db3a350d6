-- Hands running jobs back without counting a crash: they go to the front of their lines.
-- ARGV: prefix, then id, fence …
local count = 0
for n = 2, #ARGV, 2 do
  local found = redis.call('HMGET', job_key(ARGV[n]), 'state', 'fence', 'want', 'tenant', 'person')
  if found[1] == 'running' and found[2] == ARGV[n + 1] then
    refund(ARGV[n])
    requeue(ARGV[n], found[3], found[4], found[5])
    count = count + 1
  end
end
return count
