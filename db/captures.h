/* captures.h - headers and bodies of calls, written down on demand: of one API, one subscription or one address, for some
 * minutes. The gateway looks at nothing of this for calls while no capture is on. A capture ends by itself at `until_us`, to
 * the call, whether or not the keeper is there to note it; each start, stop and end stands in the audit trail.
 *
 * What the gateway writes (fcgi/capture.h) lies in the shared cache for CAPTURE_KEEP_S, without secrets. */
#pragma once

#include "core/cache.h"
#include "core/json.h"
#include "db/store.h"

enum {
	CAPTURES_ON_MAX = 8,                     /* at once */
	CAPTURE_SECONDS = 600, CAPTURE_SECONDS_MAX = 3600,
	CAPTURE_CALLS = 100, CAPTURE_CALLS_MAX = 500,
	CAPTURE_BODY_BYTES = 16384, CAPTURE_BODY_BYTES_MAX = 65536,
	CAPTURE_TOTAL_BYTES = 16 << 20,          /* of all that one capture writes down */
	CAPTURE_KEEP_S = 86400,
	CAPTURE_MARKED_MAX = 32,                 /* names */
	CAPTURE_CACHE_SPACE = 'c',               /* name space of the calls in core/cache.h; key: the request's id */
	CAPTURE_LIST_SPACE = 'C',                /* of lists: a JSON object a line, newest first; key: the capture's id */
};

struct store_capture {
	struct str id;
	struct str api_id, subscription_id, address;     /* one of them, the others STR_NULL */
	int64_t started_us, until_us;
	int64_t calls, body_bytes;
	struct str marked;                       /* names between blanks */
	struct str started_by;
	int64_t ended_us;                        /* 0: nobody noted its end yet; it may be past until_us */
	struct str ended_by;                     /* who; "time" */
	int64_t number;                          /* rises with each; the store gives it */
};

static inline bool store_capture_is_on(const struct store_capture *c, int64_t now_us)
{
	return !c->ended_us && now_us < c->until_us;
}

/* Starting and stopping stand in the transaction that is open, or in one of their own. */
/* Begins one for `seconds`; id, times and started_by are filled in. calls and body_bytes 0: the usual. INVALID: out of bounds,
 * not exactly one of whose calls, no address; NOT_FOUND: no such API or subscription; LIMIT: too many are on. */
GH_RC store_capture_start(struct store *s, struct arena *a, struct str actor, int64_t seconds, struct store_capture *c, struct gh_err *err);
/* CONFLICT: it has ended already. */
GH_RC store_capture_stop(struct store *s, struct arena *a, struct str actor, struct str id, struct gh_err *err);
/* Notes the end of those whose time is over, and forgets those that ended long ago. Opens a transaction when there is one. */
GH_RC store_captures_end_due(struct store *s, struct arena *a, size_t *ended, struct gh_err *err);

/* Newest first: by falling numbers, those below `before` (0: all), at most `limit` (0: all). */
GH_RC store_captures(struct store *s, struct arena *a, int64_t before, size_t limit, struct store_capture **out, size_t *n, struct gh_err *err);
GH_RC store_captures_on(struct store *s, struct arena *a, struct store_capture **out, size_t *n, struct gh_err *err);
GH_RC store_capture_find(struct store *s, struct arena *a, struct str id, struct store_capture *out, bool *found, struct gh_err *err);

/* The calls of one capture, newest first: objects with id, time, method, path, status, bytes; empty when none was written. */
GH_RC store_capture_calls(struct cache *c, struct arena *a, struct str capture, json_t **out, struct gh_err *err);
/* All that was written down of one call. *out NULL: it was not captured, or is gone. */
GH_RC store_captured_call(struct cache *c, struct arena *a, struct str request_id, json_t **out, struct gh_err *err);
/* That somebody looked at it, in a transaction of its own. */
GH_RC store_capture_seen(struct store *s, struct str actor, struct str request_id, struct gh_err *err);
