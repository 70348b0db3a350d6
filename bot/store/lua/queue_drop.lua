-- Forgets the jobs of a ticket that has ended, with what they gave; those that have not ended are cancelled first by the caller.
-- The mark that it is cancelled stays as long as the ticket is remembered: a router that was halted meanwhile may still submit for it.
-- ARGV: prefix, ticket
for _, id in ipairs(redis.call('SMEMBERS', prefix .. ':jobs-of:' .. ARGV[2])) do
  local found = redis.call('HMGET', job_key(id), 'state', 'charged')
  if found[1] == 'done' and found[2] then
    redis.call('HSET', job_key(id), 'state', 'gone')  -- its worker has yet to tell what it took
    redis.call('EXPIRE', job_key(id), 600)
    redis.call('DEL', prefix .. ':out:' .. id)
  elseif found[1] == 'done' then
    redis.call('DEL', job_key(id), prefix .. ':out:' .. id)
  end
end
redis.call('DEL', prefix .. ':jobs-of:' .. ARGV[2])
redis.call('EXPIRE', prefix .. ':cancelled:' .. ARGV[2], 86400)
return 1
