/* sessions.h - signed-in browsers. The store holds the SHA-256 of the cookie, not the cookie. Sessions are no configuration:
 * they raise no generation and leave no audit entry. */
#pragma once

#include "core/crypto.h"
#include "db/store.h"

struct store_session {
	struct str id;                   /* SHA-256 of the cookie in hexadecimal */
	struct str user_id;              /* STR_NULL: a visitor */
	struct str csrf;                 /* what forms must send back */
	struct str data;                 /* small, of the web code's own making; STR_NULL: none */
	int64_t created_us, seen_us, ends_us;
	struct str app;                  /* that it belongs to ("gh_portal"): a cookie of one opens no other */
	struct str address, agent;       /* where it was seen last; how the browser names itself */
	struct str proof;                /* besides the password: "second-factor", "provider"; "": nothing */
};

GH_RC store_session_create(struct store *s, const struct store_session *x, struct gh_err *err);
/* Not found once ends_us has passed. */
GH_RC store_session_find(struct store *s, struct arena *a, struct str id, struct store_session *out, bool *found,
			 struct gh_err *err);
GH_RC store_session_update(struct store *s, const struct store_session *x, struct gh_err *err);  /* user, data, seen, ends, address, proof */
GH_RC store_session_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_sessions_delete_of_user(struct store *s, struct str user_id, struct gh_err *err);
/* All of the user but the one that is kept. */
GH_RC store_sessions_delete_others(struct store *s, struct str user_id, struct str keep_id, struct gh_err *err);
/* Those that have not ended, seen last first. */
GH_RC store_sessions_of_user(struct store *s, struct arena *a, struct str user_id, struct store_session **out, size_t *n,
			     struct gh_err *err);
GH_RC store_sessions_prune(struct store *s, struct gh_err *err);                 /* those that have ended */
