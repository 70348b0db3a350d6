-- Adds a message to a place of a room, once per nonce, and tells everybody who looks on.
-- In a thread it also counts for the message that began it. What people say makes the room, as long as there are not too many, and
-- goes into no thread whose beginning is gone; what the bot says was accepted before.
-- KEYS: order, posts, nonce, changes, arrivals, threads, posts of the room itself, rooms
-- ARGV: place, head JSON, body JSON, '1' when the bot is to hear it, most messages, seconds they are kept,
--       seconds the nonce is remembered, most changes, seconds changes are kept, seconds arrivals are kept, room, id of the thread's
--       beginning ('' elsewhere), most rooms ('0' for a place that makes none)
-- Returns the id that the first call with this nonce made, or 'gone' for the thread, or 'full' for the rooms.
local known = redis.call('GET', KEYS[3])
if known then return known end
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
local thread = ARGV[12] ~= ''
local begun = thread and redis.call('HEXISTS', KEYS[7], 'head' .. ARGV[12]) == 1
if thread and not begun and ARGV[4] == '1' then return 'gone' end
if ARGV[13] ~= '0' then
  redis.call('ZREMRANGEBYSCORE', KEYS[8], '-inf', time[1] - ARGV[6])
  local there = redis.call('ZSCORE', KEYS[8], ARGV[11])
  if not there and redis.call('ZCARD', KEYS[8]) >= tonumber(ARGV[13]) then return 'full' end
  redis.call('ZADD', KEYS[8], time[1], ARGV[11])
  redis.call('EXPIRE', KEYS[8], ARGV[6])
end
local last = tonumber(redis.call('HGET', KEYS[2], 'last') or '0')
if at <= last then at = last + 1 end
local id = string.format('%d', at)
redis.call('HSET', KEYS[2], 'last', id, 'head' .. id, ARGV[2], 'body' .. id, ARGV[3], 'version' .. id, 0)
redis.call('ZADD', KEYS[1], id, id)
local function forget(ids)
  for _, old in ipairs(ids) do
    redis.call('HDEL', KEYS[2], 'head' .. old, 'body' .. old, 'version' .. old)
    redis.call('ZREM', KEYS[1], old)
    if not thread then redis.call('HDEL', KEYS[6], old) end
  end
end
forget(redis.call('ZRANGE', KEYS[1], 0, -1 - ARGV[5]))
forget(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', at - ARGV[6] * 1000))
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
redis.call('SET', KEYS[3], id, 'EX', ARGV[7])
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[8], '*', 'place', ARGV[1], 'id', id, 'new', 1)
redis.call('EXPIRE', KEYS[4], ARGV[9])
if begun then
  redis.call('HINCRBY', KEYS[6], ARGV[12], 1)
  redis.call('EXPIRE', KEYS[6], ARGV[6])
  redis.call('XADD', KEYS[4], '*', 'place', ARGV[11], 'id', ARGV[12])
end
if ARGV[4] == '1' then
  redis.call('XADD', KEYS[5], '*', 'place', ARGV[1], 'id', id)
  redis.call('EXPIRE', KEYS[5], ARGV[10])
end
return id
