-- Stops the clocks of running jobs that make room for another model, or starts them again.
-- ARGV: prefix, 1 to stop or 0 to start, then id, fence …
for n = 3, #ARGV, 2 do
  local found = redis.call('HMGET', job_key(ARGV[n]), 'state', 'parked', 'until', 'fence')
  local ours = found[1] == 'running' and found[4] == ARGV[n + 1]
  if ours and ARGV[2] == '1' then
    redis.call('HSET', job_key(ARGV[n]), 'parked', now())
  elseif ours and found[2] then
    redis.call('HSET', job_key(ARGV[n]), 'until', found[3] + now() - found[2])
    redis.call('HDEL', job_key(ARGV[n]), 'parked')
  end
end
return 1
