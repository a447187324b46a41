/* usage.h - what somebody's own keys were used for, for the pages and for the JSON API. */
#pragma once

#include "db/subscriptions.h"
#include "db/telemetry.h"
#include "portal/portal/portal.h"

struct portal_usage {
	struct store_subscription *own;
	size_t n;
	int days;
	int64_t from_us;
	struct str wanted;               /* id of one subscription; empty: all */
	struct str application;          /* id: only its subscriptions; empty: all */
};
/* As ?range= (day, week, month), ?subscription= and ?application= ask. NOT_FOUND: not the caller's. */
GH_RC portal_usage_load(struct web *w, struct portal_usage *u, struct gh_err *err);

struct portal_day {
	int64_t calls, refused, failed;
	int64_t status_class[6];         /* by first digit; [0]: no status */
	struct latency latency;
};
GH_RC portal_usage_days(struct web *w, const struct portal_usage *u, struct portal_day **out, struct gh_err *err);     /* u->days of them */
/* Why calls were refused or failed, most frequent first; of many calls the newest 20,000. */
GH_RC portal_usage_reasons(struct web *w, const struct portal_usage *u, struct store_reason **out, size_t *n, struct gh_err *err);
/* The last calls, newest first, at most `each`. */
GH_RC portal_usage_calls(struct web *w, const struct portal_usage *u, size_t each, struct store_call **out, size_t *n, struct gh_err *err);
/* One call that was made with a key of the caller's own; NOT_FOUND otherwise. */
GH_RC portal_own_call(struct web *w, struct str request_id, struct telemetry_call *out, struct gh_err *err);

/* What was decided, and what to do; fix STR_NULL: nothing went wrong. Where the system behind the API failed, its address and
 * how to mend it are nothing for those who call it. */
struct portal_why {
	struct str decision, detail, fix;
};
struct portal_why portal_why(struct web *w, const struct telemetry_call *t);
/* A sentence of the gateway's in the reader's language; any other as it is. */
struct str portal_decision(struct web *w, struct str decision);
