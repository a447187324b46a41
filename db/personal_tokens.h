/* personal_tokens.h - tokens with which programs of a person use the portal's JSON API in his name.
 *
 * Of a token the store holds the SHA-256 digest, by which it is found, and its first characters, to recognise it. It is shown
 * once, when it is made. It ends with its day, with its account, or when its owner takes it back. */
#pragma once

#include "db/store.h"

enum { STORE_PERSONAL_TOKENS_MAX = 20 };         /* of one person */

struct store_personal_token {
	struct str id;                   /* STR_NULL at creation: one is made */
	struct str user_id, name;
	struct str prefix;               /* first characters; set at creation */
	bool may_write;                  /* change things, not only read them */
	bool may_manage;                 /* and see to the account itself: password, second factor, tokens */
	int64_t created_us, used_us, ends_us;    /* used_us 0: never, to the minute; ends_us 0: never */
	struct str address;              /* from where it was used last */
};

/* `token` in clear: the only time. LIMIT: the person has as many as one may have. */
GH_RC store_personal_token_create(struct store *s, struct arena *a, const struct store_personal_token *t, struct str *id_out,
				  struct str *token, struct gh_err *err);
/* One that has not ended. */
GH_RC store_personal_token_find(struct store *s, struct arena *a, struct str token, struct store_personal_token *out, bool *found,
				struct gh_err *err);
/* Newest first, those that have ended as well. */
GH_RC store_personal_tokens(struct store *s, struct arena *a, struct str user_id, struct store_personal_token **out, size_t *n,
			    struct gh_err *err);
GH_RC store_personal_token_used(struct store *s, struct str id, struct str address, struct gh_err *err);
/* All of a person, as when his password may be known to others. */
GH_RC store_personal_tokens_delete(struct store *s, struct str user_id, struct gh_err *err);
GH_RC store_personal_token_delete(struct store *s, struct str user_id, struct str id, struct gh_err *err);      /* NOT_FOUND also for others' */
