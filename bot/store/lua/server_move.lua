-- Moves what is kept of a server to its new id, all at once. What the new id has chosen or been told already stays; where it has chosen
-- nothing itself, because its first message came before the news, it has what was chosen before, and it is let in where the old one was.
-- KEYS: old and new of each: server, audit, heard, applicant, turns, counters of turns, index of the server's data, of the chat's; then
-- firings
-- ARGV: old and new owner as keys of data name them, for the server and for the chat; then per firing: id, as it was read, as it is to be
local function both(n) return KEYS[2 * n - 1], KEYS[2 * n] end

local function free(n)
  local old, new = both(n)
  return redis.call('EXISTS', old) == 1 and redis.call('EXISTS', new) == 0
end

local function whole(n)
  if free(n) then redis.call('RENAME', both(n)) end
end

-- In the place of what the new one has, or away; the new one's lives as long as what would live longer.
local function over(n, away)
  local old, new = both(n)
  local left, longer = redis.call('PTTL', old), redis.call('PTTL', new)
  if away then redis.call('DEL', old) else redis.call('RENAME', old, new) end
  if math.max(left, longer) > redis.call('PTTL', new) then redis.call('PEXPIRE', new, math.max(left, longer)) end
end

local function fields(n, except)
  local old, new = both(n)
  local found = redis.call('HGETALL', old)
  for i = 1, #found, 2 do
    if found[i] ~= except then redis.call('HSETNX', new, found[i], found[i + 1]) end
  end
  redis.call('DEL', old)
end

-- The choices. Whoever has either server's in memory reads them anew: the version is one that neither had.
local old, new = both(1)
if redis.call('EXISTS', old) == 1 then
  local version = (redis.call('HGET', old, 'version') or 0) + (redis.call('HGET', new, 'version') or 0) + 1
  if free(1) then whole(1) else fields(1, 'version') end
  redis.call('HSET', new, 'version', version)
end

-- What admins did is a list whose newest entry comes first, and all that the old id has is older.
old, new = both(2)
if free(2) then whole(2) else
  for _, deed in ipairs(redis.call('LRANGE', old, 0, -1)) do redis.call('RPUSH', new, deed) end
  redis.call('DEL', old)
end

if free(3) then whole(3) else fields(3) end

-- Nobody waits under the old id any more, nor under the new one, once it is let in.
old, new = both(4)
redis.call('DEL', old)
if redis.call('HEXISTS', KEYS[2], 'admitted') == 1 then redis.call('DEL', new) end

-- Turns are numbered by the tokens before them, in all and of the same person: what was said under the new id goes on from what was said
-- under the old one. What is summed up is the old id's: nothing has left the new one's memory yet. When the news is told again, an answer
-- that was under way may have come under the old id since: that goes on from what there is, of which the summary stays.
old, new = both(5)
local counters, counted = both(6)
local again = redis.call('HEXISTS', counted, 'moved') == 1
if redis.call('EXISTS', old) == 1 then
  local later, theirs, base = new, counted, counters
  if again then later, theirs, base = old, counters, counted end
  local since, fields = redis.call('LRANGE', later, 0, -1), redis.call('HGETALL', theirs)
  over(5, again)
  for _, entry in ipairs(since) do
    local offset, own, turn = entry:match('^(%d+):?(%d*) (.*)$')
    local before = redis.call('HMGET', base, 'tokens', 'tokens:' .. (cjson.decode(turn).person or ''))
    own = (tonumber(own) or offset) + (before[2] or 0)
    redis.call('RPUSH', new, string.format('%d:%d ', offset + (before[1] or 0), own) .. turn)
  end
  if redis.call('EXISTS', counters) == 1 then over(6, again) else fields = {} end
  for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    if name:find('^tokens') then redis.call('HINCRBY', counted, name, value) end
    if name:find('^until:') then redis.call('HSET', counted, name, math.max(value, redis.call('HGET', counted, name) or 0)) end
  end
end
redis.call('HSET', counted, 'moved', 1)
if redis.call('PTTL', counted) < 0 then redis.call('EXPIRE', counted, 86400) end

-- What plugins keep, and the index of it.
for scope = 0, 1 do
  local index, target = both(7 + scope)
  local from, to = ARGV[2 * scope + 1], ARGV[2 * scope + 2]
  for _, name in ipairs(redis.call('SMEMBERS', index)) do
    local at, till = name:find(from, 1, true)
    local moved = at and name:sub(1, at - 1) .. to .. name:sub(till + 1)
    if moved and redis.call('EXISTS', name) == 1 then
      if redis.call('RENAMENX', name, moved) == 1 then redis.call('SADD', target, moved) else redis.call('DEL', name) end
    end
  end
  redis.call('DEL', index)
end

for i = 5, #ARGV, 3 do
  if redis.call('HGET', KEYS[17], ARGV[i]) == ARGV[i + 1] then redis.call('HSET', KEYS[17], ARGV[i], ARGV[i + 2]) end
end
