-- Counts a call that a router makes to a chat, unless the routers together would exceed what the platform takes; times are Redis's own.
-- KEYS: the chat's calls, when the bot may call again, whether the platform holds the chat   ARGV: most in a stretch of ms, most of them now; ms between two calls, ms ahead
-- Returns 0, or in how many ms to ask again.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local most, stretch, now_most, gap, early = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local wait = math.max(redis.call('PTTL', KEYS[3]), 0)
if most > 0 then
  local earlier = redis.call('LINDEX', KEYS[1], now_most - 1)
  if earlier and tonumber(earlier) <= now then wait = math.max(wait, earlier + stretch - now) end -- else this server's clock was set back
end
local due = gap > 0 and math.max(tonumber(redis.call('GET', KEYS[2]) or 0), now) or now
if due > now + early + gap then due = now end -- the same
wait = math.max(wait, due - early - now)
if wait > 0 then return math.ceil(wait) end
if most > 0 then
  redis.call('LPUSH', KEYS[1], now)
  redis.call('LTRIM', KEYS[1], 0, most - 1)
  redis.call('PEXPIRE', KEYS[1], stretch)
end
if gap > 0 then redis.call('SET', KEYS[2], due + gap, 'PX', math.ceil(due + gap - now) + 1000) end
return 0
