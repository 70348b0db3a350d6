-- Hands out firings that are due, each to one router for a while; `done` removes them.
-- KEYS: due, firings   ARGV: now is Redis's own; lease ms, most
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local out = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])) do
  local firing = redis.call('HGET', KEYS[2], id)
  if firing then
    redis.call('ZADD', KEYS[1], now + ARGV[1], id)
    out[#out + 1] = id
    out[#out + 1] = firing
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
return out
