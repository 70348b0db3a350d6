-- Counters of what is used. Each begins anew so long after its first use; `meters` are key, most, milliseconds, amount, four by four.
local function meter_at(first)
  local key, most, amount = ARGV[first], tonumber(ARGV[first + 1]), tonumber(ARGV[first + 3])
  return key, most, ARGV[first + 2], amount
end

-- The number of the first of `count` meters from ARGV[first] on that may not go so far, and in how many milliseconds it begins anew.
-- Of what nobody can know beforehand the amount is 0: it must not be used up.
local function too_far(first, count)
  for n = 1, count do
    local key, most, _, amount = meter_at(first + 4 * (n - 1))
    local used = tonumber(redis.call('GET', key) or '0')
    if used + amount > most or (amount == 0 and used >= most) then return n, redis.call('PTTL', key) end
  end
end

local function add(key, span, amount)
  redis.call('INCRBYFLOAT', key, string.format('%.6f', amount))
  if redis.call('PTTL', key) < 0 then redis.call('PEXPIRE', key, span) end
end

local function use(first, count)
  for n = 1, count do
    local key, _, span, amount = meter_at(first + 4 * (n - 1))
    if amount > 0 then add(key, span, amount) end
  end
end
