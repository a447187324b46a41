-- wrk: each request another API, operation and key of a store made by `gatehouse fill`.
-- arguments: how many APIs, how many subscriptions
local apis, keys, n = 10, 10, 0
function init(args)
	apis, keys = tonumber(args[1]), tonumber(args[2])
end
function request()
	n = n + 7919
	local path = string.format("/api/fill-%d/r%d/7", n % apis, n % 10)
	return wrk.format("GET", path, { ["Ocp-Apim-Subscription-Key"] = string.format("fill-key-%010d", n % keys) })
end
