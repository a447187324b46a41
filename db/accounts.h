/* accounts.h - what belongs to a person's account besides name and password: links sent by mail, the second factor, consent
 * to the terms of use. */
#pragma once

#include "db/store.h"

/* ---- links ----------------------------------------------------------------------------------------------------------- */

struct store_link {
	struct str digest;               /* SHA-256 of what stands in the link, hexadecimal */
	struct str kind;                 /* "sign-up", "invitation", "reset", "address" */
	struct str user_id;              /* STR_NULL: there is no account yet */
	struct str email;
	struct str data;                 /* JSON */
	int64_t created_us, ends_us;
};
/* `token` (64 digits in the arena) is what goes into the link: the only time that it is known. */
GH_RC store_link_create(struct store *s, struct arena *a, const struct store_link *link, struct str *token, struct gh_err *err);
GH_RC store_link_find(struct store *s, struct arena *a, struct str token, struct store_link *out, bool *found,
		      struct gh_err *err);                /* not found once it has ended */
/* NOT_FOUND when somebody else was faster: of two uses at once only one succeeds. */
GH_RC store_link_use(struct store *s, struct str digest, struct gh_err *err);
GH_RC store_links_drop(struct store *s, const char *kind, struct str email, struct gh_err *err);
GH_RC store_links_prune(struct store *s, struct gh_err *err);

/* ---- second factor --------------------------------------------------------------------------------------------------- */

struct store_factor {
	struct str user_id;
	struct str secret;               /* bytes */
	int64_t confirmed_us;            /* 0: not in use yet */
	int64_t last_step;
};
GH_RC store_factor_set(struct store *s, struct arena *a, const struct store_factor *f, struct gh_err *err);
GH_RC store_factor_find(struct store *s, struct arena *a, struct str user_id, struct store_factor *out, bool *found,
			struct gh_err *err);
GH_RC store_factor_delete(struct store *s, struct str user_id, struct gh_err *err);      /* with the recovery codes */
/* Takes a code of this time step; NOT_FOUND when that step or a later one was taken already. */
GH_RC store_factor_step(struct store *s, struct str user_id, int64_t step, struct gh_err *err);
/* Puts these in place of all others. Digests are hexadecimal SHA-256. */
GH_RC store_recovery_set(struct store *s, struct str user_id, const struct str *digests, size_t n, struct gh_err *err);
GH_RC store_recovery_use(struct store *s, struct str user_id, struct str digest, struct gh_err *err);    /* NOT_FOUND: wrong */
GH_RC store_recovery_count(struct store *s, struct str user_id, int64_t *out, struct gh_err *err);

/* ---- the end of an account whose row has to stay ---------------------------------------------------------------------- */

/* Second factor, recovery codes, passkeys, personal tokens, links on their way, how pages are shown. Consents stay: they say
 * what was agreed to. */
GH_RC store_account_forget(struct store *s, struct str user_id, struct gh_err *err);

/* ---- consent --------------------------------------------------------------------------------------------------------- */

GH_RC store_consent_add(struct store *s, struct str user_id, struct str terms, struct str address, struct gh_err *err);
GH_RC store_consent_find(struct store *s, struct str user_id, struct str terms, int64_t *at_us, bool *found,
			 struct gh_err *err);
