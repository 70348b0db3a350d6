-- Claims the oldest ticket that is ready on one connector.
-- KEYS: ready, leases   ARGV: prefix, owner, lease ms
-- Returns {id, fence, attempts, body, at ms} or nil.
while true do
  local id = redis.call('LPOP', KEYS[1])
  if not id then return nil end
  local key = ARGV[1] .. ':ticket:' .. id
  local found = redis.call('HMGET', key, 'state', 'owner', 'body', 'at', 'handed')
  if found[1] == 'ready' then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    -- Handed back in a drain, or lapsed under the same live owner while Redis was away: not a crash.
    local crashed = found[5] ~= '1' and found[2] ~= ARGV[2]
    local fence = redis.call('HINCRBY', key, 'fence', 1)
    local attempts = redis.call('HINCRBY', key, 'attempts', crashed and 1 or 0)
    redis.call('HSET', key, 'state', 'running', 'owner', ARGV[2], 'handed', '0')
    redis.call('ZADD', KEYS[2], now + ARGV[3], id)
    return {id, fence, attempts, found[3], found[4]}
  end
end
