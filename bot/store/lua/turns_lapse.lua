-- Forgets what is kept in short of people who said nothing in a conversation for as long as it is kept, while others go on.
-- KEYS: the conversation's counters
-- What a release kept that wrote no moment is kept for 30 days from now.
local at = redis.call('TIME')[1]
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  local person = name:match('^summary:(.+)$')
  local moment = person and tonumber(redis.call('HGET', KEYS[1], 'until:' .. person))
  if person and not moment then
    redis.call('HSET', KEYS[1], 'until:' .. person, at + 30 * 86400)
  elseif person and moment <= tonumber(at) then
    redis.call('HDEL', KEYS[1], name, 'forgotten:' .. person, 'until:' .. person)
  end
end
