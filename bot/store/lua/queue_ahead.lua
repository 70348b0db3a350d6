-- How many jobs stand before each of these, counted as they are served: the n-th job of a person waits for n rounds of everybody.
-- ARGV: prefix, then ids
-- Returns one number each, -1 when the job does not wait, -2 when nobody knows it.
local function ahead_of(id, want, tenant, person)
  local place = redis.call('LPOS', line(want, tenant, person), id) or 0
  local turns, passed = place, false
  for _, other in ipairs(redis.call('ZRANGE', persons(want, tenant), 0, 199)) do
    if other == person then
      passed = true
    else
      turns = turns + math.min(redis.call('LLEN', line(want, tenant, other)), passed and place or place + 1)
    end
  end
  local ahead, behind_us = turns, false
  for _, other in ipairs(redis.call('ZRANGE', tenants(want), 0, 199)) do
    if other == tenant then
      behind_us = true
    else
      local waiting = tonumber(redis.call('HGET', prefix .. ':depth', other) or '0')
      ahead = ahead + math.min(waiting, behind_us and turns or turns + 1)
    end
  end
  return ahead
end

local out = {}
for n = 2, #ARGV do
  local found = redis.call('HMGET', job_key(ARGV[n]), 'state', 'want', 'tenant', 'person')
  if not found[1] then
    out[#out + 1] = -2
  else
    out[#out + 1] = found[1] == 'waiting' and ahead_of(ARGV[n], found[2], found[3], found[4]) or -1
  end
end
return out
