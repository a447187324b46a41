/* machine_tokens.h - tokens of programs for the management API, and the answers that it gives again to a request that comes twice.
 *
 * A machine token belongs to no person. Its role says what it may do at most, its scopes what of that it is for: "read",
 * "write" (which includes reading), or these of one kind of resource: "write:products". Of a token the store holds the SHA-256
 * digest and the first characters; it is shown once. Writing functions need a transaction. */
#pragma once

#include "db/store.h"

struct store_machine_token {
	struct str id, prefix;
	struct str role, scopes;
	struct str environment_id, business_group_id;    /* where it counts; both STR_NULL: everywhere */
	int64_t created_us, used_us, ends_us;    /* used_us 0: never, to the minute; ends_us 0: never */
};

/* `token` in clear: the only time. */
GH_RC store_machine_token_create(struct store *s, struct arena *a, const struct store_machine_token *t, struct str *token,
				 struct gh_err *err);
GH_RC store_machine_token_update(struct store *s, const struct store_machine_token *t, struct gh_err *err);      /* role, scopes, place, end */
GH_RC store_machine_token_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_machine_token_find(struct store *s, struct arena *a, struct str id, struct store_machine_token *out, bool *found,
			       struct gh_err *err);
/* By the token itself; one that has not ended. */
GH_RC store_machine_token_of(struct store *s, struct arena *a, struct str token, struct store_machine_token *out, bool *found,
			     struct gh_err *err);
GH_RC store_machine_token_used(struct store *s, struct str id, struct gh_err *err);
/* Whether blank-separated scopes allow it; kind is the plural of the kind, STR_NULL: everything. */
bool store_scopes_allow(struct str scopes, bool write, struct str kind);

/* ---- answers that are given again -------------------------------------------------------------------------------------- */

enum { STORE_ANSWERS_MAX = 10000, STORE_ANSWER_HOURS = 24 };
struct store_answer {
	struct str digest, request;
	struct str answer;               /* sealed by whoever keeps it */
	int64_t at_us;
};
/* Not found once its time is over. */
GH_RC store_answer_find(struct store *s, struct arena *a, struct str digest, struct store_answer *out, bool *found,
			struct gh_err *err);
/* Also forgets what is old, and the oldest beyond STORE_ANSWERS_MAX. CONFLICT: there is one of that digest. */
GH_RC store_answer_keep(struct store *s, const struct store_answer *v, struct gh_err *err);
