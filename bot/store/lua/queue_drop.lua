-- Forgets the jobs of a ticket that has ended, with what they gave; those that have not ended are cancelled first by the caller.
-- ARGV: prefix, ticket
for _, id in ipairs(redis.call('SMEMBERS', prefix .. ':jobs-of:' .. ARGV[2])) do
  if redis.call('HGET', job_key(id), 'state') == 'done' then redis.call('DEL', job_key(id), prefix .. ':out:' .. id) end
end
redis.call('DEL', prefix .. ':jobs-of:' .. ARGV[2], prefix .. ':cancelled:' .. ARGV[2])
return 1
