-- Marks the parts of an album whose message is written down; other parts may be in another router's hands.
-- KEYS: album   ARGV: what `album_take` returned
for _, event in ipairs(cjson.decode(ARGV[1])) do
  if redis.call('HEXISTS', KEYS[1], event) == 1 then
    redis.call('HSET', KEYS[1], event, '')
  end
end
if redis.call('HGET', KEYS[1], '') == ARGV[1] then
  redis.call('HDEL', KEYS[1], '')
end
