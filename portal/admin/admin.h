/* admin.h - the dashboard: what the people who run the gateway see. */
#pragma once

#include "db/apis.h"
#include "db/products.h"
#include "db/subscriptions.h"
#include "db/telemetry.h"
#include "portal/web/web.h"

extern const struct web_app admin_app;

enum { ADMIN_PAGE_ROWS = 50 };

/* The window that "?page=N&q=text" asks for, and what templates/admin/pages_links.html needs to show it. `rows` is what the store gave for
 * a window of one row more than a page, so that "next" is known without counting. */
struct store_page admin_window(struct web *w);
size_t admin_pages(struct web *w, size_t rows);          /* rows to show */

void admin_page_links(struct web *w, bool more);         /* the same for whoever counts by himself: web_slice */
/* Browsers send lines of a field ended by CR LF. */
struct str admin_unix_lines(struct web *w, struct str s);

/* Who was called since then is active: store_tracking_of. */
int64_t admin_active_since(struct web *w);
/* The last 24 hours of one API, for lists: the record "traffic" with calls, errors and level ("none", "low", "high"); nil without
 * a call. */
GH_RC admin_traffic_put(struct web *w, struct str api_id, struct liquid_record *row, struct gh_err *err);

/* web_app.sees of the dashboard: place.c. */
GH_RC admin_sees(struct web *w, bool *yes, struct gh_err *err);
/* Whether a list shows the resource of that kind and id to the account. */
GH_RC admin_shows(struct web *w, const char *kind, struct str id, bool *yes, struct gh_err *err);
/* Whether it shows all of them, so that the store may cut its pages. Who sees some gets pages of those alone, else their number and the
 * gaps in them would tell how many others there are. */
bool admin_shows_all(struct web *w, const char *kind);
/* The rows of the window that the account may see: `fetch` gives those of a window of the store, `id` that of one. *out is an array of
 * rows of row_size bytes. */
struct admin_source {
	const char *kind;                /* "product" */
	size_t row_size;
	GH_RC (*fetch)(struct web *w, const void *ctx, const struct store_page *window, void **rows, size_t *n, struct gh_err *err);
	struct str (*id)(struct web *w, const void *row);
	const void *ctx;
};
GH_RC admin_rows(struct web *w, const struct admin_source *from, const struct store_page *window, void **out, size_t *n, struct gh_err *err);
/* `places` of the layout, and what its form does. */
GH_RC admin_environments_put(struct web *w, struct gh_err *err);
web_handler admin_environment_choose;
web_handler admin_menu;                   /* `menu` of the layout: menu.c */
/* A link of the page with other values of its query; NULL-ended pairs of name and value, "" leaves one out. */
struct str admin_query(struct web *w, const char *const pairs[]);
/* Lists that go on below a number: ?before= of the page (0: from the newest on), and its links `next_page` and `previous_page`. */
int64_t admin_before(struct web *w);
void admin_put_older(struct web *w, int64_t before, int64_t next);

struct store_credential;
/* `rotations` and `reminders` of the page of credentials: rotation.c. */
GH_RC admin_put_rotations(struct web *w, const struct store_credential *v, size_t n, struct gh_err *err);
struct rotation_view {
	const char *maker;               /* who replaces the secret; empty: nobody */
	int64_t replaced_us, next_us, by_us;     /* by: the date of a reminder; 0: none, never */
	bool wanted;                     /* a new one was asked for */
	struct str problem;
};
GH_RC admin_rotations(struct web *w, const struct store_credential *v, size_t n, struct rotation_view *out, struct gh_err *err);
/* Those of the environments that the account has the right to see credentials in; how many are left. */
size_t admin_credentials_seen(struct web *w, struct store_credential *v, size_t n);
struct resource_change;
/* In the change: a date by which a person replaces the secret; 0: none. The route has asked for the right to this, which is less than
 * that to change the rest of a credential. */
GH_RC admin_remind(struct web *w, struct resource_change *c, struct str environment, struct str id, int64_t by_us, struct gh_err *err);
/* In a transaction: forgets the tokens of a credential; a dry run counts them. */
GH_RC admin_forget(struct web *w, struct str environment, struct str id, bool dry_run, size_t *n, struct gh_err *err);
web_handler admin_credential_rotate, admin_credential_remind;
web_handler admin_apis, admin_api, admin_products, admin_groups, admin_subscriptions, admin_credentials, admin_credential_forget;
web_handler admin_subscription_act, admin_api_life;
/* The page of the API that the address names, with that status. */
GH_RC admin_api_page(struct web *w, int status, struct gh_err *err);
/* What its form for stage, dates and tags needs. */
GH_RC admin_put_life(struct web *w, const struct store_api *api, struct gh_err *err);
web_handler admin_account;               /* own_account.c */
web_handler admin_calls, admin_call;
const char *admin_status_level(int status);      /* "good", "warn" or "bad": the class of the status of a call */
web_handler admin_analytics, admin_live, admin_live_events;
web_handler admin_alerts, admin_alert, admin_alert_history, admin_alert_form, admin_alert_save, admin_alert_silence;
web_handler admin_alert_messages, admin_alert_message_again, admin_mails, admin_mail_again;      /* messages.c */
web_handler admin_kept_answers, admin_kept_answers_purge;
web_handler admin_captures, admin_capture_start, admin_capture, admin_capture_stop, admin_captured_call;
void admin_put_call(struct web *w, struct liquid_record *r, const struct store_call *c);
/* Which calls: as people write it, empty: all. `id` is any id of a call, the start of a key, or an address; `limit` the newest of those
 * that `rights` let see. */
struct calls_sought {
	struct str id, api, subscription, status, range;
	size_t limit;
	const struct rights *rights;
	int64_t before;                  /* only calls of a smaller row; 0: from the newest on */
	int64_t next;                    /* set: older ones are before this row; 0: there are none */
	struct str problem;              /* set: a sentence about what cannot be; STR_NULL: none */
};
/* The call of that row or, when `id` is no number or there is no such row, of that request id; without who called where the rights do
 * not tell that, then *hidden. *found false: there is none, *denied: it is of an environment that they do not let see. */
GH_RC admin_call_find(struct web *w, struct str id, struct store_call *out, bool *found, bool *denied, bool *hidden, struct gh_err *err);
/* Its request id when headers and bodies of it were written down and the account may see them; else empty. */
GH_RC admin_call_captured(struct web *w, const struct telemetry_call *t, struct str *out, struct gh_err *err);
/* Oldest first, without who called where the rights do not tell that. */
GH_RC admin_find_calls(struct web *w, struct calls_sought *q, struct store_call **rows, size_t *n, struct gh_err *err);
/* Who removed what stands in the audit trail: in the transaction that stands. */
struct cached_filter;
GH_RC admin_purge_note(struct web *w, const struct cached_filter *f, size_t removed, struct gh_err *err);
/* bulk.c: one deed for all that were ticked in a list; `bulk` of a page of that kind: the deeds, with value and label. */
web_handler admin_bulk;
void admin_put_bulk(struct web *w, const char *plural);
web_handler admin_person, admin_person_act;
struct resource_change;
/* What `deed` ("suspend", "restore", "approve", "reject") makes of an account, in the change. *why: why nothing was done; STR_NULL: it was. */
GH_RC admin_user_apply(struct web *w, struct resource_change *c, struct str id, struct str deed, struct str *name, struct str *why,
		       struct gh_err *err);
web_handler admin_metrics;                 /* for Prometheus */
web_handler admin_page_list, admin_page_form, admin_page_act;
web_handler admin_start, admin_new_api, admin_new_api_act, admin_revisions, admin_revision_act;
/* An API as one ZIP (api_zip.h). admin_zip_show answers with what an uploaded one, or another gateway's configuration, would
 * do; *fine false: it cannot be read, and why says so. */
web_handler admin_api_export, admin_api_import;
bool admin_is_zip(struct str bytes);
struct import_report;
void admin_put_report(struct web *w, const struct import_report *r);     /* `rows` and `left_out` of templates/admin/import_rows.html */
GH_RC admin_zip_show(struct web *w, struct str zip, struct gh_err *why, bool *fine, struct gh_err *err);
/* `api` of the page as templates/admin/api_head.html wants it. */
void admin_put_api_head(struct web *w, const struct store_api *api);
web_handler admin_promote, admin_promote_act;
web_handler admin_audit, admin_audit_export;
/* What the request's parameters narrow the trail to; the limit is left open. A day that is none does not narrow. */
struct store_audit_filter;
struct store_audit_entry;
struct store_audit_filter admin_audit_filter(struct web *w);
json_t *admin_audit_json(struct web *w, const struct store_audit_entry *v);      /* a new reference */
web_handler admin_look, admin_look_save, admin_look_reset;
/* What its owners ask for and wait for, as `tier`, `wish`, `message` and `asker` of its row; adds to its actions. */
GH_RC admin_put_request(struct web *w, struct liquid_record *row, const struct store_subscription *s, struct gh_err *err);
struct resource_change;
/* One deed ("approve", "suspend" ...) in the change. *late: its state, which is in *sub, does not allow it and nothing was
 * done. NOT_FOUND: no such subscription or deed. */
GH_RC admin_subscription_apply(struct web *w, struct resource_change *c, struct str id, struct str name, struct str note,
			       struct store_subscription *sub, bool *late, struct gh_err *err);
/* A new key in the place of one, told this once; the old one goes on for keep_s seconds. The store keeps no copy with
 * portal.show_keys = once. In a transaction. NOT_FOUND. */
GH_RC admin_key_new(struct web *w, struct str id, bool second, int64_t keep_s, struct str *key, struct gh_err *err);
enum { ADMIN_KEY_KEEP_MAX_S = 30 * 86400 };
/* Grants or refuses, in the change, the other tier that its owners ask for. *late: nobody asks, and nothing was done. */
GH_RC admin_wish_decide(struct web *w, struct resource_change *c, struct str id, bool grant, struct str note, bool *late, struct gh_err *err);
/* What may be done to a subscription of that state, as `actions` of its row: value and label. */
void admin_put_actions(struct web *w, struct liquid_record *row, int64_t state);
