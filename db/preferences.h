/* preferences.h - how people want pages and mails: language and time zone. Whoever chose nothing has no row or empty texts.
 * No configuration: raises no generation; what somebody chooses is audited, what a browser asked for is not. */
#pragma once

#include "db/store.h"

struct store_preference {
	struct str user_id;
	struct str language;             /* "de"; empty: what the browser asks for */
	struct str zone;                 /* "Europe/Berlin"; empty: that of the browser */
	struct str seen_language;        /* at the last sign-in */
};

GH_RC store_preference_find(struct store *s, struct arena *a, struct str user_id, struct store_preference *out, bool *found,
			    struct gh_err *err);
GH_RC store_preference_find_email(struct store *s, struct arena *a, struct str email, struct store_preference *out, bool *found,
				  struct gh_err *err);
/* language and zone. Needs a transaction, as does the next. */
GH_RC store_preference_set(struct store *s, const struct store_preference *p, struct gh_err *err);
GH_RC store_preference_seen(struct store *s, struct str user_id, struct str language, struct gh_err *err);
