-- Claims up to `most` jobs that may run together, one per tenant and person in turn.
-- ARGV: prefix, worker, lease ms, most, admission, batch key, then wants
-- Admission: '' begins a turn; 'open' joins one with this batch key; 'due' too, but only while nobody's turn is passed over.
-- Returns id, fence, body, batch key, timeout ms, alone … per job.
local worker, lease, most, admission, batch = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]
local out, taken, at, wants = {}, 0, now(), {}
for n = 7, #ARGV do wants[#wants + 1] = ARGV[n] end

local function fits(job)
  local first = admission == '' and taken == 0
  return first or (job.alone ~= '1' and job.batch == batch)
end

local function read(id)
  local found = redis.call('HMGET', job_key(id), 'state', 'batch', 'alone', 'body', 'timeout')
  return {state = found[1], batch = found[2], alone = found[3], body = found[4], timeout = found[5]}
end

-- Walks the tenants of all wants, the one served longest ago first; the first is nearly always enough, so pages are small.
local function ring()
  local cursors = {}
  for n, want in ipairs(wants) do cursors[n] = {want = want, read = 0, page = {}, at = 1} end
  return function()
    local oldest, since
    for _, cursor in ipairs(cursors) do
      if cursor.at > #cursor.page and cursor.read < 64 then
        cursor.page = redis.call('ZRANGE', tenants(cursor.want), cursor.read, cursor.read + 3, 'WITHSCORES')
        cursor.read, cursor.at = cursor.read + 4, 1
      end
      local score = tonumber(cursor.page[cursor.at + 1])
      if score and (not since or score < since) then oldest, since = cursor, score end
    end
    if not oldest then return nil end
    oldest.at = oldest.at + 2
    return oldest.want, oldest.page[oldest.at - 2]
  end
end

local function take(id, want, tenant, person, job)
  leave(id, want, tenant, person)
  redis.call('ZADD', persons(want, tenant), 'XX', behind(), person)
  local place = behind()
  for _, other in ipairs(wants) do redis.call('ZADD', tenants(other), 'XX', place, tenant) end
  local fence = redis.call('HINCRBY', job_key(id), 'fence', 1)
  redis.call('HSET', job_key(id), 'state', 'running', 'owner', worker, 'until', at + job.timeout)
  redis.call('ZADD', prefix .. ':leases:jobs', at + lease, id)
  tell(id, 'running', fence, '')
  batch, taken = job.batch, taken + 1
  for _, value in ipairs({id, fence, job.body, job.batch, job.timeout, job.alone}) do out[#out + 1] = value end
  return job.alone == '1'
end

-- Takes the next job that fits; true when another may follow.
local function serve()
  for want, tenant in ring() do
    for _, person in ipairs(redis.call('ZRANGE', persons(want, tenant), 0, 15)) do
      local id = redis.call('LINDEX', line(want, tenant, person), 0)
      local job = read(id)
      if job.state ~= 'waiting' then
        leave(id, want, tenant, person)
      elseif fits(job) then
        return not take(id, want, tenant, person, job)
      elseif admission == 'due' then
        return false
      end
    end
  end
  return false
end

while taken < most and serve() do end
for _, want in ipairs(wants) do
  if admission ~= '' and taken < most then
    redis.call('SADD', prefix .. ':joiners:' .. want, worker)
    redis.call('EXPIRE', prefix .. ':joiners:' .. want, 3600)
  elseif taken == 0 and redis.call('EXISTS', tenants(want)) == 0 then
    redis.call('DEL', prefix .. ':work:' .. want)
  end
end
return out
