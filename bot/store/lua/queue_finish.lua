-- Ends a running job with its result or its fault, unless its claim is no longer the last.
-- ARGV: prefix, id, fence, 'finished' or 'broken', result or error JSON, device seconds
-- Returns 1, or 0 when the job is somebody else's or has ended.

-- What the job took is added to the counters of who asked for it, once.
local function pays(seconds)
  for _, meter in ipairs(cjson.decode(redis.call('HGET', job_key(ARGV[2]), 'meters') or '[]')) do add(meter[1], meter[2], seconds) end
  redis.call('HDEL', job_key(ARGV[2]), 'meters')
  redis.call('HSET', job_key(ARGV[2]), 'took', seconds)
end

local found = redis.call('HMGET', job_key(ARGV[2]), 'state', 'fence')
local fence = tonumber(found[2] or '0')
if (found[1] == 'done' or found[1] == 'gone') and fence == ARGV[3] + 1 then  -- cancelled or too late: it still pays
  settle(ARGV[2], tonumber(ARGV[6]), false)
  pays(tonumber(ARGV[6]))
end
if found[1] ~= 'running' or fence ~= tonumber(ARGV[3]) then return 0 end
settle(ARGV[2], tonumber(ARGV[6]), ARGV[4] == 'finished')
pays(tonumber(ARGV[6]))
close(ARGV[2], ARGV[4], ARGV[3], ARGV[5])
return 1
