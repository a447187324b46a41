/* api_list.h - the list of APIs that the dashboard shows: narrowed by what people look for, with how each one is tracked.
 *
 * An API that the gateway has never seen called is UNREGISTERED, one with a call since `active_since_us` is ACTIVE, any other
 * INACTIVE. Calls are told from the totals in telemetry.db, which are kept for long. */
#pragma once

#include "db/apis.h"

enum store_tracking { STORE_UNREGISTERED, STORE_ACTIVE, STORE_INACTIVE };
extern const char *const store_tracking_names[];         /* "unregistered", ...; ends with NULL */

struct store_api_filter {
	struct str environment, tag;     /* STR_NULL does not narrow */
	int64_t state;                   /* enum store_api_state as of now; -1 does not narrow */
	int64_t tracking;                /* enum store_tracking; -1 does not narrow */
	int64_t active_since_us;
};

/* Current revisions, by id; *total (may be NULL) counts all that fit, on whatever page; -1: not known,
 * because telling how each API is tracked would be half of the work again. */
GH_RC store_api_list(struct store *s, struct arena *a, const struct store_api_filter *f, const struct store_page *page,
		     struct store_api **out, size_t *n, int64_t *total, struct gh_err *err);
/* End of the last hour in which the API was called; 0: never. */
GH_RC store_api_last_call(struct store *s, struct str api_id, int64_t *us, struct gh_err *err);
enum store_tracking store_tracking_of(int64_t last_call_us, int64_t active_since_us);
/* Every tag that some API of the environment (empty: of any) was given, by name. */
GH_RC store_tags_in_use(struct store *s, struct arena *a, struct str environment, struct store_tag **out, size_t *n, struct gh_err *err);
