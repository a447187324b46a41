/* credential.h - what the gateway shows to backends, in one worker: tokens from the shared cache (core/tokens.h), the
 * requests to token endpoints, and the fields, query parameters and signatures that go onto a request.
 *
 * A call that needs a token fills a struct credential_need and asks credential_get. When a good token is there the answer
 * stands at once; when it is time for the next one, that is asked for besides, and the call goes on with the present one.
 * When there is none the call waits, together with all others in all workers, for the one request that is under way: it is
 * woken with the answer in the need. Token requests belong to the worker, not to a call that may go away. */
#pragma once

#include "core/credential.h"
#include "core/jose.h"
#include "core/tokens.h"
#include "fcgi/call_gate.h"

/* A credential as a snapshot holds it. */
struct snap_credential {
	struct credential c;
	struct str provider, resource;       /* provider: its own id when none was set */
	struct str problem;                  /* why it cannot be used (a reference without value); STR_NULL: it can */
	struct str refresh_token;            /* of an administrator's consent; STR_NULL: none */
	struct tokens_id token_id;           /* sealed; of tokens for everybody */
	struct jose_keys *keys;              /* http-signature; NULL: none */
	enum jose_alg alg;
};

struct credential_need {                     /* in the call's arena */
	struct credential_need *next, *prev; /* of the worker's waiting ones */
	struct call *call;
	const struct snap_credential *credential;
	struct snapshot *snapshot;           /* that holds it; the call holds a reference */
	struct tokens_id id;
	int64_t until_us;                    /* gives up then; monotonic */
	bool waits;
	void (*finished)(struct credential_need *n);         /* called once when `done` is set; NULL: nobody is */
	/* the answer */
	bool done;
	struct token_answer token;           /* why NONE */
	uint64_t version;                    /* of the token, for credential_refused */
	enum reason why;
	struct str problem;                  /* for a person; names the token endpoint */
	uint32_t retry_after_s;              /* 0: none */
};

struct credentials;                          /* of one worker */

struct credentials *credentials_new(struct worker *wk);  /* NULL: no memory */
void credentials_free(struct credentials *v);
/* A new snapshot serves: tokens of credentials that changed are forgotten. */
void credentials_configured(struct worker *wk, const struct snapshot *s);

/* NEXT: n->done. WAIT: the call is woken (call_wake) once n->done. */
enum step credential_get(struct call *k, struct credential_need *n);
void credential_drop(struct credential_need *n);         /* not wanted any more; harmless when it does not wait */
void credential_drop_call(struct call *k);               /* the call goes away: all its needs */

/* The backend refused this token. True: n is empty again, credential_get gives another one. False: it is not worth it. */
bool credential_refused(struct call *k, struct credential_need *n);
void credential_accepted(struct call *k, struct credential_need *n, bool accepted);      /* of a replayed call */

/* ---- on the request (credential_apply.c) ---------------------------------------------------------------------------- */

/* Whether the body must be here as a whole before the request can be signed. */
bool credential_wants_body(const struct snap_credential *c);
/* Whether the request may follow a redirect: what is shown stands in Authorization, which is not sent to another host. */
bool credential_may_travel(const struct snap_credential *c);
struct credential_request {
	struct str method;
	struct url *url;                     /* its query may be changed */
	struct str host;                     /* Host field; STR_NULL: of the address */
	struct fields *fields;
	struct str body;                     /* when credential_wants_body */
	struct str client_cert_id;           /* set when a certificate is to be shown */
	struct str problem;                  /* set on failure */
};
/* Puts the credential onto the request; a field of the same name that was there goes. need: of kinds that have tokens. */
enum reason credential_apply(struct call *k, const struct snap_credential *c, const struct credential_need *need,
			     struct credential_request *rq);
/* What traces do not show: a token that a policy of this call has got, or found with the caller; what the backend's configuration
 * put onto the call (fixed.h). */
struct credential_secret {
	struct credential_secret *next;
	struct str text;
	struct str field;                    /* of the header that it stands in, which is shown without any value; STR_NULL: it may be anywhere */
};
/* The caller's token that a per-caller credential acts on; STR_NULL: the call has none. */
struct str credential_subject(struct call *k, const struct snap_credential *c);

/* ---- policies (host_credential.c) ----------------------------------------------------------------------------------- */
enum step host_authorization(struct exchange *x, struct authorization_op *op);
void host_authorization_done(struct credential_need *n);

/* Writes a refresh token that the provider gave in place of `old` into the store, on a thread of its own. */
void credential_keep_refresh(const char *state_dir, struct str environment, struct str id, struct str old, struct str token);
