-- Makes tickets ready for any router: those whose lease has run out (no id given), or one that its owner hands back.
-- KEYS: leases   ARGV: prefix, id or '', fence or lease ms
-- Returns how many.
local LONGEST = 60000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ids = {ARGV[2]}
if ARGV[2] == '' then
  ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 256)
  -- No lease is so long: this server's clock was set back, and nobody knows whether who has it lives.
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now + LONGEST, '+inf', 'LIMIT', 0, 256)) do
    redis.call('ZADD', KEYS[1], now + ARGV[3], id)
  end
end
local count = 0
for _, id in ipairs(ids) do
  local key = ARGV[1] .. ':ticket:' .. id
  local found = redis.call('HMGET', key, 'state', 'fence', 'connector')
  redis.call('ZREM', KEYS[1], id)
  if found[1] == 'running' and (ARGV[2] == '' or found[2] == ARGV[3]) then
    redis.call('HSET', key, 'state', 'ready', 'handed', ARGV[2] ~= '' and '1' or '0')
    redis.call('RPUSH', ARGV[1] .. ':ready:' .. found[3], id)
    redis.call('LPUSH', ARGV[1] .. ':wake:' .. found[3], '1')
    redis.call('LTRIM', ARGV[1] .. ':wake:' .. found[3], 0, 0)
    redis.call('EXPIRE', ARGV[1] .. ':wake:' .. found[3], 60)
    count = count + 1
  end
end
return count
