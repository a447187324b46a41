/* secrets.h - secrets by reference, in the store: who refers to what, and the last good value of each.
 *
 * Whoever holds a secret may hold a reference (core/secret_ref.h) in its place: it binds the reference in the transaction
 * that writes the holder, and asks for the value when it needs it.
 *
 *     TRY(store_secret_bind(s, "credential", id, "client_secret", ref, err));        STR_NULL: no reference any more
 *     …
 *     TRY(store_secret_value(s, a, ref, &value, &problem, err));
 *     if (!value.p) …                                                                none was ever read: `problem` says why
 *
 * The keeper reads each reference that something uses, stores what it finds sealed, and raises the configuration's
 * generation when a value changed; so gateways build a new snapshot and nothing else needs to watch. When the place cannot
 * be read the last good value stays. A reference that nothing uses is dropped with its value. */
#pragma once

#include "db/store.h"

struct store_secret {
	struct str ref;
	bool has_value;
	struct str version;
	int64_t changed_us;              /* when the value was seen to change; 0: never read */
	struct str problem;              /* why it cannot be read at present; empty: it can */
	int64_t problem_us;              /* since when */
};

struct store_secret_use {
	struct str kind, holder_id, field, ref;
};

/* In the transaction that writes the holder. INVALID when the text is no reference. Raises the configuration. */
GH_RC store_secret_bind(struct store *s, const char *kind, struct str holder_id, const char *field, struct str ref,
			struct gh_err *err);
/* The holder goes: all its fields. */
GH_RC store_secret_unbind(struct store *s, const char *kind, struct str holder_id, struct gh_err *err);

/* The last good value, in clear. STR_NULL: there is none; then *problem (may be NULL) says why in a sentence. */
GH_RC store_secret_value(struct store *s, struct arena *a, struct str ref, struct str *value, struct str *problem,
			 struct gh_err *err);

/* ---- for whoever reads them: the keeper, and commands that try a reference at once ------------------------------------ */

/* In a transaction. A value that is new raises the configuration; one that is the same only clears a problem. *changed
 * (may be NULL) tells. A reference that nothing uses any more is no error. */
GH_RC store_secret_resolved(struct store *s, struct str ref, struct str value, struct str version, bool *changed,
			    struct gh_err *err);
GH_RC store_secret_failed(struct store *s, struct str ref, struct str problem, struct gh_err *err);

GH_RC store_secrets(struct store *s, struct arena *a, struct store_secret **out, size_t *n, struct gh_err *err);
GH_RC store_secret_uses(struct store *s, struct arena *a, struct store_secret_use **out, size_t *n, struct gh_err *err);

/* ---- reminders: when a secret is to be replaced by hand ---------------------------------------------------------------- */

struct store_reminder {
	struct str kind, object_id;
	int64_t rotate_by_us;
};

/* In the transaction that writes the object; 0: no reminder any more. */
GH_RC store_reminder_set(struct store *s, const char *kind, struct str object_id, int64_t rotate_by_us, struct gh_err *err);
/* 0: there is none. */
GH_RC store_reminder_find(struct store *s, struct arena *a, const char *kind, struct str object_id, int64_t *rotate_by_us, struct gh_err *err);
/* By date. */
GH_RC store_reminders(struct store *s, struct arena *a, struct store_reminder **out, size_t *n, struct gh_err *err);
