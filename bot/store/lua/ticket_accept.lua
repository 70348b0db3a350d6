-- Writes the tickets of one event, in order. All or nothing: a stale view of the server's settings writes none. Whoever hears of the
-- event again, when other choices may hold, writes none either: what becomes of it is decided once. Nor does whoever has an edit behind
-- which another router heard a newer one, which found no ticket to withdraw.
-- KEYS: server, leases, house, that it was decided, the message's versions, and maybe one of which its value is supposed
-- ARGV: prefix, owner, lease ms, version of the server's settings plus that of the house's rules, the supposed value or '', seconds for
-- which a decision is remembered, the event, how many meters, these (see `quota_common`), then per ticket: id, connector, conversation or
-- '', body JSON, 1 when a new one is counted
-- Returns {'decided'}, {'stale', version}, {'over', which meter, ms} or {'ok', n1, n2, …}: 0 known already, 1 run it now, 2 waits in its
-- conversation's line.
if redis.call('EXISTS', KEYS[4]) == 1 then return {'decided'} end
local edit = redis.call('ZSCORE', KEYS[5], ARGV[7])
if edit and redis.call('ZCOUNT', KEYS[5], '(' .. edit, '+inf') > 0 then return {'decided'} end
local version = (redis.call('HGET', KEYS[1], 'version') or 0) + (redis.call('HGET', KEYS[3], 'version') or 0)
if version ~= tonumber(ARGV[4]) then return {'stale', version} end
if KEYS[6] and (redis.call('GET', KEYS[6]) or '') ~= ARGV[5] then return {'stale', version} end
local meters, first = tonumber(ARGV[8]), 9 + 4 * ARGV[8]
local counted = false
if meters > 0 then
  for i = first, #ARGV, 5 do
    counted = counted or (ARGV[i + 4] == '1' and redis.call('EXISTS', ARGV[1] .. ':ticket:' .. ARGV[i]) == 0)
  end
end
if counted then
  local which, left = too_far(9, meters)
  if which then return {'over', which, left} end
  use(9, meters)
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local out = {'ok'}
redis.call('SET', KEYS[4], 'done', 'EX', ARGV[6])
for i = first, #ARGV, 5 do
  local id, connector, conversation, body = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local key = ARGV[1] .. ':ticket:' .. id
  if redis.call('EXISTS', key) == 1 then
    out[#out + 1] = 0
  else
    local first = true
    if conversation ~= '' then
      first = redis.call('RPUSH', ARGV[1] .. ':line:' .. conversation, id) == 1
    end
    redis.call('HSET', key, 'body', body, 'connector', connector, 'conversation', conversation, 'at', now)
    if first then
      redis.call('HSET', key, 'state', 'running', 'fence', 1, 'attempts', 1, 'owner', ARGV[2])
      redis.call('ZADD', KEYS[2], now + ARGV[3], id)
      out[#out + 1] = 1
    else
      redis.call('HSET', key, 'state', 'waiting', 'fence', 0, 'attempts', 0)
      out[#out + 1] = 2
    end
  end
end
return out
