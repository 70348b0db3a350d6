-- Keeps a part of an album and waits for the next; one that is brought again is nothing new, and one that is written down changes nothing.
-- KEYS: album, due   ARGV: event, part, seconds kept, seconds without another part, the album's name
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
if redis.call('HGET', KEYS[1], ARGV[1]) ~= '' then
  local time = redis.call('TIME')
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  redis.call('ZADD', KEYS[2], time[1] + time[2] / 1000000 + ARGV[4], ARGV[5])
  redis.call('EXPIRE', KEYS[2], ARGV[3])
end
