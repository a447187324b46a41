/* alerts.h - alert rules, whom they tell, silences, what is bad now, the history, and webhook calls that wait.
 *
 * A change of state, its entry in the history and the messages about it are one transaction of config.db (mails: db/mail.h), so
 * that whoever dies when, each change is told once. Rules, webhooks and silences are configuration: an audit entry each. No
 * snapshot of the gateway depends on them, so they raise no generation. */
#pragma once

#include "core/alert.h"
#include "db/store.h"

enum { STORE_ALERT_MAILS_MAX = 32, STORE_ALERT_RULES_MAX = 1000 };

struct store_alert_rule {
	struct str id, name, description;        /* name empty: the id */
	bool enabled;
	struct alert_rule rule;
	int64_t remind_s;                        /* say it again while it stays bad; 0: never; at least 60 */
	struct str mails, webhooks;              /* blank-separated: addresses (of members or not), ids of webhooks */
	int64_t changed_us;
	struct str lost;                         /* "api orders, product gold": what it watched was deleted, so it is off; set by the store */
};

/* Makes or replaces. INVALID names the field: what alert_rule_check says, an address that is none, a webhook or scope that
 * is not there. */
GH_RC store_alert_rule_set(struct store *s, struct arena *a, const struct store_alert_rule *r, struct gh_err *err);
/* The same without writing; what was left open is filled in. Messages begin with the name of the field. */
GH_RC store_alert_rule_check(struct store *s, struct arena *a, struct store_alert_rule *r, struct gh_err *err);
GH_RC store_alert_rule_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_alert_rule_find(struct store *s, struct arena *a, struct str id, struct store_alert_rule *out, bool *found,
			    struct gh_err *err);
GH_RC store_alert_rules(struct store *s, struct arena *a, struct store_alert_rule **out, size_t *n, struct gh_err *err);

/* Another number when any rule was made, changed or deleted; costs little. */
GH_RC store_alert_rules_stamp(struct store *s, int64_t *out, struct gh_err *err);

/* ---- webhooks (standardwebhooks.com) ---- */
struct store_alert_webhook {
	struct str id, url, description;
	bool enabled;
	struct str secret;                       /* "whsec_" and base64 of 24 to 64 bytes; STR_NULL when not asked for in clear */
	struct str problem;                      /* of the last delivery; empty: it was taken */
	int64_t changed_us;
};

/* Makes or replaces; secret STR_NULL keeps the one that is there. INVALID: the url is none of http or https, the secret has not
 * that form, or there is none yet. */
GH_RC store_alert_webhook_set(struct store *s, struct arena *a, const struct store_alert_webhook *w, struct gh_err *err);
GH_RC store_alert_webhook_check(struct arena *a, const struct store_alert_webhook *w, struct gh_err *err);       /* secret: may be left out */
GH_RC store_alert_webhook_delete(struct store *s, struct str id, struct gh_err *err);    /* and what waits for it */
GH_RC store_alert_webhooks(struct store *s, struct arena *a, bool in_clear, struct store_alert_webhook **out, size_t *n,
			   struct gh_err *err);
GH_RC store_alert_webhook_find(struct store *s, struct arena *a, struct str id, bool in_clear, struct store_alert_webhook *out,
			       bool *found, struct gh_err *err);
GH_RC store_alert_secret_new(struct arena *a, struct str *out, struct gh_err *err);      /* of 32 random bytes */

/* ---- silences ---- */
struct store_alert_silence {
	struct str id;                           /* STR_NULL at creation: one is made */
	struct str rule_id, environment_id, api_id;      /* empty: all */
	int64_t from_us, to_us, repeat_s;        /* repeat_s: 0, or at least as long as it lasts */
	struct str comment, created_by;
};

GH_RC store_alert_silence_check(const struct store_alert_silence *v, struct gh_err *err);
GH_RC store_alert_silence_create(struct store *s, struct arena *a, const struct store_alert_silence *v, struct str *id_out,
				 struct gh_err *err);
GH_RC store_alert_silence_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_alert_silences(struct store *s, struct arena *a, struct store_alert_silence **out, size_t *n, struct gh_err *err);
bool store_alert_silence_holds(const struct store_alert_silence *v, const struct store_alert_rule *r, struct str environment,
			       struct str api, int64_t now_us);

/* ---- states and history ---- */
struct store_alert_state {
	struct str rule_id, subject;
	int64_t since_us, told_us;
	struct str event_id;                     /* it fired */
	struct str environment_id, api_id;       /* that the event told; the store looks them up, what is written may leave them out */
};
GH_RC store_alert_states(struct store *s, struct arena *a, struct store_alert_state **out, size_t *n, struct gh_err *err);

enum store_alert_event_kind { STORE_ALERT_FIRED, STORE_ALERT_RECOVERED, STORE_ALERT_REMINDER };
extern const char *const store_alert_event_names[];      /* "fired", …; ends with NULL */

struct store_alert_event {
	struct str id, rule_id, rule_name;
	int64_t kind;                            /* enum store_alert_event_kind */
	struct str subject, environment_id, api_id;      /* of the rule, else of the last call that counted when it fired; may be empty */
	int64_t at_us, value;
	struct str summary;                      /* one English sentence */
	struct str request_id;
	int64_t told;
	int64_t number;                          /* rises with each; the store gives it */
};
struct store_alert_event_filter {
	struct str rule_id, api_id;              /* STR_NULL does not narrow */
	int64_t before;                          /* only those with a smaller number; 0: all */
	size_t limit;                            /* 0: 100 */
};
/* Newest first: by falling numbers. */
GH_RC store_alert_events(struct store *s, struct arena *a, const struct store_alert_event_filter *f, struct store_alert_event **out,
			 size_t *n, struct gh_err *err);

/* For the keeper, in one transaction: the event; the state (NULL: well again, its row goes). */
GH_RC store_alert_tell(struct store *s, const struct store_alert_event *e, const struct store_alert_state *state, struct gh_err *err);
GH_RC store_alert_events_prune(struct store *s, int64_t before_us, struct gh_err *err);  /* and deliveries that are over; not how it began what is still bad */

/* ---- webhook calls ---- */
enum store_alert_delivery_state { STORE_ALERT_WAITING, STORE_ALERT_DELIVERED, STORE_ALERT_FAILED };
extern const char *const store_alert_delivery_names[];

struct store_alert_delivery {
	struct str id, webhook_id, event_id, body;
	int64_t state, tries, created_us, due_us, changed_us, status;
	struct str problem;
	int64_t number;                          /* as of an event; stays when it is sent once more */
};
/* Needs a transaction. id is the message's, "msg_…". */
GH_RC store_alert_delivery_add(struct store *s, const struct store_alert_delivery *d, struct gh_err *err);
/* The next one that is due of a webhook that is enabled, but for those of `but`: " a b c ", a blank around each id. */
GH_RC store_alert_delivery_next(struct store *s, struct arena *a, int64_t now_us, struct str but, struct store_alert_delivery *out,
				bool *found, struct gh_err *err);
/* One more try and what came of it, in a transaction of its own. */
GH_RC store_alert_delivery_settle(struct store *s, const struct store_alert_delivery *d, bool disable, struct gh_err *err);
struct store_alert_delivery_filter {
	struct str webhook_id;                   /* STR_NULL does not narrow */
	int64_t state;                           /* enum store_alert_delivery_state; -1: any */
	int64_t before;                          /* only those with a smaller number; 0: all */
	size_t limit;                            /* 0: 100 */
};
/* Newest first: by falling numbers. */
GH_RC store_alert_deliveries(struct store *s, struct arena *a, const struct store_alert_delivery_filter *f,
			     struct store_alert_delivery **out, size_t *n, struct gh_err *err);
GH_RC store_alert_delivery_again(struct store *s, struct str id, struct gh_err *err);    /* FAILED waits once more */

/* ---- windows, in an open drain (db/telemetry.h) ---- */
struct store_alert_slice {
	struct str rule_id, definition, subject;
	int64_t number, calls, hits, sum_us;
	struct str histogram;
	int64_t until_us;
};
GH_RC store_drain_alert_slice(struct store *s, const struct store_alert_slice *v, struct gh_err *err);   /* in place of what was */
GH_RC store_drain_alert_prune(struct store *s, int64_t now_us, struct gh_err *err);      /* some of those that are over */
GH_RC store_drain_alert_cut(struct store *s, struct str rule_id, int64_t number, struct gh_err *err);       /* those behind it */
GH_RC store_alert_slices(struct store *s, struct arena *a, struct str rule_id, struct str definition,
			 struct store_alert_slice **out, size_t *n, struct gh_err *err);
