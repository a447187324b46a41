-- What lighttpd itself refuses looks like the gateway's own errors: JSON with status, message and request id below /api/,
-- and where the request is too malformed to have an address; a plain page elsewhere. gatehouse.conf sends refusals here.
local message = {
	[400] = "Malformed request",
	[403] = "Access to this address is refused",
	[404] = "Resource not found",
	[405] = "The request method is not valid",
	[408] = "The request body did not arrive in time",
	[411] = "The request has no valid Content-Length",
	[413] = "The request body is larger than the limit",
	[414] = "The request URI is longer than the limit",
	[417] = "The expectation of the request cannot be met",
	[431] = "The header fields of the request are larger than the limit",
	[500] = "Internal server error",
	[501] = "The request method is not valid",
	[502] = "The gateway cannot be reached",
	[503] = "The gateway is not available at present, try again",
	[504] = "The gateway did not answer in time",
	[505] = "The HTTP version is not supported",
}
local r = lighty.r
local status = tonumber(r.req_env["REDIRECT_STATUS"] or "") or 404     -- 404: somebody asks for this address itself
local target = r.req_attr["request.orig-uri"] or ""
local text = message[status] or "The request cannot be served"

-- the caller's own id, as the gateway keeps it
local id = r.req_header["X-Request-Id"]
if not id or #id > 128 or not id:match("^[%w_.:+/=@-]+$") then
	id = string.format("%08x%08x", lighty.c.rand() % 4294967296, lighty.c.rand() % 4294967296)
end

r.resp_header["X-Request-Id"] = id
if status == 503 or status == 502 then
	r.resp_header["Retry-After"] = "1"
end
if target:match("^/api$") or target:match("^/api[/;?]") or not target:match("^/") then
	r.resp_header["Content-Type"] = "application/json"
	r.resp_body:set({ string.format('{ "statusCode": %d, "message": "%s", "requestId": "%s" }', status, text, id) })
else
	r.resp_header["Content-Type"] = "text/html; charset=utf-8"
	r.resp_body:set({ string.format('<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>%s</title>\n<h1>%s</h1>\n'
		.. '<p>Status %d, request %s</p>\n', text, text, status, id) })
end
return status
