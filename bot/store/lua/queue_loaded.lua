-- Charges the seconds that a model took to load to all servers that waited for it, remembers how long loading takes, and tells whose
-- jobs run from now on.
-- ARGV: prefix, pool, seconds, how many jobs are held, id and fence of each, then the model's wants
local pool, seconds = ARGV[2], tonumber(ARGV[3])
local payers, count = {}, 0
local function pays(tenant, person)
  if not payers[tenant] then count = count + 1 end
  payers[tenant] = payers[tenant] or person
end
local held = 2 * ARGV[4]
for n = 5, 4 + held, 2 do
  local found = redis.call('HMGET', job_key(ARGV[n]), 'tenant', 'person', 'state', 'fence')
  if found[1] then pays(found[1], found[2]) end
  if found[3] == 'running' and found[4] == ARGV[n + 1] then
    redis.call('HSET', job_key(ARGV[n]), 'loaded', now())
    tell(ARGV[n], 'running', found[4], '')
  end
end
for n = 5 + held, #ARGV do
  for _, tenant in ipairs(redis.call('ZRANGE', tenants(ARGV[n]), 0, -1)) do
    pays(tenant, redis.call('ZRANGE', persons(ARGV[n], tenant), 0, 0)[1])
  end
end
for tenant, person in pairs(payers) do charge(pool, tenant, person, seconds / count) end
learn('load:' .. pool, seconds)
return count
