-- Replaces the body of a message and tells everybody who looks on; the same body again changes nothing.
-- A status line never takes the place of an answer: it comes from a router that was halted, or over a connection that was given up.
-- With a third key the bot is to hear of it: its author has changed it.
-- KEYS: posts, changes, arrivals (or none)
-- ARGV: place, id, body JSON, most changes, seconds changes are kept, '1' for a status line, seconds arrivals are kept
-- Returns the message's version, or -1 when it is gone.
local body = redis.call('HGET', KEYS[1], 'body' .. ARGV[2])
if not body then return -1 end
local stays = body == ARGV[3] or (ARGV[6] == '1' and not cjson.decode(body).busy)
if stays then return tonumber(redis.call('HGET', KEYS[1], 'version' .. ARGV[2])) end
redis.call('HSET', KEYS[1], 'body' .. ARGV[2], ARGV[3])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'place', ARGV[1], 'id', ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[5])
local version = redis.call('HINCRBY', KEYS[1], 'version' .. ARGV[2], 1)
if KEYS[3] then
  redis.call('XADD', KEYS[3], '*', 'place', ARGV[1], 'id', ARGV[2], 'version', version)
  redis.call('EXPIRE', KEYS[3], ARGV[7])
end
return version
