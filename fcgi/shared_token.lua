-- Tokens for backends that several machines share: who asks for the next one, and what came. KEYS[1]: a hash, sealed (the token
-- that came last, which only machines with the same master key can read), mark (tells it from others), at (when it came), due
-- (from when on the next one is asked for), by and until (who asks, and how long that is believed). Times in us of this server.
-- ARGV[1] what to do, ARGV[2] who is asking (a worker), and
--   take   mark of a token that will not do, us that a token may be old, us that the asker is believed
--          answers { 'token', age in us, sealed }; { 'wait', us that somebody else is believed }; { 'ask', sealed or '' }
--   keep   mark, sealed, us until the next is due, us to keep it
--   leave
local key, what, who = KEYS[1], ARGV[1], ARGV[2]
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]

local function ms(us) return math.max(1, math.ceil(us / 1000)) end

if what == 'take' then
  local not_this, oldest, lease = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
  local v = redis.call('HMGET', key, 'sealed', 'mark', 'at', 'due', 'by', 'until')
  local sealed, age = v[1], now - (tonumber(v[3]) or 0)
  if sealed and v[2] ~= not_this and now < tonumber(v[4]) and age <= oldest then return { 'token', age, sealed } end
  local left = (tonumber(v[6]) or 0) - now
  if v[5] and v[5] ~= who and left > 0 then return { 'wait', left } end
  redis.call('HSET', key, 'by', who, 'until', string.format('%.0f', now + lease))
  if redis.call('PTTL', key) < ms(lease) then redis.call('PEXPIRE', key, ms(lease)) end
  return { 'ask', sealed and age <= oldest and sealed or '' }
end
if what == 'keep' then
  redis.call('HSET', key, 'mark', ARGV[3], 'sealed', ARGV[4], 'at', string.format('%.0f', now), 'due', string.format('%.0f', now + ARGV[5]))
  redis.call('PEXPIRE', key, ms(tonumber(ARGV[6])))
end
if redis.call('HGET', key, 'by') == who then redis.call('HDEL', key, 'by', 'until') end
return {}
