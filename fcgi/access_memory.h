/* access_memory.h - what a worker remembers of callers besides subscription keys, each kind within its own bound (core/lru.h):
 *
 *   tokens     that were verified, until they expire: the claims, not the token. A token that comes again costs one SHA-256.
 *              Policies keep theirs here too (policy/verified.h)
 *   verdicts   of policies on tokens (policy/verified.h)
 *   answers    of introspection endpoints, for the time that the rule gives, inactive ones for a shorter time
 *   callers    rows of the store by kind and id, known or not
 *   passwords  pairs of user name and password that were found good or bad, as keyed digests, so that Argon2id runs once
 *   identities signed tokens for backends, until half of their life is over
 *
 * All but tokens of other issuers and answers are forgotten when the store's number for access rises. */
#pragma once

#include "core/jose.h"
#include "core/lru.h"
#include "db/callers.h"
#include "db/users.h"
#include "fcgi/access_cache.h"

struct access_jobs;
struct loop;

struct access_memory {
	struct lru tokens, verdicts, answers, callers, passwords, identities;
	struct arena *rows;                  /* of one look-up */
	uint64_t generation;
	bool with_keys, with_groups;         /* what the entries of callers hold: see struct snapshot */
	uint8_t secret[32];                  /* of this process: what passwords are digested with */
	struct access_jobs *jobs;            /* NULL: could not be started; passwords cannot be checked */
};

struct access_memory_options {
	size_t tokens, callers;              /* config access.token_entries, access.caller_entries */
	const char *state_dir;
	struct loop *loop;
};

GH_RC access_memory_new(const struct access_memory_options *o, struct access_memory **out, struct gh_err *err);
void access_memory_free(struct access_memory *m);        /* NULL is fine */

/* ---- callers ---- */
struct caller_entry {
	struct lru_entry lru;
	bool known;
	struct arena *arena;                 /* of the texts */
	struct store_caller row;             /* in clear: the secret of an access key too */
	struct store_application application;    /* id STR_NULL: none */
	struct key_entry **subscriptions;    /* of the application */
	size_t n_subscriptions;
};
/* With a reference for the caller. NULL with err set: the store could not be asked. */
struct caller_entry *access_memory_caller(struct access_memory *m, struct access_cache *c, const struct snapshot *s,
					  struct str kind, struct str id, struct gh_err *err);

/* ---- tokens and answers ---- */
struct token_said {                          /* STR_NULL: it says nothing of that */
	struct str issuer, client, scope, username, groups, subject;
};
enum { TOKEN_SAID = sizeof(struct token_said) / sizeof(struct str) };
struct token_entry {
	struct lru_entry lru;
	uint64_t keys;                       /* jose_keys_id of the issuer's set that verified it; 0: they stand in the rule */
	uint64_t generation;                 /* own tokens: of the store when it was asked about revocation */
	json_t *claims;                      /* NULL: an introspected token that is not active */
	char kid[64];                        /* for the record of a refusal; may be cut */
	int64_t until_us;                    /* answers: remembered until then */
	/* The method that passed it last, with what its operation demands: it does so from then, before then, as long as
	 * openid_version() is `issuers` (0: whatever that is). 0: none. */
	struct {
		uint64_t method, issuers;
		const void *demand;
		int64_t from_us, until_us;
	} passed;
	struct token_said said;              /* of its bearer, to that method */
	char *texts;                         /* of `said`; NULL: it was not looked for yet */
	/* Nobody's: the claims of these names were looked up, and no caller was found at these generations. */
	const void *nobody;
	uint64_t nobody_access, nobody_config;
};
struct token_entry *token_entry_new(const uint8_t digest[LRU_DIGEST_BYTES], json_t *claims);     /* claims: one more reference */
void token_entry_unref(void *entry);
/* Keeps copies of the texts with it, for as long as it lives. False: out of memory, or it keeps others. */
bool token_entry_keep(struct token_entry *e, const struct token_said *said);

/* Something small: a verdict on a password, a signed identity. */
struct note_entry {
	struct lru_entry lru;
	bool good;
	int64_t until_us;
	struct str text;                     /* in this block of memory */
};
struct note_entry *note_entry_new(const uint8_t digest[LRU_DIGEST_BYTES], struct str text);
