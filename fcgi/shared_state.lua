-- What machines tell each other of their backends. KEYS[1]: a hash with a record for each part of a backend, packed: the time until
-- which it is open, ejected or believed (0: closed), what goes with it, and of a breaker until when which machine may probe. KEYS[2]:
-- which record changed when, as versions that grow. Times in us of this server. ARGV[1] what to do, and
--   tell     three for each: record, us that are left (-1: closed), what goes with it; answers the versions
--   hear     version after which; answers the newest version, and four for each: record, us left, what goes with it, version
--   claim    record of a breaker, machine, us that it is believed; answers 1 and 0: it may probe, or 0 and us that it may not
--   release  record, machine
local RECORDS, KEPT_MS, ANSWERED = 12288, 172800000, 1000
local all, changed, what = KEYS[1], KEYS[2], ARGV[1]
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]

local function load(record)
  local raw = redis.call('HGET', all, record)
  return raw and cmsgpack.unpack(raw)
end
local function newest()
  local last = redis.call('ZREVRANGE', changed, 0, 0, 'WITHSCORES')
  return tonumber(last[2] or 0)
end

if what == 'tell' then
  local out, version = {}, math.max(now, newest() + 1)
  for i = 2, #ARGV, 3 do
    local left = tonumber(ARGV[i + 1])
    redis.call('HSET', all, ARGV[i], cmsgpack.pack({ left < 0 and 0 or now + left, ARGV[i + 2] }))
    redis.call('ZADD', changed, string.format('%.0f', version), ARGV[i])
    out[#out + 1] = version
    version = version + 1
  end
  local over = redis.call('ZCARD', changed) - RECORDS
  if over > 0 then
    for _, record in ipairs(redis.call('ZRANGE', changed, 0, over - 1)) do
      redis.call('HDEL', all, record)
      redis.call('ZREM', changed, record)
    end
  end
  redis.call('PEXPIRE', all, KEPT_MS)
  redis.call('PEXPIRE', changed, KEPT_MS)
  return out
end
if what == 'hear' then
  local last, since = newest(), tonumber(ARGV[2])
  if since > last then since = 0 end
  local rows = redis.call('ZRANGEBYSCORE', changed, '(' .. string.format('%.0f', since), '+inf', 'WITHSCORES', 'LIMIT', 0, ANSWERED)
  local out = { #rows > 0 and tonumber(rows[#rows]) or last }
  for i = 1, #rows, 2 do
    local v = load(rows[i])
    if v then
      out[#out + 1] = rows[i]
      out[#out + 1] = v[1] == 0 and -1 or math.max(0, v[1] - now)
      out[#out + 1] = tonumber(v[2])
      out[#out + 1] = tonumber(rows[i + 1])
    end
  end
  return out
end

local v, machine = load(ARGV[2]), ARGV[3]
if what == 'release' then
  if v and v[4] == machine then redis.call('HSET', all, ARGV[2], cmsgpack.pack({ v[1], v[2] })) end
  return {}
end
if not v or v[1] == 0 then return { 1, 0 } end
local busy = v[4] ~= machine and v[3] or 0
if v[1] > now or busy > now then return { 0, math.max(v[1], busy) - now } end
redis.call('HSET', all, ARGV[2], cmsgpack.pack({ v[1], v[2], now + tonumber(ARGV[4]), machine }))
return { 1, 0 }
