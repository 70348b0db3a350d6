-- Takes names out of an index whose values have passed. A script, because one may be kept anew meanwhile.
-- KEYS: the index   ARGV: names
for _, name in ipairs(ARGV) do
  if redis.call('EXISTS', name) == 0 then redis.call('SREM', KEYS[1], name) end
end
