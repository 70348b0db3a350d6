-- Claims jobs of one model that may run together.
-- ARGV: prefix, worker, lease ms, pool, the worker's name, 1 when it has a device of its own, joined, batch key, then for each model: name,
-- most, resident, parked, its batch key, the schema of the jobs that it knows, how many wants, wants
-- `joined` is the model whose open turn is joined by jobs of this batch key ('*': of any), or '' to begin one; `parked` the moment (ms) since which
-- work that was begun waits for the model's next turn, or 0.
-- Returns the model ('' when there is nothing to do), 1 when another model is due and the joined turn must end, 2 when the worker is off
-- duty, and id, fence, body, batch key, timeout ms, alone … per job.
local worker, lease, pool, joined, batch = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[7], ARGV[8]
local off = duty(ARGV[5], ARGV[6] == '1')
if off == 'pause' then return {'', 2} end
local at, out, taken, going_on, any = now(), {}, 0, false, batch == '*'

local models, n = {}, 9
while n <= #ARGV do
  local model = {name = ARGV[n], most = tonumber(ARGV[n + 1]), resident = ARGV[n + 2] == '1', parked = tonumber(ARGV[n + 3]), batch = ARGV[n + 4],
    schema = ARGV[n + 5], wants = {}, waiting = {}, places = {}}
  for m = n + 7, n + 6 + ARGV[n + 6] do model.wants[#model.wants + 1] = ARGV[m] end
  n = n + 7 + #model.wants
  if off then model.most, model.wants = 0, {} end  -- it ends what it has begun
  models[#models + 1] = model
end

local backlog, shares, count = {}, {}, 0
for _, model in ipairs(models) do
  for _, want in ipairs(model.wants) do
    model.places[want] = {}
    for tenant, since in pairs(read_scores(tenants(want))) do
      model.waiting[tenant] = math.min(since, model.waiting[tenant] or since)
      model.places[want][tenant] = since
      if not backlog[tenant] then
        backlog[tenant] = true
        count = count + 1
      end
    end
  end
end

local credits, load = {}, 0
if count > 0 then
  local known, weights = redis.call('HMGET', facts(), 'load:' .. pool, 'share:' .. pool), read_hash(prefix .. ':weights')
  load = tonumber(known[1] or '0')
  local share = share_of(load, count)
  if tonumber(known[2]) ~= share then remember('share:' .. pool, share) end
  for tenant in pairs(backlog) do shares[tenant] = share * (tonumber(weights[tenant]) or 1) end
  credits = read_scores(servers_of(pool))
  repay(servers_of(pool), credits, shares)
end

local function credit_of(tenant) return credits[tenant] or shares[tenant] end

-- A model with whom it can serve now, and how long all of these have waited together.
local function survey(model)
  model.eligible, model.age = {}, 0
  for tenant, since in pairs(model.waiting) do
    if credit_of(tenant) > 0 and not model.barred then
      model.eligible[#model.eligible + 1] = tenant
      model.age = model.age + at * 1000 - since
    end
  end
  if model.parked > 0 then model.age = model.age + (at - model.parked) * 1000 end
  return #model.eligible > 0
end

local function more_rounds()
  credits = next_round(servers_of(pool), credits, shares)
  redis.call('DEL', spent_in(pool))
end

-- The people of a server who wait for a model, by credit, the richest first; the want of the first job of each, and what each has left.
local function people(model, tenant)
  local since, where, list, own = {}, {}, {}, {}
  for want, tenants_of in pairs(model.places) do
    local found = tenants_of[tenant] and redis.call('ZRANGE', persons(want, tenant), 0, 63, 'WITHSCORES') or {}
    for m = 1, #found, 2 do
      local person, first = found[m], tonumber(found[m + 1])
      if not since[person] then list[#list + 1] = person end
      if not since[person] or first < since[person] then since[person], where[person] = first, want end
    end
  end
  local key = people_of(pool, tenant)
  local credit, richest = read_scores(key), nil
  for _, person in ipairs(list) do
    own[person] = shares[tenant]
    local has = credit[person] or own[person]
    richest = math.max(richest or has, has)
  end
  repay(key, credit, own)
  if richest and richest <= 0 then credit = next_round(key, credit, own) end
  table.sort(list, function(a, b)
    local left, right = credit[a] or own[a], credit[b] or own[b]
    if left ~= right then return left > right end
    if since[a] ~= since[b] then return since[a] < since[b] end
    return a < b
  end)
  return list, where, function(person) return credit[person] or own[person] end
end

-- Whether a worker of this release has given the job back, because it does not understand it.
local function unknown(job, model) return job.refused and job.refused:find(model.schema, 1, true) end

local function fits(job, model)
  if unknown(job, model) then return false end
  local first = joined == '' and taken == 0 and not going_on
  return first or (job.alone ~= '1' and (any or job.batch == batch))
end

local function read(id)
  local found = redis.call('HMGET', job_key(id), 'state', 'batch', 'alone', 'body', 'timeout', 'fence', 'refused')
  return {state = found[1], batch = found[2], alone = found[3], body = found[4], timeout = found[5], fence = found[6], refused = found[7]}
end

local function take(id, model, want, tenant, person, job, credit, behind)
  redis.call('LPOP', line(want, tenant, person))
  no_longer_waits(id, tenant, person)
  model.places[want][tenant] = rank(want, tenant, person, behind)
  model.waiting[tenant] = nil
  for _, tenants_of in pairs(model.places) do
    local since = tenants_of[tenant]
    if since then model.waiting[tenant] = math.min(since, model.waiting[tenant] or since) end
  end
  model.cost = model.cost or cost_of(model.name)
  credits[tenant] = write_score(servers_of(pool), tenant, credit_of(tenant) - model.cost)
  write_score(people_of(pool, tenant), person, credit - model.cost)
  spend(pool, person, model.cost)
  local fence = job.fence + 1
  redis.call('HSET', job_key(id), 'state', 'running', 'fence', fence, 'owner', worker, 'until', at + job.timeout, 'pool', pool, 'model', model.name,
    'charged', model.cost, 'begun', at)
  redis.call('ZADD', prefix .. ':leases:jobs', at + lease, id)
  tell(id, 'running', fence, model.resident and '' or string.format('%.6f', load))
  batch, taken = job.batch, taken + 1
  for _, value in ipairs({id, fence, job.body, job.batch, job.timeout, job.alone}) do out[#out + 1] = value end
  return job.alone == '1'
end

-- The first of a person's line, and the id of the next; what this release does not understand lets the others pass.
local function head(mine, model)
  local id, behind = unpack(redis.call('LRANGE', mine, 0, 1))
  local job = id and read(id)
  local others = job and unknown(job, model) and redis.call('LLEN', mine) - 1 or 0
  while others > 0 and unknown(job, model) do
    redis.call('LMOVE', mine, mine, 'LEFT', 'RIGHT')
    id, behind = unpack(redis.call('LRANGE', mine, 0, 1))
    job, others = read(id), others - 1
  end
  return id, job, behind
end

-- The next job of a server that fits this turn, from the richest of its people who has something left of the round.
local function serve(model, tenant)
  local list, where, credit_of_person = people(model, tenant)
  for _, person in ipairs(list) do
    local spent = tonumber(redis.call('ZSCORE', spent_in(pool), person) or '0')
    if spent < shares[tenant] then
      local want = where[person]
      local id, job, behind = head(line(want, tenant, person), model)
      if job and job.state ~= 'waiting' then
        leave(id, want, tenant, person)
      elseif job and fits(job, model) then
        return true, take(id, model, want, tenant, person, job, credit_of_person(person), behind)
      end
    end
  end
  return false, false
end

-- Fills the turn with the servers' jobs, the richest server first.
local function fill(model)
  local passed = {}
  if joined == '' then
    going_on = model.parked > 0
    batch = model.batch
  end
  while taken < model.most do
    local best
    for tenant, since in pairs(model.waiting) do
      local credit = credit_of(tenant)
      if credit > 0 and not passed[tenant] then
        local better = not best or credit > credit_of(best) or (credit == credit_of(best) and since < model.waiting[best])
        if better then best = tenant end
      end
    end
    if not best then return end
    local served, alone = serve(model, best)
    if alone then return end
    if not served then passed[best] = true end
  end
end

-- The model whose turn it is: one that is loaded, else the one for which people have waited longest in sum.
local function due()
  local best
  for _, model in ipairs(models) do
    local wanted = survey(model) or (joined == '' and model.parked > 0 and not model.barred)
    if wanted and #model.eligible > 0 then
      local ahead = not best or #best.eligible == 0 or (model.resident and not best.resident)
      if ahead or (model.resident == best.resident and model.age > best.age) then best = model end
    elseif wanted and (not best or (#best.eligible == 0 and model.age > best.age)) then
      best = model
    end
  end
  return best
end

-- Begins a turn; a model whose jobs turn out not to be there is passed over.
local function begin()
  for _ = 1, 2 do
    local model = due()
    while model do
      fill(model)
      if taken > 0 or model.parked > 0 then return model.name end
      model.barred = true
      model = due()
    end
    if count == 0 then return '' end
    for _, other in ipairs(models) do other.barred = false end
    more_rounds()
  end
  return ''
end

-- Fills the open turn; true when it must end, because only others are eligible, or jobs that do not fit.
local function join()
  for _ = 1, 2 do
    local mine, others
    for _, model in ipairs(models) do
      local eligible = survey(model)
      others = others or eligible
      if model.name == joined then mine = model end
    end
    fill(mine)
    if taken > 0 then return false end
    if others then return true end
    if count == 0 then return false end
    more_rounds()
  end
  return false
end

local name, closing = joined, false
if joined == '' then name = begin() else closing = join() end

local room, stale = false, {}
for _, model in ipairs(models) do
  if model.name == name and taken < model.most then room = true end
end
for _, model in ipairs(models) do
  for _, want in ipairs(model.wants) do
    if joined ~= '' and room and not closing then
      redis.call('SADD', prefix .. ':joiners:' .. want, worker)
      redis.call('EXPIRE', prefix .. ':joiners:' .. want, 3600)
    elseif joined == '' and taken == 0 and (not next(model.places[want]) or redis.call('EXISTS', tenants(want)) == 0) then
      stale[#stale + 1] = prefix .. ':work:' .. want
    end
  end
end
if #stale > 0 then redis.call('DEL', unpack(stale)) end
table.insert(out, 1, off and 2 or closing and 1 or 0)
table.insert(out, 1, name)
return out
