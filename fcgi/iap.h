/* iap.h - the identity-aware proxy: an API, or a plain web application mounted as one, that browsers reach only after signing
 * in at an OpenID provider.
 *
 *   request ──> a session cookie that is good? ──yes──> groups? ──> identity fields ──> the call goes on
 *                    │ no                                  └ no: 403
 *                    ├ a page that a person asked for ──> 302 to the provider, which answers to BASE/-/iap/callback
 *                    └ anything else (script, form) ────> 401
 *
 *   BASE/-/iap/callback             code + PKCE (RFC 7636) for an ID token; it is checked; 302 to where it began, with the session
 *   BASE/-/iap/logout/PROVIDER      the session ends here, and at the provider where that can be asked for
 *   BASE/-/iap/backchannel/PROVIDER OpenID Connect Back-Channel Logout 1.0: the provider ends sessions
 *
 * A session is a cookie sealed with a key made from the master key (AES-256-GCM); nothing is stored here. It is good for all
 * APIs of the provider, so a person signs in once; of the provider's present issuer and client: a change of either ends it. What
 * must be known of ended sessions is noted among the counters that the workers share (core/counter.h), for as long as the
 * longest session could last. Where those cannot be reached nobody is let in.
 *
 * All requests to the provider go through the loop's own sub-requests; nothing here blocks. */
#pragma once

#include "core/openid_client.h"
#include "fcgi/call_gate.h"
#include "policy/elements/openid.h"

enum {
	IAP_GO_S = 900,                  /* time to sign in at the provider */
	IAP_TOUCH_S = 60,                /* the cookie is renewed when it is older than this, or than a tenth of the idle time */
	IAP_COOKIE_MAX = 3900,           /* of the 4096 bytes that browsers keep of a cookie */
	IAP_FORM_MAX = 65536,            /* of a back-channel request */
	IAP_BACK_MAX = 1200,             /* longest address to go back to; a longer one becomes the API's own */
	IAP_CACHE_SPACE = 'i',           /* name space in core/cache.h: refreshed sessions */
	IAP_REFRESHED_S = 600,           /* how long the outcome of a refresh is kept for others that show the old cookie */
};

/* Of the snapshot: what an API asks for. */
struct snap_iap {
	struct str provider;             /* id */
	struct str issuer, discovery;    /* discovery: address of its configuration */
	struct str client_id, client_secret;     /* secret STR_NULL: a public client */
	struct str scopes, groups_claim;
	const struct str *groups;        /* any of them; none: everybody */
	size_t n_groups;
	int64_t idle_us, max_us;         /* of the API */
};

/* What a cookie says. Texts in the call's arena. */
struct iap_session {
	struct str provider, id;         /* id: of our own making */
	struct str subject, sid;         /* sid: of the session at the provider; empty: it names none */
	struct str email, name, groups;  /* groups: one a line */
	struct str refresh;              /* refresh token; empty: none */
	int64_t begun_us, seen_us, fresh_us;     /* fresh_us: until then the claims need no refresh */
};

/* Whether the path (behind the mount) is one of the above. */
bool iap_owns(struct str path, bool mounted);
/* Answers such a call. */
void iap_own_path(struct call *k, struct gate_state *g, struct str path);
/* The API asks for a sign-in. True: the call may go on now; else it is being answered, or call_gate_passed is called later. */
bool iap_enter(struct call *k, struct gate_state *g);
/* A field to be added to the answer, if any: the renewed session. */
bool iap_field(const struct call *k, struct field *out);

/* The call is over: gives back what the proxy holds. */
void iap_drop(struct gate_state *g, struct call *k);

/* ---- between the files of the proxy ---------------------------------------------------------------------------------- */

struct iap_provider {                    /* what a provider publishes; lives as long as the exchange */
	char *issuer, *authorization, *token, *userinfo, *end_session;
	bool basic, says_issuer;         /* client_secret_basic; iss in its answers (RFC 9207) */
};

struct iap {                             /* one call at the proxy; in the call's arena */
	struct call *k;
	struct gate_state *g;
	const struct snap_iap *conf;
	const struct iap_provider *pub;
	struct fetched configuration;
	enum step (*go)(struct iap *f);  /* STEP_JUMP: go on with f->go; WAIT; NEXT: let the call in; RESPOND: answered */
	enum step (*then)(struct iap *f);        /* after a request */
	enum step (*after)(struct iap *f);       /* after discovery or verification */
	enum step (*bad)(struct iap *f);         /* the token's signature does not fit; NULL: the usual refusal */
	struct openid_state openid;
	struct subrequest *call;
	struct iap_session session;
	struct str cookie;               /* Set-Cookie of the answer; STR_NULL: none */
	struct openid_attempt attempt;
	struct str back;
	struct str code;
	json_t *tokens, *claims, *info;
	struct str token;                /* to be checked: ID token or logout token */
	bool renewed;                    /* keys have been fetched anew for it */
	struct str lock;                 /* held while a session is refreshed; STR_NULL: none */
};

struct iap *iap_new(struct call *k, struct gate_state *g, const struct snap_iap *conf);
bool iap_run(struct iap *f);             /* true: the call may go on */
enum step iap_sign_in(struct iap *f);            /* to the provider, or 401 for what is no page */
int64_t iap_longest_us(const struct iap *f);     /* life of a session: the longest of all APIs of the provider */
enum step iap_refuse(struct iap *f, enum reason why, const char *detail);
enum step iap_redirect(struct iap *f, struct str to, struct str cookie);
struct str iap_origin(const struct call *k);     /* "https://gw.example" */
int64_t iap_now_us(const struct iap *f);

/* iap_cookie.c */
struct str iap_cookie(const struct call *k, const char *name, struct str suffix);        /* value; STR_NULL */
/* False: out of memory, or longer than a cookie may be. path STR_NULL: the gateway's base; seconds 0 removes it. */
bool iap_set_cookie(struct iap *f, const char *name, struct str suffix, struct str value, struct str path, int64_t seconds,
		    struct str *out);
bool iap_seal(struct call *k, const char *kind, struct str plain, struct str *out);
bool iap_unseal(struct call *k, const char *kind, struct str text, struct str *plain);
bool iap_session_write(struct iap *f, struct str *out);          /* sealed */
bool iap_session_read(struct iap *f, struct str sealed, struct iap_session *out);
bool iap_session_cookie(struct iap *f);                          /* f->session into f->cookie */

/* iap_provider.c */
/* f->pub is filled, then `after` runs; refuses with SIGN_IN_UNAVAILABLE. */
enum step iap_discover(struct iap *f, enum step (*after)(struct iap *));
/* A request to the provider; f->then runs with f->call done. form STR_NULL: GET with the bearer token. */
enum step iap_ask(struct iap *f, const char *url, struct str form, bool authenticate, struct str bearer,
		  enum step (*then)(struct iap *));
/* The JSON object of f->call's answer with status 200; NULL. `rejected` (may be NULL): the provider answered 400 or 401. */
json_t *iap_answer(struct iap *f, bool *rejected);
/* Checks the signature of f->token and fills f->claims; then `after` runs, which checks those. */
enum step iap_verify(struct iap *f, enum step (*after)(struct iap *));

/* iap_back.c, iap_refresh.c, iap_logout.c */
enum step iap_begin(struct iap *f);              /* to the provider */
enum step iap_callback(struct iap *f);
void iap_take_claims(struct iap *f, const json_t *info);         /* of f->claims into f->session */
void iap_take_lifetime(struct iap *f);           /* of f->tokens */
enum step iap_refresh(struct iap *f);            /* the session's claims are asked for anew */
enum step iap_admit(struct iap *f);              /* groups, identity fields; lets the call in */
enum step iap_logout(struct iap *f);
enum step iap_backchannel(struct iap *f);
/* DENIED marks: a session by our id, the provider's sid, or everything of a subject that began before. False: they can
 * neither be written nor read. */
bool iap_end_session(struct iap *f, char kind, struct str id);
bool iap_is_ended(struct iap *f, const struct iap_session *s, bool *ended);
