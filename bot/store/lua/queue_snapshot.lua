-- The queue as it stands, for looking ahead.
-- ARGV: prefix, most jobs, how many pools, pools, then what is wanted
-- Returns now (µs), facts, weights, who asked how often in each of the last minutes, waiting lines (want, tenant, person, first's
-- moment, ids …), running jobs (owner, model, server, ms since it was claimed or its model was there, 1 when parked …), and for each
-- pool: credits, spent, then (tenant, people's credits) …
local left, pools, wants = tonumber(ARGV[2]), {}, {}
for n = 4, #ARGV do
  if n < 4 + ARGV[3] then pools[#pools + 1] = ARGV[n] else wants[#wants + 1] = ARGV[n] end
end

local lines, backlog = {}, {}
for _, want in ipairs(wants) do
  for _, tenant in ipairs(redis.call('ZRANGE', tenants(want), 0, -1)) do
    backlog[#backlog + 1] = tenant
    local found = redis.call('ZRANGE', persons(want, tenant), 0, -1, 'WITHSCORES')
    for n = 1, #found, 2 do
      local ids = left > 0 and redis.call('LRANGE', line(want, tenant, found[n]), 0, left - 1) or {}
      left = left - #ids
      if #ids > 0 then lines[#lines + 1] = {want, tenant, found[n], found[n + 1], ids} end
    end
  end
end

local running = {}
for _, id in ipairs(redis.call('ZRANGE', prefix .. ':leases:jobs', 0, 511)) do
  local found = redis.call('HMGET', job_key(id), 'state', 'owner', 'model', 'begun', 'tenant', 'parked', 'loaded')
  if found[1] == 'running' and found[3] then
    for _, value in ipairs({found[2], found[3], found[5], now() - (found[7] or found[4]), found[6] and '1' or '0'}) do running[#running + 1] = value end
  end
end

local asked = {}
for n = 0, 4 do asked[#asked + 1] = redis.call('HGETALL', prefix .. ':asked:' .. (minute() - n)) end

local out = {
  string.format('%.0f', micros()), redis.call('HGETALL', facts()), redis.call('HGETALL', prefix .. ':weights'), asked, lines, running,
}
for _, pool in ipairs(pools) do
  local accounts = {redis.call('ZRANGE', servers_of(pool), 0, -1, 'WITHSCORES'), redis.call('ZRANGE', spent_in(pool), 0, -1, 'WITHSCORES')}
  for _, tenant in ipairs(backlog) do
    accounts[#accounts + 1] = tenant
    accounts[#accounts + 1] = redis.call('ZRANGE', people_of(pool, tenant), 0, -1, 'WITHSCORES')
  end
  out[#out + 1] = accounts
end
return out
