-- Adds a message to a place of a room, once per nonce, and tells everybody who looks on.
-- In a thread it also counts for the message that began it.
-- KEYS: order, posts, nonce, changes, arrivals, threads
-- ARGV: place, head JSON, body JSON, '1' when the bot is to hear it, most messages, seconds they are kept,
--       seconds the nonce is remembered, most changes, seconds changes are kept, seconds arrivals are kept, room and id of the
--       thread's beginning, both empty elsewhere
-- Returns the id that the first call with this nonce made.
local known = redis.call('GET', KEYS[3])
if known then return known end
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
local last = tonumber(redis.call('HGET', KEYS[2], 'last') or '0')
if at <= last then at = last + 1 end
local id = string.format('%d', at)
redis.call('HSET', KEYS[2], 'last', id, 'head' .. id, ARGV[2], 'body' .. id, ARGV[3], 'version' .. id, 0)
redis.call('ZADD', KEYS[1], id, id)
local function forget(ids)
  for _, old in ipairs(ids) do
    redis.call('HDEL', KEYS[2], 'head' .. old, 'body' .. old, 'version' .. old)
    redis.call('ZREM', KEYS[1], old)
    if ARGV[12] == '' then redis.call('HDEL', KEYS[6], old) end
  end
end
forget(redis.call('ZRANGE', KEYS[1], 0, -1 - ARGV[5]))
forget(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', at - ARGV[6] * 1000))
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
redis.call('SET', KEYS[3], id, 'EX', ARGV[7])
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[8], '*', 'place', ARGV[1], 'id', id)
redis.call('EXPIRE', KEYS[4], ARGV[9])
if ARGV[12] ~= '' then
  redis.call('HINCRBY', KEYS[6], ARGV[12], 1)
  redis.call('EXPIRE', KEYS[6], ARGV[6])
  redis.call('XADD', KEYS[4], '*', 'place', ARGV[11], 'id', ARGV[12])
end
if ARGV[4] == '1' then
  redis.call('XADD', KEYS[5], '*', 'place', ARGV[1], 'id', id)
  redis.call('EXPIRE', KEYS[5], ARGV[10])
end
return id
