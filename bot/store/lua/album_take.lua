-- Says of which parts an album's message is made, the same to every router until it is written down: what comes meanwhile is not in it.
-- KEYS: album   ARGV: the parts that this router would take, by their events
-- Returns their events as JSON, which stands in the field without a name; '' where all of them are written down already.
local function open(event)
  return (redis.call('HGET', KEYS[1], event) or '') ~= ''
end
local taken = redis.call('HGET', KEYS[1], '')
if taken and open(cjson.decode(taken)[1]) then
  return taken
end
local left = {}
for _, event in ipairs(ARGV) do
  if open(event) then
    left[#left + 1] = event
  end
end
if #left == 0 then
  return ''
end
taken = cjson.encode(left)
redis.call('HSET', KEYS[1], '', taken)
return taken
