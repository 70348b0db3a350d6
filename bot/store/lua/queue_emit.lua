-- Shows how a job stands, unless its claim is no longer the last.
-- ARGV: prefix, id, fence, partial JSON
-- Returns 1, or 0 when the job is somebody else's or has ended.
local found = redis.call('HMGET', job_key(ARGV[2]), 'state', 'fence')
if found[1] ~= 'running' or found[2] ~= ARGV[3] then return 0 end
tell(ARGV[2], 'partial', ARGV[3], ARGV[4])
return 1
