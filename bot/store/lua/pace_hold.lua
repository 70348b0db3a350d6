-- The platform wants nothing from a chat for a while: all routers hear it.
-- KEYS: whether the platform holds the chat   ARGV: ms
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '', 'PX', ARGV[1]) end
