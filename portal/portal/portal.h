/* portal.h - the developer portal: what is published, for everybody who may see it. */
#pragma once

#include "core/map.h"
#include "db/catalog.h"
#include "db/tiers.h"
#include "portal/web/web.h"

extern const struct web_app portal_app;

/* What the caller may see (db/catalog.h): all of it, for one request. */
struct portal_sight {
	struct store_catalog_name *apis; /* that may be seen, by id */
	size_t n;
	struct map by_id;                /* of them */
	struct store_product *products;  /* that may be seen */
	size_t n_products;
	struct store_product_api *links; /* of all products */
	size_t n_links;
};
GH_RC portal_sight_load(struct web *w, struct portal_sight *out, struct gh_err *err);
const struct store_catalog_name *portal_sight_find(const struct portal_sight *s, struct str id);  /* NULL: not there for this caller */

/* Only that one; NOT_FOUND when it is not there for this caller. */
GH_RC portal_find_api(struct web *w, struct str id, struct store_api *out, struct gh_err *err);
struct str portal_viewer(const struct web *w);           /* the id of who is signed in; STR_NULL for a visitor */

/* "https://gw.example/api/sandbox/orders/v1": what stands before an operation's template. */
GH_RC portal_base_address(struct web *w, const struct store_api *api, struct str *out, struct gh_err *err);
struct str portal_key_header(const struct store_api *api);
void portal_put_api(struct web *w, struct liquid_record *r, const struct store_api *api);
void portal_put_operation(struct liquid_record *r, const struct store_operation *op);

/* ---- accounts: account*.c ---------------------------------------------------------------------------------------------- */

/* The terms of use and their version (first digits of the SHA-256); *found is false when there are none. */
GH_RC portal_terms(struct web *w, struct str *text, struct str *version, bool *found, struct gh_err *err);
web_handler portal_ask_terms;            /* struct web_app.before: whoever has not agreed yet does that first */
/* Waits, so that an answer takes the same time whatever was found out since (clock_mono_us). */
void portal_even_out(int64_t since_us);
/* A browser by what it says it is: "Firefox on Linux". Sessions are named by the first digits of their ids. */
enum { PORTAL_SESSION_DIGITS = 16 };
struct str portal_agent_words(struct web *w, struct str agent);
/* A new password that may be used; else the sentence for its field. */
const char *portal_password_problem(struct web *w, struct str password, struct str email);
/* Needs a transaction, and looks again in it: what was decided about the account meanwhile stays. */
GH_RC portal_names_set(struct web *w, struct str first, struct str last, struct gh_err *err);
GH_RC portal_account_show(struct web *w, int status, struct gh_err *err);

/* What the pages and the JSON API share: from the fields of the form, *ok false with errors beside them. */
struct store_link;
/* The mail is on its way to *email; whether there is an account is told to nobody else. */
GH_RC portal_sign_up_take(struct web *w, struct str *email, struct web_refusal *no, struct gh_err *err);
GH_RC portal_forgot_take(struct web *w, struct str *email, struct web_refusal *no, struct gh_err *err);
/* The link of a mail, by the request's first argument; 404: used, or too old. */
GH_RC portal_link_find(struct web *w, struct store_link *link, struct web_refusal *no, struct gh_err *err);
/* Does what the link is for, once: an account is made and signed in to, a password set, an address changed. */
GH_RC portal_link_take(struct web *w, const struct store_link *link, struct web_refusal *no, struct gh_err *err);
GH_RC portal_password_take(struct web *w, bool *ok, struct gh_err *err);
GH_RC portal_address_take(struct web *w, bool *ok, struct gh_err *err);
GH_RC portal_close_take(struct web *w, bool *ok, struct gh_err *err);
GH_RC portal_identity_unlink(struct web *w, struct str provider, bool *only, struct gh_err *err);      /* only: the last way in stays */
GH_RC portal_terms_agreed(struct web *w, struct str version, bool *agreed, struct gh_err *err);
GH_RC portal_terms_take(struct web *w, bool *found, bool *changed, struct gh_err *err);

web_handler portal_sign_up_form, portal_sign_up, portal_forgot_form, portal_forgot, portal_link_form, portal_link;
web_handler portal_terms_page, portal_terms_accept;
web_handler portal_account, portal_account_name, portal_account_preferences, portal_account_password, portal_account_address, portal_account_unlink;
web_handler portal_sessions_end, portal_sessions_end_others, portal_close_form, portal_close;

void portal_put_look(struct web *w);             /* what the layout needs of it: look.c */
web_handler portal_look_css, portal_logo;
web_handler portal_traces, portal_trace_token, portal_trace;
web_handler portal_home, portal_apis, portal_api, portal_operation, portal_news, portal_feed, portal_status;

/* ---- products and subscriptions: products.c, limits.c, subscriptions.c, usage.c ------------------------------------------ */

struct store_keys;
struct store_subscription;
enum { PORTAL_NAME_MAX = 100 };          /* of a subscription */
/* A product that the caller may see; NULL: not there for him. */
const struct store_product *portal_sight_product(const struct portal_sight *s, struct str id);
/* Where those of that kind stand in the portal: "products", "groups". */
struct str portal_product_place(int64_t kind);
/* Leaves only the products of one kind in it; how many. */
size_t portal_sight_of_kind(struct portal_sight *s, enum store_product_kind kind);
/* What a new subscription is to be; all but the message is checked: an own application, a tier that the product offers. */
struct portal_wish {
	struct str name;                 /* may be empty */
	struct store_application application;    /* id STR_NULL: for the caller himself */
	struct store_tier tier;          /* id STR_NULL: none */
	struct str message;              /* to whoever approves; may be empty */
};
/* Subscribes the caller, or asks for it where somebody approves; *problem (a sentence): it may not be. */
GH_RC portal_subscription_make(struct web *w, const struct store_product *p, const struct portal_wish *wish,
			       struct store_subscription *sub, struct store_keys *keys, const char **problem, struct gh_err *err);
bool portal_shows_keys(const struct web *w);     /* again, whenever their owner asks */
/* The limits of a product in words ("100 calls a minute"), as many as a page can show. */
struct portal_limits {
	struct str words[16];
	size_t n;
};
GH_RC portal_limits(struct web *w, struct str product_id, struct portal_limits *out, struct gh_err *err);
/* `limits` of the record: the limits of a product in words ("100 calls a minute"). */
GH_RC portal_put_limits(struct web *w, struct liquid_record *r, struct str product_id, struct gh_err *err);
void portal_put_subscription(struct web *w, struct liquid_record *r, const struct store_subscription *s);
/* The caller's own subscription; NOT_FOUND for anybody else's as for one that is not there. */
GH_RC portal_own_subscription(struct web *w, struct str id, struct store_subscription *out, struct gh_err *err);
/* Needs a transaction, and looks again in it: a state that was changed meanwhile stays. */
GH_RC portal_rename(struct web *w, struct store_subscription *s, struct str name, struct gh_err *err);
/* Keeps keys that were just made for the page that follows, in a sealed cookie. */
GH_RC portal_keep_keys(struct web *w, struct str id, const struct store_keys *keys, struct gh_err *err);
GH_RC portal_put_last_use(struct web *w, struct str subscription_id, struct gh_err *err);

/* `left` of the record: what the limits of tier and product leave now, in words. */
GH_RC portal_put_left(struct web *w, struct liquid_record *r, const struct store_subscription *s, struct gh_err *err);
/* "3 calls a minute". */
struct str portal_limit_words(struct web *w, uint64_t calls, uint64_t seconds);
struct str portal_stored_limit_words(struct web *w, const struct store_limit *l);        /* of a tier or rule */

/* ---- tiers.c ------------------------------------------------------------------------------------------------------------- */

/* `limits` of the record: those of the tier in words; an empty list without a tier. */
GH_RC portal_put_tier_limits(struct web *w, struct liquid_record *r, struct str tier_id, struct gh_err *err);
/* `tiers` of the page: those that the product offers, and the present one; `may_wait`: choosing one may need approval. */
GH_RC portal_put_tiers(struct web *w, const struct store_product *p, struct str chosen, struct str present, struct gh_err *err);
/* The offered tier of that id; out->id STR_NULL: none of them. *any: the product offers some, and one has to be chosen. */
GH_RC portal_tier_chosen(struct web *w, const struct store_product *p, struct str id, struct store_tier *out, bool *any,
			 struct gh_err *err);
/* Another tier for a subscription that works: at once, or asked for. *problem (a sentence): it may not be; *waits: it is asked for. */
struct store_ask;
/* store_ask with those who may decide and the addresses of this installation. */
GH_RC portal_ask(struct web *w, const struct store_ask *ask, struct gh_err *err);
GH_RC portal_tier_change(struct web *w, const struct store_subscription *s, struct str tier, struct str message, const char **problem, bool *waits,
			 struct gh_err *err);
GH_RC portal_tier_withdraw(struct web *w, const struct store_subscription *s, struct gh_err *err);
web_handler portal_subscription_tier, portal_subscription_tier_withdraw;

/* ---- applications.c, team.c ------------------------------------------------------------------------------------------------ */

/* The caller's own application; NOT_FOUND for anybody else's as for one that is not there. */
GH_RC portal_own_application(struct web *w, struct str id, struct store_application *out, struct gh_err *err);
/* A new one of the caller's, in the present transaction; *full: there are as many as one person may have. */
GH_RC portal_application_make(struct web *w, struct store_application *app, bool *full, struct gh_err *err);
/* What the row says now, as a short text: whoever changes an application shows which one he read, so that nobody's change is lost. */
struct str portal_application_version(struct web *w, const struct store_application *app);
/* Its page, with what the form holds. */
GH_RC portal_application_show(struct web *w, const struct store_application *app, int status, struct gh_err *err);
GH_RC portal_application_back(struct web *w, struct str id, const char *kind, const char *text, struct gh_err *err);
/* The application with its subscriptions and client ids, in the present transaction. */
GH_RC portal_application_remove(struct web *w, struct str id, struct gh_err *err);
/* Invites an address to the team; *problem (a sentence): it may not be. */
GH_RC portal_team_ask(struct web *w, const struct store_application *app, struct str email, const char **problem, struct gh_err *err);
/* Client ids: a new one, a new secret for one (the old goes on for a day), and one of the application of the request's first two
 * arguments; all else is not there. */
struct store_caller;
GH_RC portal_client_make(struct web *w, const struct store_application *app, struct store_caller *c, struct str *secret, bool *full,
			 struct gh_err *err);
GH_RC portal_client_renew(struct web *w, const struct store_caller *c, struct str *secret, struct gh_err *err);
GH_RC portal_own_client(struct web *w, struct store_application *app, struct store_caller *out, struct gh_err *err);
GH_RC portal_put_team(struct web *w, struct str id, struct gh_err *err);
web_handler portal_applications, portal_application_form, portal_application_create, portal_application;
web_handler portal_application_edit, portal_application_delete;
web_handler portal_client_create, portal_client_rotate, portal_client_delete;
web_handler portal_team_invite, portal_team_remove, portal_team_withdraw, portal_invitation_accept, portal_invitation_decline;

web_handler portal_products, portal_groups, portal_product, portal_subscribe;
web_handler portal_subscriptions, portal_subscription, portal_subscription_keys, portal_subscription_rotate;
web_handler portal_subscription_name, portal_subscription_cancel, portal_console_key;
/* `api`, `product` and `subscription` (one of the caller's own) of the record by their names; what the caller may not see, or what is
 * gone, by its id. */
struct portal_named {
	struct str api, product, subscription;
};
GH_RC portal_put_names(struct web *w, const struct portal_sight *sight, struct liquid_record *r, const struct portal_named *ids, struct gh_err *err);
web_handler portal_usage, portal_usage_csv, portal_call;
