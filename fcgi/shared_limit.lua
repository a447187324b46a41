-- Limits that several machines share: tests and counts in one step, by the one clock of the server. KEYS: the counters that one
-- call counts against. ARGV: eight for each, as struct counter_ask has them (core/counter.h), and how many more to take while it
-- is about it: kind (s sliding, f fixed, b bucket), limit, amount (0 only looks), window in s, burst, origin in us, forced (1),
-- more. Either all of them pass or nothing is counted. Answers six for each: passes (1), used, left, microseconds until it would
-- pass (-1 never), seconds until nothing is counted (-1 never), how many more it took.
local EXACT_RUNS, SLICES = 128, 120
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]

local function seconds(us) return us <= 0 and 0 or math.ceil(us / 1000000) end
local function retry(us) return math.max(1, math.ceil(us)) end
local function load(key)
  local raw = redis.call('GET', key)
  return raw and cmsgpack.unpack(raw) or {}
end
local function keep(key, v, us) redis.call('SET', key, cmsgpack.pack(v), 'PX', math.max(1, math.ceil(us / 1000))) end

-- Each kind: what it counts now, whether `n` more fit, how to count them, and how long until one passes.
local function sliding(key, a)
  local runs, total, window = {}, 0, a.window * 1000000
  local all = load(key)
  for i = 1, #all, 2 do
    if all[i] + window > now then
      runs[#runs + 1] = all[i]
      runs[#runs + 1] = all[i + 1]
      total = total + all[i + 1]
    end
  end
  local c = {}
  function c.fits(n) return total + n <= a.limit end
  function c.count(n)
    local last, slice = runs[#runs - 1], math.floor(window / SLICES) + 1
    local full = #runs == 2 * EXACT_RUNS
    if last and (full or last >= now or (a.limit > EXACT_RUNS and math.floor(last / slice) == math.floor(now / slice))) then
      runs[#runs] = runs[#runs] + n
      runs[#runs - 1] = math.max(last, now)
    else
      runs[#runs + 1] = now
      runs[#runs + 1] = n
    end
    total = total + n
    keep(key, runs, window + runs[#runs - 1] - now)
  end
  function c.wait(n)
    local used = total
    if n > a.limit then return -1 end
    for i = 1, #runs, 2 do
      used = used - runs[i + 1]
      if used + n <= a.limit then return retry(runs[i] + window - now) end
    end
    return -1
  end
  function c.used() return total, math.max(0, a.limit - total) end
  function c.reset() return #runs > 0 and seconds(runs[#runs - 1] + window - now) or 0 end
  return c
end

local function fixed(key, a)
  local window, v = a.window * 1000000, load(key)
  local start = window > 0 and now - (now - a.origin) % window or a.origin
  local total, c = 0, {}
  if window == 0 or v[1] == start then total = v[2] or 0 end
  function c.fits(n) return total + n <= a.limit end
  function c.count(n)
    total = total + n
    if window > 0 then keep(key, { start, total }, start + window - now) else redis.call('SET', key, cmsgpack.pack({ start, total })) end
  end
  function c.wait(n) return (window == 0 or n > a.limit) and -1 or retry(start + window - now) end
  function c.used() return total, math.max(0, a.limit - total) end
  function c.reset() return total == 0 and 0 or window == 0 and -1 or seconds(start + window - now) end
  return c
end

local function bucket(key, a)
  local each = a.window * 1000000 / math.max(1, a.limit)
  local room, full, c = each * (a.burst > 0 and a.burst or a.limit), load(key)[1] or 0, {}
  full = math.max(full, now)
  function c.fits(n) return a.limit > 0 and full + each * n - now <= room + 0.5 end
  function c.count(n)
    full = full + each * n
    keep(key, { full }, full - now)
  end
  function c.wait(n) return (a.limit == 0 or each * n > room + 0.5) and -1 or retry(full + each * n - room - now) end
  function c.used()
    local left = math.max(0, math.floor((room - (full - now)) / each + 0.000001))
    return math.floor(room / each + 0.5) - left, left
  end
  function c.reset() return seconds(full - now) end
  return c
end

local kinds, asked, pass = { s = sliding, f = fixed, b = bucket }, {}, true
for i, key in ipairs(KEYS) do
  local at, a = (i - 1) * 8, {}
  for j, name in ipairs({ 'kind', 'limit', 'amount', 'window', 'burst', 'origin', 'forced', 'more' }) do
    a[name] = j == 1 and ARGV[at + 1] or tonumber(ARGV[at + j])
  end
  a.counter = kinds[a.kind](key, a)
  a.passes = a.forced == 1 or a.counter.fits(a.amount)
  pass = pass and a.passes
  asked[i] = a
end
local out = {}
for _, a in ipairs(asked) do
  local c, more = a.counter, 0
  if pass and a.amount > 0 then
    while a.more > more and c.fits(a.amount + more + 1) do more = more + 1 end
    c.count(a.amount + more)
  end
  local used, left = c.used()
  local wait = 0
  if not a.passes or (a.amount == 0 and not c.fits(1)) then wait = c.wait(math.max(1, a.amount)) end
  for _, v in ipairs({ a.passes and 1 or 0, used, left, wait, c.reset(), more }) do out[#out + 1] = v end
end
return out
