/* web.h - what the portal and the dashboard share: one request from the socket to the page.
 *
 *   web server ── FastCGI ──> serve.c ── request.c ──> app.c: session, route, right, CSRF ──> handler ──> page.c ──> out
 *
 * A program is a table of routes (struct web_route) and a folder of templates. Each route names the right that a caller
 * needs; it is checked in one place (app.c) before the handler runs, and every POST needs its form token there as well, so
 * a handler cannot forget either. A page is rendered whole before its first byte leaves: a failure becomes an error page
 * and never half a page. One request at a time per process; nothing here is thread-safe. */
#pragma once

#include "config/rights.h"
#include "core/client.h"
#include "core/config.h"
#include "core/counter.h"
#include "core/lang.h"
#include "core/liquid.h"
#include "db/sessions.h"
#include "db/users.h"
#include "core/json.h"
#include "portal/web/params.h"

/* ---- rights -------------------------------------------------------------------------------------------------------- */

enum web_right {
	WEB_ANYBODY,                     /* no sign-in needed */
	WEB_SIGNED_IN,                   /* any user */
	WEB_OWN_ACCOUNT,                 /* any user, for what proves who he is; a personal token needs the scope `account` */
#define RIGHT(name, text, about) WEB_##name,
#include "config/rights.def"
#undef RIGHT
	WEB_TOKEN,                       /* a program: the handler checks its bearer token; no session, no form token */
	WEB_RIGHT__COUNT
};
/* Whether a role ("administrator" …) carries the right. STR_NULL is a visitor. */
bool web_role_may(struct str role, enum web_right right);

struct web;
/* Whether who is signed in has the right somewhere, everywhere, or in one environment. What an account may is its role and, in the
 * dashboard, what is assigned to it and its groups (config/rights.h). */
bool web_may(const struct web *w, enum web_right right);
bool web_may_everywhere(const struct web *w, enum web_right right);
bool web_may_in(const struct web *w, enum web_right right, struct str environment);
enum right web_right_of(enum web_right right);           /* of those of the table */

/* What a route is about: whether somebody with the right in some places only may call it. */
enum web_about {
	WEB_ABOUT_ALL,                   /* no: it shows or changes what belongs to all */
	WEB_ABOUT_ENVIRONMENT,           /* it keeps to web.environment, which the right is held in */
	WEB_ABOUT_RESOURCES,             /* it works through config/resource.h, which keeps to what the account may */
	WEB_ABOUT_THING,                 /* it is about one thing, which web_app.sees judges */
};

/* ---- request and response ------------------------------------------------------------------------------------------ */

struct web_request {
	struct str method;               /* upper case */
	struct str path;                 /* decoded, behind the app's base path, begins with "/" */
	struct str target;               /* path and query as received, for going back behind a sign-in */
	struct str media_type;           /* of the body, with parameters */
	struct str body;
	struct str address;              /* of the client */
	struct str host;                 /* "gw.example:8080" as the client named it; empty when it is no host name */
	struct str if_none_match, if_match;
	struct str authorization;        /* the field as it came; empty when there is none */
	struct str accept_language;      /* as it came */
	struct str accept_encoding;
	struct str csrf;                 /* X-CSRF-Token: a form token of a JSON request */
	struct str accept, idempotency_key;      /* as they came */
	struct str agent;                /* how the browser names itself, cut to WEB_AGENT_MAX */
	bool tls;                        /* the web server speaks TLS with the client */
	struct web_params query, form, cookies;
	struct str id;                   /* names this request in logs and error pages */
	struct str args[4];              /* what the {…} of the route's pattern matched, in order */
};

enum { WEB_HEADERS_MAX = 20, WEB_AGENT_MAX = 200 };

struct web_response {
	int status;
	struct {
		const char *name;
		struct str value;
	} headers[WEB_HEADERS_MAX];
	size_t n_headers;
	struct buf body;
};

struct web_site;
struct zone;

struct web {                             /* one request */
	const struct web_site *site;
	struct arena *a;
	struct web_request rq;
	struct web_response rs;
	const struct web_route *route;
	/* who */
	bool signed_in;
	struct store_session session;
	struct store_user user;
	struct rights rights;            /* of the user; of the dashboard */
	struct str actor;                /* who acts, when it is no user: "token:pipeline" */
	struct str environment;          /* what lists keep to; STR_NULL: all */
	struct str csrf;                 /* the token that forms carry */
	/* how to write to them */
	const struct lang *lang;         /* NULL until it is asked for; see web_text */
	const struct zone *zone;         /* of the account; NULL: UTC, and the browser's own by script */
	struct str zone_name;
	bool shipped_only;               /* templates of the theme are not used, one failed */
	/* JSON */
	/* signing in */
	const char *proof;               /* besides the password, by what: WEB_PROOF_…; NULL: nothing */
	bool factor_missing;             /* a second factor is demanded and there is none: only where one is set up may be gone */
	bool by_token, may_write;        /* who asks showed a personal token; it may change things */
	bool may_manage;                 /* and see to the account itself */
	json_t *fields;                  /* what is wrong with which value; NULL: nothing */
	const struct web_json_member *members;   /* of the body, by the fields of the form that they stand for */
	/* what the template sees */
	struct liquid_record *page;
	struct liquid_record *form;      /* page.form, once web_form was called */
};

typedef GH_RC web_handler(struct web *w, struct gh_err *err);

struct web_route {
	const char *method;              /* "GET" answers HEAD too */
	const char *pattern;             /* "/apis/{id}": {} matches one segment, {…*} the rest */
	enum web_right right;
	web_handler *run;
	enum web_about about;
};

/* The segments of a pattern against those of a path, and what its {…} matched. */
bool web_match(const char *pattern, struct str path, struct str args[4]);
/* Which row answers; *allow (may be NULL) gets the methods that the path knows when none fits ("GET, POST"). NULL: none.
 * The matched parts are put into args. */
const struct web_route *web_route_find(const struct web_route *routes, struct str method, struct str path, struct str args[4],
				       struct buf *allow);

/* ---- a program ----------------------------------------------------------------------------------------------------- */

struct web_app {
	const char *program;             /* "gatehouse-portal" */
	const char *templates;           /* its folder in templates/ */
	const char *cookie;              /* name of the session cookie */
	const char *sign_in;             /* path of the sign-in page; NULL: there is none */
	enum setting base_path;
	enum web_right enter;            /* what an account needs to sign in here */
	bool is_dashboard;               /* which identity providers are offered */
	const struct web_route *routes;  /* ends with a NULL method */
	const char *json;                /* paths that begin so are a JSON API: errors and rights in its way; NULL: none */
	/* Finds the person behind a bearer token of the JSON API: w->user, w->may_write, w->may_manage. */
	GH_RC (*token)(struct web *w, struct str token, bool *found, struct gh_err *err);
	/* The management API: paths that begin so, the largest body they take, and how a failure before the handler is told. NULL:
	 * there is none. */
	const char *rest;
	enum setting rest_max_bytes;
	void (*rest_error)(struct web *w, int status, const char *explain);
	/* Of a route about one thing: *yes, whether the account has the route's right where the thing belongs. Of a route about an
	 * environment: chooses w->environment. NULL: rights count everywhere. */
	GH_RC (*sees)(struct web *w, bool *yes, struct gh_err *err);
	web_handler *common;             /* puts what the layout of every page needs into w->page */
	/* May answer in place of a page that needs a right (terms to agree to first): sets w->rs.status. NULL: never. */
	web_handler *before;
};

struct web_keys {
	uint8_t form[CRYPTO_SHA256_BYTES];       /* signs the form tokens of visitors */
	uint8_t seal[CRYPTO_KEY_BYTES];          /* seals cookies that only we may read */
};
enum { WEB_KEYS_BEFORE_S = 3600 };       /* what was begun under the master key before is taken so long */

struct web_site {                        /* one process */
	const struct web_app *app;
	const char *state_dir, *share_dir;
	struct config config;
	struct client_trust trust;       /* proxies whose word about the visitor counts */
	struct arena *arena;             /* settings and templates */
	struct store *store;
	struct counters *counters;       /* sign-in tries */
	struct theme theme;              /* files of the operator in place of the shipped ones */
	const struct langs *langs;
	struct counters *limits;         /* those of the gateway, to look at; NULL: not there */
	struct web_templates *templates;
	char stamp[CRYPTO_SHA256_BYTES]; /* of the shipped templates and texts that it has */
	struct web_assets *assets;       /* addresses of static files */
	struct str base, static_base;    /* both begin and end with "/" */
	struct str css_version;
	struct web_keys keys, keys_before;
	int64_t keys_before_until_us;    /* monotonic; 0: there are none */
};

/* main() of a program: options, settings, templates, store, then requests until SIGTERM. */
int web_main(const struct web_app *app, int argc, char **argv);

/* One request through session, route, rights and handler to a complete response: web_identify finds out who asks,
 * web_dispatch does the rest. w is zeroed but for site, arena, rq and the response's buffer. For serve.c and tests. */
void web_answer(struct web *w);
void web_identify(struct web *w);
void web_dispatch(struct web *w);

/* Makes the keys from the master key as it is now. On failure those that are there stay. */
GH_RC web_keys_read(struct web_site *site, struct gh_err *err);
const struct web_keys *web_keys_before(const struct web_site *site);     /* NULL: there are none, or their time is over */
/* Reads settings and templates (into a new arena) and opens nothing. For serve.c and tests. */
GH_RC web_site_load(struct web_site *site, struct gh_err *err);
/* All templates of the app and of web/ parsed, and every partial found. */
GH_RC web_templates_load(struct arena *a, const struct theme *theme, const char *app_folder, struct web_templates **out,
			 struct gh_err *err);
/* A digest of the shipped files that web_site_load reads for pages: another one after an upgrade. */
GH_RC web_templates_stamp(const char *share_dir, const char *app_folder, char out[CRYPTO_SHA256_BYTES], struct gh_err *err);
/* Renders "folder/name" with w->page to the end of out; for parts of pages. */
GH_RC web_render(struct web *w, const char *template, struct buf *out, struct gh_err *err);

/* ---- for handlers -------------------------------------------------------------------------------------------------- */

/* Renders the template "NAME.html" of the app with w->page inside the layout. */
GH_RC web_page(struct web *w, const char *name, struct gh_err *err);
/* To a path of this app ("apis/orders"), 303 See Other. */
GH_RC web_redirect(struct web *w, struct str path, struct gh_err *err);
void web_header(struct web *w, const char *name, struct str value);
/* The answer to a request that failed: a designed page with the request's id. */
void web_error_page(struct web *w, int status, const char *explain);

/* JSON API (struct web_app.json): programs show a bearer token, scripts of a page the session and X-CSRF-Token. A handler gets
 * the body by web_json_body (*out NULL: it was refused and the answer stands) and refuses with web_json_error, after naming
 * values by web_json_field. NULL for reason or message: those of the status. */
bool web_is_json(const struct web *w);
GH_RC web_json_body(struct web *w, json_t **out, struct gh_err *err);
/* Members of the body as fields of a form, so that a page and its call are checked by the same lines: texts as they are, true as
 * "yes". `name` may lead into objects ("credential/response"). From then on web_form_error names the member. *ok false: answered.
 * The table ends with a NULL name and lives as long as the request. */
struct web_json_member {
	const char *name, *field;
};
GH_RC web_json_form(struct web *w, const struct web_json_member *members, bool *ok, struct gh_err *err);
/* Whether If-Match or If-None-Match lists the tag, or is "*". */
bool web_tag_listed(struct str field, struct str tag);
void web_json_field(struct web *w, const char *name, const char *message);
bool web_is_rest(const struct web *w);           /* struct web_app.rest */
void web_csrf_prepare(struct web *w);             /* w->csrf is set, a visitor gets the cookie that goes with it */
bool web_csrf_matches(struct web *w, struct str sent);   /* the form token of the session */
/* The person behind a personal token: w->user, w->may_write, w->may_manage. Notes its use. */
GH_RC web_token_user(struct web *w, struct str token, bool *found, struct gh_err *err);
void web_json_error(struct web *w, int status, const char *reason, const char *message);

/* JSON in place of a page. */
GH_RC web_json(struct web *w, int status, const char *media_type, const json_t *v, struct gh_err *err);

/* "https://apis.example.com": what links in mails and redirects of identity providers begin with. From web.public_url; a
 * Host field is believed only when it is this machine's own name (127.0.0.1, ::1, localhost), as anybody can send any other.
 * UNAVAILABLE with what to set otherwise. */
GH_RC web_public_address(struct web *w, struct str *out, struct gh_err *err);
struct str web_portal_base(const struct web_site *site, struct arena *a);        /* "/": base path of the portal, also in the dashboard */

/* Makes the body shorter when it is large and the client takes gzip. For a handler, at its end. */
void web_compress(struct web *w);

/* The policy on content of this page, in place of the one that all pages have. */
void web_content_policy(struct web *w, struct str policy);

struct store_site;
/* What links in mails begin with, of both apps; STR_NULL when the public address is not known (db/notices.h). */
void web_store_site(struct web *w, struct store_site *out);
/* What the gateway's workers keep in common. *out NULL: no gateway has made it yet. */
struct cache;
GH_RC web_cache(struct web *w, struct cache **out, struct gh_err *err);
struct str web_actor(struct web *w);             /* "user:ann@example.com" or what struct web.actor says: who acts, for transactions */

/* Answers with a file of www/ and an ETag; a handler for "/static/{file*}". */
web_handler web_static;
/* The same for files of the theme's www/; for "/theme/{file*}" of the portal. */
web_handler web_theme_file;

/* A sentence that the next page shows once, at its head: kind is "good" or "bad". For signed-in users. */
GH_RC web_flash(struct web *w, const char *kind, struct str text, struct gh_err *err);

/* Starts a session for the user under a new cookie, ends the present one. */
GH_RC web_session_begin(struct web *w, const struct store_user *user, struct gh_err *err);
GH_RC web_session_end(struct web *w, struct gh_err *err);

/* A small text that a browser keeps for us and cannot read or change (AES-256-GCM), for so long. An empty one removes it. */
GH_RC web_sealed_put(struct web *w, const char *cookie, struct str text, int64_t seconds, struct gh_err *err);
struct str web_sealed_get(struct web *w, const char *cookie);    /* STR_NULL: none, changed, or too old */

/* Slowing down. web_brake tells how many seconds to wait before one more try with this account from this address may be
 * made (0: now); web_brake_count counts a failed one. `what` names the counter ("sign-in"). */
uint32_t web_brake(struct web *w, const char *what, struct str account);
void web_brake_count(struct web *w, const char *what, struct str account);
/* Takes one of so many an hour; false: none is left. */
bool web_allowance(struct web *w, const char *what, struct str whom, int64_t per_hour);
struct str web_network(struct web *w);           /* of the client: its address, of IPv6 the /64 */

/* ---- signing in: portal/web/sign_in.c, second_factor.c, oidc_sign_in.c; for the routes of both apps -------------------- */

web_handler web_sign_in_form, web_sign_in, web_sign_out, web_code_form, web_code, web_provider_start, web_provider_back;
/* The steps of signing in, for pages and for the JSON API, from the fields of the form: the same checks, the same slowing down and
 * the same words. status 0: not refused. text NULL: the errors stand beside their fields. */
struct web_refusal {
	int status;                      /* 403, 422, 429 */
	const char *text;
};
/* `email` and `password`: whose they are. */
GH_RC web_password_take(struct web *w, struct store_user *user, struct web_refusal *no, struct gh_err *err);
/* A user whose first factor is proven: the session begins, or (*in false) a sealed cookie remembers whose second one is awaited. */
GH_RC web_enter(struct web *w, const struct store_user *user, struct str back, bool *in, struct gh_err *err);
GH_RC web_code_awaited(struct web *w, struct store_user *user, struct str *back, bool *found, struct gh_err *err);
GH_RC web_code_drop(struct web *w, struct gh_err *err);          /* it is awaited no more */
/* `code`, or a passkey in its place: the session begins. */
GH_RC web_code_enter(struct web *w, const struct store_user *user, struct web_refusal *no, struct gh_err *err);
GH_RC web_code_passkey_enter(struct web *w, const struct store_user *user, struct web_refusal *no, struct gh_err *err);
GH_RC web_passkey_enter(struct web *w, struct web_refusal *no, struct gh_err *err);      /* a passkey alone */
/* A one-time or recovery code of the user; a good one is used up. */
GH_RC web_code_take(struct web *w, const struct store_user *user, struct str code, bool *fits, struct gh_err *err);
enum { WEB_RECOVERY_CODES = 10 };
/* New recovery codes in place of the old ones; `shown` is the only time that they are known. Needs a transaction. */
GH_RC web_recovery_make(struct web *w, struct str user_id, struct str shown[WEB_RECOVERY_CODES], struct gh_err *err);
/* ---- passkeys: portal/web/passkey.c ---- */
struct store_passkey;
/* A new challenge for `purpose`, bound to the user (or to nobody): in the browser's keeping, and as `challenge` and `rp_id` in
 * w->page. UNAVAILABLE when it is not known under which address people reach us. */
GH_RC web_passkey_challenge(struct web *w, const char *purpose, struct str user_id, struct gh_err *err);
/* The same, for those who make no page of it. */
GH_RC web_passkey_new(struct web *w, const char *purpose, struct str user_id, struct str *challenge, struct str *rp_id, struct gh_err *err);
/* What a browser sent for the user who is signed in: checked, its challenge used up. INVALID, CONFLICT: refused, err says why
 * for the log. Needs a transaction. */
GH_RC web_passkey_made(struct web *w, const char *purpose, struct store_passkey *out, struct gh_err *err);
/* A signature by a key of anybody, or of `only`; a good one is used up. In a transaction of its own. */
GH_RC web_passkey_answered(struct web *w, const char *purpose, struct str only, struct store_user *user, bool *fits,
			   struct gh_err *err);
struct str web_passkey_bytes(struct web *w, const char *field);  /* of a form field in base64url; "" when there are none */
web_handler web_passkey_form, web_passkey_sign_in, web_code_passkey_form, web_code_passkey;
const char *web_wait_text(struct web *w, uint32_t wait); /* for a form; sets Retry-After */
/* A user whose first factor is proven: asks for the second one, or starts the session and goes to `back`. */
GH_RC web_sign_in_user(struct web *w, const struct store_user *user, struct str back, struct gh_err *err);
/* Whether nobody else could manage the installation without this user. */
GH_RC web_last_administrator(struct web *w, const struct store_user *user, bool *last, struct gh_err *err);
/* The identity providers that this app offers, as `providers` in w->page. */
GH_RC web_put_providers(struct web *w, struct gh_err *err);
struct str web_link_mark(struct web *w);         /* stands in addresses that link an identity to the present account */
/* An e-mail address that a form may carry; else the sentence for its field. NULL: fine. */
const char *web_email_problem(struct str email);

/* The sentence above a form, `form.error`; NULL or STR_NULL: none. */
void web_form_problem(struct web *w, const char *english);

/* A form on a page: `form` in w->page gets csrf, values and errors (by field name); see templates/web/field.html. */
struct liquid_record *web_form(struct web *w);
void web_form_value(struct web *w, const char *field, struct str value);
void web_form_error(struct web *w, const char *field, struct str message);

/* The part of a long list that "?page=N" asks for: rows to show from *from on, at most `per_page`. Sets what
 * templates/web/pages.html needs. */
enum { WEB_OPERATIONS_ROWS = 100 };
size_t web_slice(struct web *w, size_t rows, size_t per_page, size_t *from);

/* ---- the owner of an account: owner.c, own_factor.c, own_passkey.c; pages of both apps below /account --------------------- */

/* Adds a mail in the present transaction: data (stolen, may be NULL) with `name` and, when link is given, the address of
 * that path of the portal as `link`. Nothing is sent beyond web.mails_per_hour; that is no error. */
GH_RC web_mail(struct web *w, struct str to, const char *template, struct str name, struct str link, json_t *data,
	       struct gh_err *err);
/* "Ada", for the greeting of a mail: the first name, else the address. */
struct str web_greeting(const struct store_user *user);
/* Whether the person at the browser is the account's owner, not just somebody at an open browser: by the password in the
 * form's `field`, or, for an account without one, by a fresh sign-in. Puts the error beside the field. */
bool web_owner_proven(struct web *w, const char *field);
/* Whether the account may enter the dashboard: by its own role, or by one that is assigned to it or to its groups, be it in one place. */
GH_RC web_enters_dashboard(struct web *w, const struct store_user *user, bool *yes, struct gh_err *err);
struct str web_present_session(const struct web *w);     /* its id; "" for who shows a token */
GH_RC web_site_title(struct web *w, struct str *out, struct gh_err *err);        /* of the portal, also in the dashboard */

/* How a session was begun, besides by a password (store_session.proof). */
#define WEB_PROOF_SECOND_FACTOR "second-factor"
#define WEB_PROOF_PROVIDER "provider"            /* an identity provider whose word is taken, admin.second_factor_at_provider */
GH_RC web_session_proven(struct web *w, struct gh_err *err);     /* its second factor was shown just now */
/* Whether this app demands one, and how far the present session is with it. Who shows a token is not asked. */
enum web_factor_state { WEB_FACTOR_FINE, WEB_FACTOR_MISSING, WEB_FACTOR_NOT_SHOWN };
bool web_factor_demanded(const struct web *w);
/* The same of an account: the portal asks those who may enter the dashboard too, once they have one. */
GH_RC web_factor_demanded_of(struct web *w, const struct store_user *user, bool *yes, struct gh_err *err);
GH_RC web_factor_state(struct web *w, enum web_factor_state *out, struct gh_err *err);
GH_RC web_has_factor(struct web *w, struct str user_id, bool *code, bool *passkey, struct gh_err *err);
web_handler web_ask_factor;              /* struct web_app.before: whoever has none sets one up and goes nowhere else */

/* Setting up, renewing, removing: what the pages and the JSON API share, from the fields of the form; *ok false: errors beside them. */
struct store_factor;
/* The second factor in use, or the one that is being set up (one is made). */
GH_RC web_factor_current(struct web *w, struct store_factor *f, bool *in_use, struct gh_err *err);
GH_RC web_factor_confirm(struct web *w, struct store_factor *f, struct str codes[WEB_RECOVERY_CODES], bool *ok, struct gh_err *err);
GH_RC web_factor_renew(struct web *w, struct str codes[WEB_RECOVERY_CODES], bool *ok, struct gh_err *err);
GH_RC web_factor_remove(struct web *w, bool *ok, struct gh_err *err);
GH_RC web_passkey_begin(struct web *w, struct str *challenge, struct str *rp_id, bool *ok, struct gh_err *err);
GH_RC web_passkey_finish(struct web *w, struct store_passkey *key, bool *ok, struct gh_err *err);
GH_RC web_passkey_drop(struct web *w, struct str id, struct gh_err *err);
web_handler web_passkeys, web_passkey_start, web_passkey_add, web_passkey_remove;
web_handler web_factor_form, web_factor, web_factor_off, web_factor_codes;

/* ---- language: lang.c ----------------------------------------------------------------------------------------------------- *
 *
 * English texts are their own keys, see core/lang.h. What is given to web_title, web_form_error, web_flash and web_error_page
 * is translated there; other texts of C that a page shows go through web_text. tests/lint knows which texts a catalogue must
 * have: sentences, and single words where they are given to one of these functions. */

struct str web_text(struct web *w, struct str english);
/* With values: web_textf(w, "Use at least {1} characters.", web_count(w, n)). STR("") when out of memory. */
#define web_textf(w, english, ...)                                                                                          \
	web_text_values((w), (english), (const struct lang_value[]){ __VA_ARGS__ },                                         \
			sizeof((const struct lang_value[]){ __VA_ARGS__ }) / sizeof(struct lang_value))
struct str web_text_values(struct web *w, const char *english, const struct lang_value *values, size_t n);
struct lang_value web_count(struct web *w, int64_t n);
void web_title(struct web *w, const char *english);      /* `title` of the page */

/* Moments: a value that prints as "18 Nov 2026, 14:05 UTC" or "3 minutes ago"; templates write them by
 * {% include 'web/time', at: x %}, so that a script can put them into the browser's zone. 0 is nil. */
void web_put_time(struct web *w, struct liquid_record *r, const char *name, int64_t us);
void web_put_ago(struct web *w, struct liquid_record *r, const char *name, int64_t us);
struct str web_decimal(struct web *w, double v, unsigned digits);         /* "0.25" */
struct str web_day(struct web *w, int64_t us);           /* "18 Nov 2026", in UTC */

/* The same as text, and numbers ("12,345"): with the page in its language, with an arena in English. 0 gives STR_NULL. */
#define web_date(x, us) _Generic((x), struct web *: web_time_of, struct arena *: web_date_en)((x), (us))
#define web_ago(x, us, now) _Generic((x), struct web *: web_ago_of, struct arena *: web_ago_en)((x), (us), (now))
#define web_number(x, n) _Generic((x), struct web *: web_number_of, struct arena *: web_number_en)((x), (n))
struct str web_time_of(struct web *w, int64_t us);
struct str web_ago_of(struct web *w, int64_t us, int64_t now_us);
struct str web_number_of(struct web *w, int64_t n);
struct str web_date_en(struct arena *a, int64_t us);
struct str web_ago_en(struct arena *a, int64_t us, int64_t now_us);
struct str web_number_en(struct arena *a, int64_t n);

web_handler web_language, web_language_set;      /* GET and POST "/language/{code}" */
/* The account's choice: as the values `language` and `zone` of the form; taken from it, or with errors beside the fields. */
GH_RC web_preferences_put(struct web *w, struct gh_err *err);
GH_RC web_preferences_take(struct web *w, bool *taken, struct gh_err *err);
