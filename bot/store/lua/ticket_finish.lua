-- Ends a ticket, forgets what it said, and lets the next one of its conversation run.
-- KEYS: ticket, journal, leases   ARGV: prefix, id, fence, seconds to remember that it was there
-- Returns 1, or 0 when the ticket belongs to somebody else by now.
local found = redis.call('HMGET', KEYS[1], 'state', 'fence', 'conversation')
if found[1] ~= 'running' or found[2] ~= ARGV[3] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'state', 'done')
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('ZREM', KEYS[3], ARGV[2])
if found[3] and found[3] ~= '' then
  local line = ARGV[1] .. ':line:' .. found[3]
  redis.call('LREM', line, 1, ARGV[2])
  local following = redis.call('LINDEX', line, 0)
  if following then
    local key = ARGV[1] .. ':ticket:' .. following
    if redis.call('HGET', key, 'state') == 'waiting' then
      local connector = redis.call('HGET', key, 'connector')
      redis.call('HSET', key, 'state', 'ready', 'handed', '0', 'owner', '')
      redis.call('RPUSH', ARGV[1] .. ':ready:' .. connector, following)
      redis.call('LPUSH', ARGV[1] .. ':wake:' .. connector, '1')
      redis.call('LTRIM', ARGV[1] .. ':wake:' .. connector, 0, 0)
      redis.call('EXPIRE', ARGV[1] .. ':wake:' .. connector, 60)
    end
  end
end
return 1
