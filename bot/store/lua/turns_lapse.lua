-- Forgets what is kept in short of people who said nothing in a conversation for as long as it is kept, while others go on.
-- KEYS: the conversation's counters
-- What a release kept that wrote no moment is kept for 30 days from now.
local at = redis.call('TIME')[1]
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  local summed, person = name:match('^summary:(.+)$'), name:match('^until:(.+)$')
  if summed and redis.call('HEXISTS', KEYS[1], 'until:' .. summed) == 0 then
    redis.call('HSET', KEYS[1], 'until:' .. summed, at + 30 * 86400)
  elseif person and tonumber(redis.call('HGET', KEYS[1], name)) <= tonumber(at) then
    redis.call('HDEL', KEYS[1], name, 'summary:' .. person, 'forgotten:' .. person)
  end
end
