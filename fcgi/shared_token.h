/* shared_token.h - a token for backends that several machines share in Redis (shared.h): whoever needs one asks there first.
 *
 *   take ──┬── another machine has got one ──────────────────────> FOUND
 *          ├── nobody asks for one: we do, others wait ──────────> ASK, then keep or leave
 *          └── another asks: look again each 50 ms, at most ─────> FOUND, or ASK for ourselves
 *              until credential.timeout_ms is over
 *
 * Without Redis the outcome is ASK. What is kept there is sealed and named by core/tokens.h. On the loop's thread. */
#pragma once

#include "core/arena.h"
#include "fcgi/shared.h"
#include "fcgi/worker.h"

enum shared_token_outcome { SHARED_TOKEN_OPEN, SHARED_TOKEN_FOUND, SHARED_TOKEN_ASK };

struct shared_token {                    /* of one request for a token; zeroed, then the first five set */
	struct worker *wk;
	struct arena *arena;
	struct str name, unwanted;       /* unwanted: mark of a token that will not do; may be empty */
	int64_t oldest_us;               /* tokens that are kept for longer will not do either */
	/* called once, from the loop; the owner may free it in there */
	void (*over)(struct shared_token *t);
	enum shared_token_outcome outcome;
	struct str sealed;               /* FOUND: it; ASK: the one before, if there is any */
	int64_t age_us;                  /* FOUND: since it was kept */

	struct shared_ask wire;
	struct timer turn;
	char who[33];
	int64_t until_us;
	bool asks;                       /* others wait for us */
};

/* True: `over` is called later. False: Redis is away, or out of memory: ask yourself. */
bool shared_token_take(struct shared_token *t);
/* What came, for all others: good for due_us, and kept for keep_us. Ends the asking; so does leave, with nothing. */
void shared_token_keep(struct shared_token *t, struct str mark, struct str sealed, int64_t due_us, int64_t keep_us);
void shared_token_leave(struct shared_token *t);
void shared_token_drop(struct shared_token *t);          /* it is not wanted any more: others need not wait */
