-- How many jobs stand before each of these, counted as they are served: the n-th job of a person waits for n rounds of everybody.
-- ARGV: prefix, then ids
-- Returns one number each, -1 when the job does not wait, -2 when nobody knows it.
-- The others of a ring, each with whether it comes before `mine`: the richer does, of equals the one that waits longer.
local function others_of(ring, accounts, mine)
  local credits, found, out = read_scores(accounts), redis.call('ZRANGE', ring, 0, 199, 'WITHSCORES'), {}
  local full = 1e9
  local credit, since = credits[mine] or full, tonumber(redis.call('ZSCORE', ring, mine) or '0')
  for n = 1, #found, 2 do
    local theirs = credits[found[n]] or full
    local before = theirs > credit or (theirs == credit and tonumber(found[n + 1]) < since)
    if found[n] ~= mine then out[#out + 1] = {name = found[n], before = before} end
  end
  return out
end

local function ahead_of(id, want, tenant, person)
  local pool = redis.call('HGET', facts(), 'pool:' .. want) or ''
  local place = redis.call('LPOS', line(want, tenant, person), id) or 0
  local turns = place
  for _, other in ipairs(others_of(persons(want, tenant), people_of(pool, tenant), person)) do
    turns = turns + math.min(redis.call('LLEN', line(want, tenant, other.name)), other.before and place + 1 or place)
  end
  local ahead = turns
  for _, other in ipairs(others_of(tenants(want), servers_of(pool), tenant)) do
    local waiting = tonumber(redis.call('HGET', prefix .. ':depth', other.name) or '0')
    ahead = ahead + math.min(waiting, other.before and turns + 1 or turns)
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
