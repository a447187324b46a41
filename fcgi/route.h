/* route.h - from a request's address to environment, API and operation.
 *
 *     https://api.example/sandbox/orders/v2/items/7;...      Host, path, query, header fields, method
 *                        └ environment (by host, then by path prefix)
 *                                └ API (longest path on a segment boundary; may be empty)
 *                                       └ version (path segment, header or query: of the version set)
 *                                          └ operation (method and URI template)
 *
 * `;rev=N` behind the API's path (or its version's segment) asks for a revision; without it the current one answers.
 * The cost follows the length of the path, not the number of APIs: paths are found in one hash table of prefixes, whose
 * key is the environment and the segments so far.
 *
 * What is not found is answered 404 "Resource not found", a wrong method too, as in the reference system. The result
 * still names the API, so that its policies (a CORS preflight) and its telemetry apply. */
#pragma once

#include "core/uri.h"
#include "policy/message.h"

struct snapshot;
struct snap_environment;
struct snap_api;
struct snap_operation;

enum route_result {
	ROUTE_FOUND,                 /* api and operation are set */
	ROUTE_NO_OPERATION,          /* api is set: no operation has this method and path */
	ROUTE_NO_API,                /* environment may be set */
	ROUTE_NO_VERSION,            /* the path is that of a version set, but no such version (or none was named); api NULL */
	ROUTE_NO_REVISION,           /* ";rev=" names a revision that is not there; api NULL */
	ROUTE_BAD_TARGET,            /* 400: fault says why */
	ROUTE__COUNT
};
/* Machine word for telemetry: "operation_not_found", "api_not_found", "bad_request_target", ... NULL for ROUTE_FOUND. */
const char *route_reason(enum route_result r);

struct route {
	enum route_result result;
	enum uri_fault fault;                /* ROUTE_BAD_TARGET */
	const struct snap_environment *environment;
	const struct snap_api *api;
	const struct snap_operation *operation;
	bool other_method;                   /* NO_OPERATION: there is one with this path and another method */
	bool preflight;                      /* OPTIONS with Origin and Access-Control-Request-Method, and no operation of its own */
	/* What of the path is behind the API's path, version and revision: starts with "/"; goes to the backend behind the
	 * API's service URL. Borrowed from `path`. */
	struct str rest;
	struct str query;                    /* as it came, with a parameter that names the version; STR_NULL: none */
};

struct route_request {
	struct str method, host;             /* host with or without port; STR_NULL: none */
	struct str path;                     /* raw, behind the place where the gateway is mounted; "" is "/" */
	struct str query;                    /* raw; STR_NULL: none */
	const struct fields *headers;        /* for versions by header, and preflights */
};

/* Template parameters are added to `matched`, percent-decoded, when it is not NULL. False: out of memory. */
bool route_find(const struct snapshot *s, struct arena *a, const struct route_request *rq, struct route *out,
		struct fields *matched) MUST_USE;
