-- Calls at once that several machines count together. KEYS[1]: a sorted set of those that are inside, by when they are believed no
-- longer, in us of this server: a machine that dies gives its places back by saying no more. ARGV:
--   enter  who, us that it is believed, most; answers 1 or 0, and how many are inside
--   renew  who, us; comes back in when it was believed no longer: it is still there, and counts
local key, what, who, lease = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]

redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
local inside = redis.call('ZCARD', key)
if what == 'enter' and inside >= tonumber(ARGV[4]) and not redis.call('ZSCORE', key, who) then return { 0, inside } end
inside = inside + redis.call('ZADD', key, string.format('%.0f', now + lease), who)
if redis.call('PTTL', key) < lease / 1000 then redis.call('PEXPIRE', key, math.ceil(lease / 1000)) end
return { 1, inside }
