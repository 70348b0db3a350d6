-- Ends a running job with its result or its fault, unless its claim is no longer the last.
-- ARGV: prefix, id, fence, 'finished' or 'broken', result or error JSON, device seconds
-- Returns 1, or 0 when the job is somebody else's or has ended.
local found = redis.call('HMGET', job_key(ARGV[2]), 'state', 'fence')
local fence = tonumber(found[2] or '0')
if (found[1] == 'done' or found[1] == 'gone') and fence == ARGV[3] + 1 then settle(ARGV[2], tonumber(ARGV[6]), false) end  -- cancelled or too late: it still pays
if found[1] ~= 'running' or fence ~= tonumber(ARGV[3]) then return 0 end
settle(ARGV[2], tonumber(ARGV[6]), ARGV[4] == 'finished')
close(ARGV[2], ARGV[4], ARGV[3], ARGV[5])
return 1
