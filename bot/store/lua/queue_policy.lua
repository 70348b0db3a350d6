-- Who is served next: deficit round robin over device seconds, in two levels (server, then person).
-- A pool's accounts hold what is left of this round for whoever was served in it, and debts; who is not listed has a full share.
local QUANTUM, ROUND, SMALLEST, LOADS = 8, 160, 2, 1.5
local ABSENT = 1000  -- accounts of who does not wait: each claim reads all of them
local KEPT = 86400

local function servers_of(pool) return prefix .. ':credit:' .. pool end
local function people_of(pool, tenant) return prefix .. ':credit:' .. pool .. ':' .. tenant end
local function spent_in(pool) return prefix .. ':spent:' .. pool end
local function facts() return prefix .. ':costs' end

local function weight_of(tenant)
  return tonumber(redis.call('HGET', prefix .. ':weights', tenant) or '1')
end

-- Seconds of a round for each of so many servers: more where models take long to load (`load` seconds), less where many wait.
local function share_of(load, waiting)
  return math.max(SMALLEST, math.min(QUANTUM + LOADS * load, ROUND / waiting))
end

local function cost_of(model) return tonumber(redis.call('HGET', facts(), 'job:' .. model) or '1') end

-- Facts last from the newest one on, and as long as somebody reaps.
local function remember(field, value)
  if redis.call('HSET', facts(), field, value) == 1 then redis.call('EXPIRE', facts(), 30 * KEPT) end
end

-- What a new measurement makes of a fact.
local function learn(field, seconds)
  local known = redis.call('HGET', facts(), field)
  local value = known and known + 0.1 * (seconds - known) or seconds
  remember(field, string.format('%.6f', value))
end

local function read_scores(key)
  local found, out = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), {}
  for n = 1, #found, 2 do out[found[n]] = tonumber(found[n + 1]) end
  return out
end

local function read_hash(key)
  local found, out = redis.call('HGETALL', key), {}
  for n = 1, #found, 2 do out[found[n]] = found[n + 1] end
  return out
end

-- Accounts last from the newest entry on: there are new ones in every round. Returns the number as it was written.
local function write_score(key, member, value)
  local written = string.format('%.6f', value)
  if redis.call('ZADD', key, written, member) == 1 then redis.call('EXPIRE', key, KEPT) end
  return tonumber(written)
end

-- Keeps what is left to somebody, or lets go of the account of who has `most` or more.
local function keep(key, credits, member, left, most)
  if left < most then
    credits[member] = write_score(key, member, left)
  else
    credits[member] = nil
    redis.call('ZREM', key, member)
  end
end

-- Whoever does not wait is repaid the least share of those who do, while there are more than ABSENT of them: many never come back.
local function repay(key, credits, shares)
  local absent, share = {}, nil
  for member in pairs(credits) do
    if not shares[member] then absent[#absent + 1] = member end
  end
  for _, own in pairs(shares) do share = math.min(share or own, own) end
  if #absent <= ABSENT or not share then return end
  for _, member in ipairs(absent) do keep(key, credits, member, credits[member] + share, 0) end
end

-- Begins as many rounds at once as one of those who wait needs to be eligible; idle credit is dropped, debt is kept.
-- `shares` has the share of everybody who waits. Returns the new credits.
local function next_round(key, credits, shares)
  local rounds
  for member, share in pairs(shares) do
    local needed = 1 + math.floor(-(credits[member] or share) / share)
    if not rounds or needed < rounds then rounds = needed end
  end
  for member, credit in pairs(credits) do
    local share = shares[member]
    keep(key, credits, member, share and credit + share * math.max(rounds, 0) or credit, share or 0)
  end
  return credits
end

local function spend(pool, person, seconds)
  local spent = string.format('%.6f', seconds)
  local total = redis.call('ZINCRBY', spent_in(pool), spent, person)
  if tonumber(total) == tonumber(spent) then redis.call('EXPIRE', spent_in(pool), KEPT) end
end

-- Takes seconds from the accounts of a person and a server; a negative number gives them back.
local function charge(pool, tenant, person, seconds)
  local share
  for key, member in pairs({[servers_of(pool)] = tenant, [people_of(pool, tenant)] = person}) do
    local left = tonumber(redis.call('ZSCORE', key, member))
    if not left then
      share = share or tonumber(redis.call('HGET', facts(), 'share:' .. pool) or QUANTUM) * weight_of(tenant)
      left = share
    end
    write_score(key, member, left - seconds)
  end
  spend(pool, person, seconds)
end

-- Gives back what a job was charged that was not run to its end.
local function refund(id)
  local found = redis.call('HMGET', job_key(id), 'pool', 'tenant', 'person', 'charged')
  if found[1] and found[4] then
    charge(found[1], found[2], found[3], -tonumber(found[4]))
    redis.call('HDEL', job_key(id), 'charged')
  end
end

-- Settles what a job took, in seconds, against what it was charged at its claim. Only what ran to its end teaches what jobs take.
local function settle(id, seconds, whole)
  local found = redis.call('HMGET', job_key(id), 'pool', 'tenant', 'person', 'charged', 'model')
  if found[1] and found[4] then
    charge(found[1], found[2], found[3], seconds - tonumber(found[4]))
    redis.call('HDEL', job_key(id), 'charged')
    if whole then learn('job:' .. found[5], seconds) end
  end
end
