-- Ends a running job with its result or its fault, unless its claim is no longer the last.
-- ARGV: prefix, id, fence, 'finished' or 'broken', result or error JSON, device seconds
-- Returns 1, or 0 when the job is somebody else's or has ended.
local found = redis.call('HMGET', job_key(ARGV[2]), 'state', 'fence')
if found[1] ~= 'running' or found[2] ~= ARGV[3] then return 0 end
settle(ARGV[2], tonumber(ARGV[6]))
close(ARGV[2], ARGV[4], ARGV[3], ARGV[5])
return 1
