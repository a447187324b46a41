-- wrk: each request another token of a file with one a line.
local tokens, n = {}, 0
function init(args)
	for line in io.lines(args[1]) do tokens[#tokens + 1] = line end
end
function request()
	n = n + 1
	return wrk.format("GET", "/api/jwt/1k.json", { ["Authorization"] = "Bearer " .. tokens[n % #tokens + 1] })
end
