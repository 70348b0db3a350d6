-- Shows how jobs stand, each unless its claim is no longer the last; who follows several of them reads all at once.
-- ARGV: prefix, then id, fence, partial JSON of each
-- Returns for each of them 1, or 0 when the job is somebody else's or has ended.
local shown = {}
for n = 2, #ARGV, 3 do
  local found = redis.call('HMGET', job_key(ARGV[n]), 'state', 'fence')
  local ours = found[1] == 'running' and found[2] == ARGV[n + 1]
  if ours then tell(ARGV[n], 'partial', ARGV[n + 1], ARGV[n + 2]) end
  shown[#shown + 1] = ours and 1 or 0
end
return shown
