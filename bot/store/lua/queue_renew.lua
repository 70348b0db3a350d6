-- Extends the leases of what a worker holds and its place among the living; run by its warden.
-- ARGV: prefix, worker, lease ms (0: the worker is dead), registration JSON, error JSON for a job that ran too long, then id, fence …
-- Returns 1 when a job has outlived its timeout, else 0.
local at, late = now(), 0
redis.call('ZADD', prefix .. ':workers', at + ARGV[3], ARGV[4])
redis.call('EXPIRE', prefix .. ':workers', 86400)
redis.call('EXPIRE', prefix .. ':worker:' .. ARGV[2], 86400)
for n = 6, #ARGV, 2 do
  local found = redis.call('HMGET', job_key(ARGV[n]), 'state', 'fence', 'until', 'parked')
  if found[1] == 'running' and found[2] == ARGV[n + 1] then
    if not found[4] and at > tonumber(found[3]) then
      close(ARGV[n], 'broken', found[2], ARGV[5])
      late = 1
    else
      redis.call('ZADD', prefix .. ':leases:jobs', at + ARGV[3], ARGV[n])
    end
  end
end
return late
