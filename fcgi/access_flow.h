/* access_flow.h - one call on its way through the access rules of its API: for fcgi/access_*.c and the gate.
 *
 * The groups are tried in order; a group is a walk over its methods. A method that has to wait (a key set, an
 * introspection, a password that is hashed on the helper's thread, a body whose digest is signed) says so and is asked again
 * when the call is woken; nothing here blocks. What the caller shows is looked at and never kept: of tokens, secrets and
 * signatures only digests are remembered.
 *
 * Of several refusals the client is told the one that means most: credentials that were shown and are wrong come before
 * credentials that are missing. All of them are 401, 403 or 503 of fcgi/reason.h. */
#pragma once

#include "fcgi/access_cache.h"
#include "fcgi/access_memory.h"
#include "fcgi/call_gate.h"
#include "policy/elements/openid.h"

enum verdict {
	V_PASS,
	V_MISSING,           /* the caller shows nothing of this kind */
	V_REFUSED,           /* flow.why says why */
	V_WAIT,
	V_BODY,              /* ask again when the whole body is here */
	V_NO_MEMORY,
};

/* What was compared. Texts borrowed from the arena or the snapshot; none of them is a secret or a token. */
struct comparison {
	enum reason reason;
	enum access_kind kind;
	const char *method, *check;
	struct str expected, got, kid, scope;
	struct str scopes_needed;    /* for the challenge of insufficient_scope */
	int rank;                    /* 0: nothing yet, 1: missing, 2: a part of the group was good, 3: shown and wrong */
};

/* Who it is, as far as the methods of the present group have found out. */
struct principal {
	const char *method;          /* of the first that named somebody */
	struct str id, username, client, issuer, scope;      /* STR_NULL where not known */
	struct str groups;           /* comma-separated */
	json_t *claims;              /* of a token; NULL */
	const struct caller_claims *names;
	struct caller_entry *caller;
	struct token_entry *token;   /* held until the exchange ends */
	const struct ctx_subscription *subscription;
	const struct ctx_user *user;
	const struct snap_product *product;
	struct str application, key_prefix, subscription_id;
	bool has_key;                /* the subscription is that of a key: nothing is looked for any more */
	bool own_token;              /* products are those of the token's scope */
	enum subscription_need need;
};

struct access_flow {
	struct call *k;
	struct access_cache *cache;
	struct access_memory *memory;
	const struct snapshot *snapshot;
	const struct snap_api *api;
	const struct snap_rule *const *rules;
	size_t n_rules;
	struct str operation;        /* id; STR_NULL */

	/* where it stands */
	size_t rule, group, method;
	const struct snap_demand *demand;
	unsigned phase;              /* of the present method; 0 when it is asked for the first time */
	void *state;                 /* the same */
	struct comparison why, worst;
	struct principal who;
	const struct snap_rule *granted;     /* the rule that let the call in */
	unsigned used;               /* bits of enum access_kind that let it in: their credentials go out of the request */
	struct access_job *job;      /* under way on the helper's thread */
	bool optional;               /* a refusal is none: the API is open */
	const struct snap_method *tokens;    /* the method whose token field was used */
};

struct access_flow *access_flow_new(struct call *k, struct gate_state *g, const struct snap_rule *const *rules, size_t n_rules);
/* STEP_NEXT when it is decided: granted is set, or not and worst says why. STEP_WAIT: ask again when woken; *body: with the
 * whole body. STEP_FAIL: out of memory. */
enum step access_flow_run(struct access_flow *f, bool *body);
/* The call goes away: what is under way is let go. NULL is fine. */
void access_flow_drop(struct access_flow *f);

/* The groups of the rule at f->rule for this operation; sets f->demand. */
const struct snap_group *groups_of_rule(struct access_flow *f, size_t *n);

/* The rule of APIs without one: an access token of this installation. */
extern const struct snap_rule *const own_token_rule;
/* Whether the call shows a token that names one of our keys. */
bool access_shows_own_token(const struct call *k, const struct snapshot *s);

/* ---- for methods ---- */
typedef enum verdict (*access_check_fn)(struct access_flow *f, const struct snap_method *m);
enum verdict access_by_key(struct access_flow *f, const struct snap_method *m);
enum verdict access_by_client(struct access_flow *f, const struct snap_method *m);
enum verdict access_by_jwt(struct access_flow *f, const struct snap_method *m);
enum verdict access_by_introspection(struct access_flow *f, const struct snap_method *m);
enum verdict access_by_certificate(struct access_flow *f, const struct snap_method *m);
enum verdict access_by_password(struct access_flow *f, const struct snap_method *m);
enum verdict access_by_message_signature(struct access_flow *f, const struct snap_method *m);
enum verdict access_by_sigv4(struct access_flow *f, const struct snap_method *m);

/* Notes why, and gives V_REFUSED (V_MISSING for those that say that nothing was shown). */
enum verdict access_refuse(struct access_flow *f, enum reason why, const char *check, struct str expected, struct str got);
struct arena *access_arena(const struct access_flow *f);
int64_t access_now_us(const struct access_flow *f);
/* The token of a method's field; STR_NULL: there is none of this scheme. */
struct str access_token_text(const struct access_flow *f, const struct snap_method *m);
/* "user:secret" of Authorization: Basic, decoded, cut in two. False: there is none, or it is no such text. */
bool access_basic_pair(const struct access_flow *f, struct str *name, struct str *secret);
/* Audience, scopes, claims of a token that is good otherwise, and whom it names. */
enum verdict access_take_claims(struct access_flow *f, const struct snap_method *m, json_t *claims);
/* The latter alone. */
enum verdict access_take_said(struct access_flow *f, const struct snap_method *m, json_t *claims, const struct token_said *said);
void access_said(struct arena *a, const struct snap_method *m, const json_t *claims, struct token_said *said);
/* A claim by its name or, when there is none, by the path that its dots make. */
json_t *access_claim_of(const json_t *claims, struct str name);
/* All texts of a claim joined with `separator`: a text, a number, or an array of them. STR_NULL: none. */
struct str access_claim_text(struct arena *a, const json_t *v, char separator);
/* The caller of that kind and id, or one that is not known; held until the exchange ends. NULL: f->why is filled. */
struct caller_entry *access_caller(struct access_flow *f, const char *kind, struct str id);
/* Of a client: its present secret, or the one before while that lasts. Constant time. */
bool access_secret_fits(const struct caller_entry *c, struct str secret, int64_t now_us);
/* Takes the caller on: suspended ones are refused. */
enum verdict access_take_caller(struct access_flow *f, struct caller_entry *c);

/* ---- after it: access_identity.c, access_refusal.c ---- */
/* What the rules found out, where the policies and the record look for it. */
void access_fill_gate(const struct access_flow *f, struct access *a);
/* Takes credentials and copies of identity fields out of the request, and tells the backend who calls. */
bool access_tell_backend(struct access_flow *f) MUST_USE;
/* Fields X-Consumer-* that a client sends itself never pass, whatever the API. */
void access_drop_identity(struct fields *headers);
/* The answer, and the record of what was compared. */
void access_answer_refusal(struct access_flow *f, struct last_error *error);
