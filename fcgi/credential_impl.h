/* credential_impl.h - between credential.c (calls that wait) and credential_fetch.c (requests to token endpoints). */
#pragma once

#include "fcgi/credential.h"
#include "fcgi/shared_token.h"

enum { CREDENTIAL_BACK_OFF_S = 1, CREDENTIAL_LEASE_EXTRA_US = 2000000 };

struct fetch {                               /* one request to a token endpoint; in its own arena */
	struct fetch *next, *prev;
	struct credentials *v;
	struct arena *arena;
	struct snapshot *snapshot;
	const struct snap_credential *credential;
	struct tokens_id id;
	struct str url, old_refresh;
	struct shared_token outside;         /* wk NULL: only this machine knows of it */
	struct transfer *transfer;
	struct buf body;
	bool too_large;
	int64_t begun_us;                    /* wall clock */
};

struct credentials {
	struct worker *wk;
	struct tokens *tokens;               /* NULL: not open (yet) */
	struct credential_need *waiting;
	struct fetch *fetches;
	struct timer look;
	int64_t tried_us, timeout_us;
	size_t response_bytes;
};

extern const struct str credential_subject_refused;  /* begins the failure when it is the caller's token that is refused */

void credentials_open(struct credentials *v);        /* the cache, when it is not open */
void credentials_look_again(struct timer *t);        /* calls that wait */
bool credential_still_so(void *snapshot, struct str environment, struct str credential, const uint8_t print[TOKENS_PRINT_BYTES]);

/* With the claim taken. On failure the failure is noted and the claim is over. */
enum reason credential_fetch(struct credentials *v, struct snapshot *s, const struct snap_credential *c, const struct tokens_id *id);
void credential_fetch_end(struct fetch *f);          /* frees it */
