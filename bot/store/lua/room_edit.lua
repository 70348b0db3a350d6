-- Replaces the body of a message and tells everybody who looks on; the same body again changes nothing.
-- KEYS: posts, changes   ARGV: place, id, body JSON, most changes, seconds changes are kept
-- Returns the message's version, or -1 when it is gone.
local body = redis.call('HGET', KEYS[1], 'body' .. ARGV[2])
if not body then return -1 end
if body == ARGV[3] then return tonumber(redis.call('HGET', KEYS[1], 'version' .. ARGV[2])) end
redis.call('HSET', KEYS[1], 'body' .. ARGV[2], ARGV[3])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'place', ARGV[1], 'id', ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[5])
return redis.call('HINCRBY', KEYS[1], 'version' .. ARGV[2], 1)
