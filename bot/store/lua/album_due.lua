-- Albums of which nothing more comes; one of which nothing is left is due no more, which only this says: a part may come at any moment.
-- KEYS: due   ARGV: the key of an album, without its name
-- Returns for each its name, and its fields and values.
local time = redis.call('TIME')
local out = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', time[1] + time[2] / 1000000)) do
  local found = redis.call('HGETALL', ARGV[1] .. name)
  local left = false
  for place = 2, #found, 2 do
    left = left or found[place - 1] ~= '' and found[place] ~= ''
  end
  if left then
    out[#out + 1] = {name, found}
  else
    redis.call('ZREM', KEYS[1], name)
  end
end
return out
