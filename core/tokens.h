/* tokens.h - the token cache that all workers of a machine share: a mapped file, DIR/tokens.
 *
 * An entry is one token of one credential (and of one caller, for tokens on behalf of callers). It holds the sealed token,
 * when it was issued and when it expires, how often and when it was last used, who is asking for a new one right now, and
 * how the last failed request ended. Reading takes no lock and no system call; a token that was read before is not even
 * unsealed again. Changing takes a lock on the file, which the kernel gives back when its holder dies.
 *
 * Single flight: whoever wants a token asks tokens_claim; exactly one process is told yes until it stored a token, noted a
 * failure, died, or its time ran out.
 *
 * Times are wall clock, µs since 1970; the caller passes `now`. Values are sealed with a key that is derived from the master
 * key: with another master key all entries are void. A handle belongs to one thread. Any process may have the file open. */
#pragma once

#include "core/arena.h"
#include "core/crypto.h"
#include "core/error.h"

struct tokens;

enum {
	TOKENS_SLOT_BYTES = 16384,           /* one entry with its token; what does not fit is not kept (LIMIT) */
	TOKENS_NAME_MAX = 128,               /* bytes of an environment's or credential's id; longer ones are cut in lists */
	TOKENS_PRINT_BYTES = 16,
	TOKENS_FAILURE_MAX = 256,
};

/* Which entry. `print` says which state of the credential it belongs to (core/credential.h); `subject` is the token of the
 * caller, of which only a digest is kept; STR_NULL: the token is for everybody. */
struct tokens_id {
	struct str environment, credential, subject;
	uint8_t print[TOKENS_PRINT_BYTES];
	uint8_t digest[CRYPTO_SHA256_BYTES]; /* filled by tokens_id_seal */
};
void tokens_id_seal(struct tokens_id *id);

/* Makes the file when it is missing, when `entries` is another number or it was made by another version: tokens are then
 * asked for anew. entries 0: only when it is there (NOT_FOUND otherwise), for looking. */
GH_RC tokens_open(struct tokens **out, const char *path, size_t entries, const uint8_t master[CRYPTO_KEY_BYTES],
		  struct gh_err *err);
void tokens_close(struct tokens *t);         /* NULL is fine */
bool tokens_has_key(const struct tokens *t, const uint8_t master[CRYPTO_KEY_BYTES]);     /* it was opened with this one */

enum tokens_state {
	TOKENS_NONE,                         /* there is none, or it has expired */
	TOKENS_LIVE,
	TOKENS_DUE,                          /* good, and time to get the next one */
};

struct tokens_view {
	enum tokens_state state;
	struct str value;                    /* not NONE: what was stored; valid until the next call with this handle */
	uint64_t version;                    /* of the value; another one after each tokens_store */
	int64_t issued_us, expires_us;
	int64_t retry_us;                    /* after a failure: nobody may ask before; 0: at once */
	unsigned failures;                   /* in a row */
	bool asking;                         /* somebody holds the claim */
	struct str failure;                  /* how the last request failed; STR_NULL: it did not. As `value` */
};

/* Looks an entry up. `use`: counts a use when there is a token. */
void tokens_get(struct tokens *t, const struct tokens_id *id, int64_t now_us, bool use, struct tokens_view *out);
/* The value that was stored last, expired or not, for the refresh token in it; in the arena. STR_NULL: none. */
struct str tokens_last(struct tokens *t, const struct tokens_id *id, struct arena *a);

/* True: the caller is the one who asks, until now + lease. False: another one does, or nobody may before retry_us. */
bool tokens_claim(struct tokens *t, const struct tokens_id *id, int64_t now_us, int64_t lease_us);
/* Ends the claim with a token. refresh_us: from when on TOKENS_DUE is said. LIMIT: too large to keep. */
GH_RC tokens_store(struct tokens *t, const struct tokens_id *id, struct str value, int64_t issued_us, int64_t refresh_us,
		   int64_t expires_us, struct gh_err *err);
/* Ends the claim with a failure: nobody asks before retry_us. The token that is there stays. */
void tokens_fail(struct tokens *t, const struct tokens_id *id, struct str failure, int64_t retry_us);
void tokens_unclaim(struct tokens *t, const struct tokens_id *id);   /* ends it with nothing */

/* A backend refused the token of that version. True: it is void now, get another (somebody may have already). False: the
 * one before it was refused as well, not long ago: another request would not help. */
bool tokens_refused(struct tokens *t, const struct tokens_id *id, uint64_t version, int64_t now_us);
/* What the backend said to the token that came after a refused one. */
void tokens_replayed(struct tokens *t, const struct tokens_id *id, bool accepted, int64_t now_us);

/* ---- looking and clearing ----------------------------------------------------------------------------------------- */

struct tokens_row {
	struct str environment, credential;
	struct str subject;                  /* eight digits of the digest of the caller's token; empty: for everybody */
	int64_t issued_us, expires_us, used_us, retry_us;    /* 0: never */
	int64_t uses, requests;              /* calls served; requests to the token endpoint that gave a token */
	bool live;
	struct str failure;                  /* empty: none */
};
GH_RC tokens_list(struct tokens *t, struct arena *a, int64_t now_us, struct tokens_row **out, size_t *n, struct gh_err *err);
/* Forgets the tokens of a credential (STR_NULL: of all; environment STR_NULL: in all). Returns how many. */
size_t tokens_purge(struct tokens *t, struct str environment, struct str credential);
/* Forgets the entries for which keep answers false. */
size_t tokens_sweep(struct tokens *t, bool (*keep)(void *arg, struct str environment, struct str credential,
						   const uint8_t print[TOKENS_PRINT_BYTES]), void *arg);

/* ---- the same token on other machines (fcgi/shared_token.h) -------------------------------------------------------------
 *
 * Whoever has not the master key can neither read nor guess anything of it. Texts are in the arena; NULL: out of memory. */
struct tokens_outside {
	struct str value;
	int64_t life_us, due_us;             /* from when it was kept on: until it expires, until TOKENS_DUE is said */
};
struct str tokens_outside_name(const struct tokens *t, struct arena *a, const struct tokens_id *id);
struct str tokens_mark(const struct tokens *t, struct arena *a, struct str value);       /* tells values apart; empty of an empty one */
GH_RC tokens_wrap(const struct tokens *t, struct arena *a, const struct tokens_id *id, const struct tokens_outside *v, struct str *out,
		  struct gh_err *err);
/* False: it is no token of this entry, or was sealed under another master key. */
bool tokens_unwrap(const struct tokens *t, struct arena *a, const struct tokens_id *id, struct str sealed, struct tokens_outside *out);
/* When tokens_purge was last called (wall clock; 0: never): what others kept before is not wanted here. */
int64_t tokens_purged_us(const struct tokens *t);
