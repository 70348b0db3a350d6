-- Journals one effect of a ticket and applies its writes in the same instant, unless it is journalled already.
-- KEYS: ticket, journal   ARGV: fence, field, value, then writes: count, command, arg …
-- A write APPEND takes turns key, meta key, turn JSON, tokens, most turns, ttl s, person: it numbers the turn by the tokens before it, and
-- by those of the same person; what is of or to somebody in the set that follows, by the name behind it, is not kept. `until:PERSON` is the
-- moment (s) from which on nothing is kept of them in short.
-- A write CHOOSE replaces a server's choices: key, the version that they are based on, JSON. Based on another, nothing at all is written.
-- Returns {'lost'}, {'stale'}, {'known', value} or {'new', value}.
local found = redis.call('HMGET', KEYS[1], 'state', 'fence')
if found[1] ~= 'running' or found[2] ~= ARGV[1] then return {'lost'} end
local known = redis.call('HGET', KEYS[2], ARGV[2])
if known then return {'known', known} end
local writes, i = {}, 4
while i <= #ARGV do
  local count = tonumber(ARGV[i])
  local write = {}
  for n = 1, count do write[n] = ARGV[i + n] end
  if write[1] == 'CHOOSE' and (redis.call('HGET', write[2], 'version') or '0') ~= write[3] then return {'stale'} end
  writes[#writes + 1] = write
  i = i + count + 1
end
for _, write in ipairs(writes) do
  local wanted = write[1] ~= 'APPEND' or redis.call('SISMEMBER', write[9], write[10]) == 0
  if write[1] == 'APPEND' and wanted then
    local offset = redis.call('HINCRBY', write[3], 'tokens', write[5]) - write[5]
    local mine = redis.call('HINCRBY', write[3], 'tokens:' .. write[8], write[5]) - write[5]
    redis.call('HSET', write[3], 'until:' .. write[8], redis.call('TIME')[1] + write[7])
    redis.call('RPUSH', write[2], string.format('%d:%d', offset, mine) .. ' ' .. write[4])
    redis.call('LTRIM', write[2], -write[6], -1)
    redis.call('EXPIRE', write[2], write[7])
    redis.call('EXPIRE', write[3], write[7])
  elseif write[1] == 'CHOOSE' then
    redis.call('HSET', write[2], 'json', write[4])
    redis.call('HINCRBY', write[2], 'version', 1)
  elseif wanted then
    redis.call(unpack(write))
  end
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return {'new', ARGV[3]}
