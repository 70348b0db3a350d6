-- Writes down the paths of messages: commands that nobody needs an answer to, in their order.
-- ARGV: for each how many words it has, and these
local i = 1
while i <= #ARGV do
  local count = tonumber(ARGV[i])
  redis.call(unpack(ARGV, i + 1, i + count))
  i = i + count + 1
end
