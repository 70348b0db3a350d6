-- Reads what a plugin keeps: a script, because those of one moment travel together.
-- KEYS: the value   Returns it, or nothing.
return redis.call('GET', KEYS[1])
