-- Extends the leases of tickets that still belong to the caller.
-- KEYS: leases   ARGV: prefix, lease ms, then id, fence …
-- Returns the ids that do not.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lost = {}
for i = 3, #ARGV, 2 do
  local found = redis.call('HMGET', ARGV[1] .. ':ticket:' .. ARGV[i], 'state', 'fence')
  if found[1] == 'running' and found[2] == ARGV[i + 1] then
    redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
