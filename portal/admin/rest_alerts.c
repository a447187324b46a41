/* rest_alerts.c - alerts by the management API: which rules are breached now, what happened, and what became of the messages about it.
 * Rules, webhooks and silences themselves are resources. */
#include "portal/admin/rest_deed.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/alerts.h"
#include "db/mail.h"

enum { LISTED = 50, LISTED_MAX = 1000 };

/* ---- rules, as they are now ------------------------------------------------------------------------------------------------ */

static json_t *breaches_of(struct str rule, const struct store_alert_state *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].rule_id, rule))
			json_array_append_new(list, json_pack("{s:o, s:o, s:b}", "subject", rest_text(v[i].subject), "since", rest_time(v[i].since_us, 3), "told",
							      v[i].told_us > 0));
	return list;
}

static json_t *rule_json(const struct store_alert_rule *r, const struct store_alert_state *states, size_t n_states,
			 const struct store_alert_silence *silences, size_t n_silences)
{
	json_t *breaches = breaches_of(r->id, states, n_states);
	int64_t now = clock_wall_us();
	bool silent = false;

	for (size_t i = 0; i < n_silences; i++)
		silent = silent || store_alert_silence_holds(&silences[i], r, r->rule.environment, r->rule.api, now);
	return json_pack("{s:o, s:o, s:s, s:b, s:o, s:s, s:o}", "rule", rest_text(r->id), "name", rest_text(r->name), "state",
			 !r->enabled ? "off" : json_array_size(breaches) ? "breached" : "good", "silenced", silent, "lost", rest_text(r->lost), "kind",
			 alert_kinds[r->rule.kind], "breaches", breaches);
}

/* Of one rule, or of all (STR_NULL). */
static GH_RC add_rules(struct rest *r, struct str id, json_t *items, struct gh_err *err)
{
	struct store *s = r->w->site->store;
	struct store_alert_rule *rules;
	struct store_alert_state *states;
	struct store_alert_silence *silences;
	size_t n, n_states, n_silences;

	TRY(store_alert_rules(s, r->w->a, &rules, &n, err));
	TRY(store_alert_states(s, r->w->a, &states, &n_states, err));
	TRY(store_alert_silences(s, r->w->a, &silences, &n_silences, err));
	for (size_t i = 0; i < n; i++)
		if (!id.p || str_eq(rules[i].id, id))
			json_array_append_new(items, rule_json(&rules[i], states, n_states, silences, n_silences));
	return GH_RC_OK;
}

gh_rc rest_alerts(struct rest *r, struct gh_err *err)
{
	static const char *const none[] = { NULL };
	json_t *items = json_array();
	bool ok;

	if (!jsn_keep(r->w->a, items))
		FAIL(err, NOMEM, "alerts");
	TRY(rest_known(r, none, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(add_rules(r, STR_NULL, items, err));
	return rest_window_answer(r, items, 0, err);
}

gh_rc rest_alert(struct rest *r, struct gh_err *err)
{
	json_t *items = jsn_keep(r->w->a, json_array());

	if (!items)
		FAIL(err, NOMEM, "alert");
	TRY(add_rules(r, r->args[0], items, err));
	if (!json_array_size(items))
		return rest_problem(r, 404, "not-found", arena_printf(r->w->a, "There is no alert rule '%.*s'.", STR_ARG(str_first(r->args[0], 200))), NULL,
				    err);
	return web_json(r->w, 200, "application/json", json_array_get(items, 0), err);
}

/* ---- what happened ----------------------------------------------------------------------------------------------------------- */

static json_t *event_json(const struct store_alert_event *e)
{
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "id", rest_text(e->id), "rule", rest_text(e->rule_id), "name",
			 rest_text(e->rule_name), "event", store_alert_event_names[e->kind], "subject", rest_text(e->subject), "environment",
			 rest_text(e->environment_id), "api", rest_text(e->api_id), "at", rest_time(e->at_us, 3), "summary", rest_text(e->summary), "requestId",
			 rest_text(e->request_id), "told", (json_int_t)e->told);
}

gh_rc rest_alert_events(struct rest *r, struct gh_err *err)
{
	static const char *const known[] = { "rule", "api", NULL };
	struct str rule = web_param(&r->w->rq.query, "rule"), api = web_param(&r->w->rq.query, "api");
	struct store_alert_event_filter f = { .rule_id = rule.n ? rule : STR_NULL, .api_id = api.n ? api : STR_NULL };
	json_t *items = json_array();
	struct store_alert_event *v;
	struct rest_window window;
	size_t n;
	bool ok;

	if (!jsn_keep(r->w->a, items))
		FAIL(err, NOMEM, "events");
	TRY(rest_window(r, known, LISTED, LISTED_MAX, &window, &ok, err));
	if (!ok)
		return GH_RC_OK;
	f.before = window.before;
	f.limit = window.limit + 1;
	TRY(store_alert_events(r->w->site->store, r->w->a, &f, &v, &n, err));
	for (size_t i = 0; i < n && i < window.limit; i++)
		json_array_append_new(items, event_json(&v[i]));
	return rest_window_answer(r, items, n > window.limit ? v[window.limit - 1].number : 0, err);
}

/* ---- messages ---------------------------------------------------------------------------------------------------------------- */

/* ?state=, a word of `names`; -1 without one. */
static GH_RC state_asked(struct rest *r, const char *const *names, int64_t *out, bool *ok, struct gh_err *err)
{
	struct str word = web_param(&r->w->rq.query, "state"), all = STR("");

	*out = alert_word(names, word);
	*ok = !word.n || *out >= 0;
	if (*ok)
		return GH_RC_OK;
	for (size_t i = 0; names[i]; i++)
		all = arena_printf(r->w->a, "%.*s%s%s", STR_ARG(all), !i ? "" : names[i + 1] ? ", " : " or ", names[i]);
	return rest_problem(r, 400, "bad-request", arena_printf(r->w->a, "state is %.*s.", STR_ARG(all)), NULL, err);
}

gh_rc rest_alert_deliveries(struct rest *r, struct gh_err *err)
{
	static const char *const known[] = { "webhook", "state", NULL };
	struct store_alert_delivery_filter f = { .webhook_id = web_param(&r->w->rq.query, "webhook") };
	struct store_alert_delivery *v;
	struct rest_window window;
	json_t *items = json_array();
	size_t n;
	bool ok;

	if (!jsn_keep(r->w->a, items))
		FAIL(err, NOMEM, "deliveries");
	TRY(rest_window(r, known, LISTED, LISTED_MAX, &window, &ok, err));
	if (ok)
		TRY(state_asked(r, store_alert_delivery_names, &f.state, &ok, err));
	if (!ok)
		return GH_RC_OK;
	f.before = window.before;
	f.limit = window.limit + 1;
	TRY(store_alert_deliveries(r->w->site->store, r->w->a, &f, &v, &n, err));
	for (size_t i = 0; i < n && i < window.limit; i++)
		json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "id", rest_text(v[i].id), "webhook",
				      rest_text(v[i].webhook_id), "event", rest_text(v[i].event_id), "state", store_alert_delivery_names[v[i].state], "tries",
				      (json_int_t)v[i].tries, "created", rest_time(v[i].created_us, 3), "due", rest_time(v[i].due_us, 3), "changed",
				      rest_time(v[i].changed_us, 3), "status", v[i].status ? json_integer((json_int_t)v[i].status) : json_null(), "problem",
				      rest_text(v[i].problem)));
	return rest_window_answer(r, items, n > window.limit ? v[window.limit - 1].number : 0, err);
}

gh_rc rest_mails(struct rest *r, struct gh_err *err)
{
	static const char *const known[] = { "search", "state", NULL };
	struct store_mail_filter f = { .search = web_param(&r->w->rq.query, "search") };
	struct rest_window window;
	struct store_mail *v;
	json_t *items = json_array();
	size_t n;
	bool ok;

	if (!jsn_keep(r->w->a, items))
		FAIL(err, NOMEM, "mails");
	TRY(rest_window(r, known, LISTED, LISTED_MAX, &window, &ok, err));
	if (ok)
		TRY(state_asked(r, store_mail_state_names, &f.state, &ok, err));
	if (!ok)
		return GH_RC_OK;
	f.before = window.before;
	f.limit = window.limit + 1;
	TRY(store_mails(r->w->site->store, r->w->a, &f, &v, &n, err));
	for (size_t i = 0; i < n && i < window.limit; i++)
		json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o}", "id", rest_text(v[i].id), "to", rest_text(v[i].recipient),
				      "template", rest_text(v[i].template), "state", store_mail_state_names[v[i].state], "tries", (json_int_t)v[i].tries,
				      "created", rest_time(v[i].created_us, 3), "due", rest_time(v[i].due_us, 3), "changed", rest_time(v[i].changed_us, 3), "problem",
				      rest_text(v[i].problem)));
	return rest_window_answer(r, items, n > window.limit ? v[window.limit - 1].number : 0, err);
}

static GH_RC delivery_again(struct rest *r, struct resource_change *c, const json_t *body, json_t **answer UNUSED, struct gh_err *err)
{
	static const struct rest_member none[] = { { NULL } };

	return rest_take(c, body, none, NULL) ? store_alert_delivery_again(r->w->site->store, r->args[0], err) : GH_RC_OK;
}

gh_rc rest_alert_delivery_again(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, delivery_again, err);
}

static GH_RC mail_again(struct rest *r, struct resource_change *c, const json_t *body, json_t **answer UNUSED, struct gh_err *err)
{
	static const struct rest_member none[] = { { NULL } };

	return rest_take(c, body, none, NULL) ? store_mail_again(r->w->site->store, r->args[0], err) : GH_RC_OK;
}

gh_rc rest_mail_again(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, mail_again, err);
}

/* ---- in the OpenAPI document ---------------------------------------------------------------------------------------------- */

#define OR_NULL "{'type': ['string', 'null']}"
#define TIMES "'created': " OR_NULL ", 'due': " OR_NULL ", 'changed': " OR_NULL ", 'problem': " OR_NULL ", 'tries': {'type': 'integer'}"
#define RULE "{'type': 'object', 'required': ['rule', 'state', 'silenced', 'kind', 'breaches'], 'properties': {'rule': {'type': 'string'}, 'name': " OR_NULL "," \
	"'state': {'type': 'string', 'enum': ['good', 'breached', 'off']}, 'silenced': {'type': 'boolean', 'description': 'Nobody is told now'},"      \
	"'lost': {'type': ['string', 'null'], 'description': 'It is off because what it watched was deleted: this'}, 'kind': {'type': 'string'},"       \
	"'breaches': {'type': 'array', 'items': {'type': 'object', 'required': ['subject', 'since', 'told'], 'properties': {'subject': {'type': "        \
	"['string', 'null'], 'description': 'null: the rule as a whole'}, 'since': " OR_NULL ", 'told': {'type': 'boolean'}}}}}}"
#define EVENT "{'type': 'object', 'required': ['id', 'rule', 'event', 'at', 'summary'], 'properties': {'id': {'type': 'string'}, 'rule': " OR_NULL ","   \
	"'name': " OR_NULL ", 'event': {'type': 'string', 'enum': ['fired', 'recovered', 'reminder']}, 'subject': " OR_NULL ", 'environment': " OR_NULL ","  \
	"'api': " OR_NULL ", 'at': " OR_NULL ", 'summary': " OR_NULL ", 'requestId': " OR_NULL ", 'told': {'type': 'integer', 'description': 'Messages'}}}"
#define DELIVERY_STATE "{'type': 'string', 'enum': ['waiting', 'delivered', 'failed']}"
#define MAIL_STATE "{'type': 'string', 'enum': ['waiting', 'sending', 'handed', 'sent', 'uncertain', 'failed']}"
#define DELIVERY "{'type': 'object', 'required': ['id', 'webhook', 'state', 'tries'], 'properties': {'id': {'type': 'string'}, 'webhook': {'type': 'string'}," \
	"'event': " OR_NULL ", 'state': " DELIVERY_STATE ", 'status': {'type': ['integer', 'null']}, " TIMES "}}"
#define MAIL "{'type': 'object', 'required': ['id', 'to', 'template', 'state', 'tries'], 'properties': {'id': {'type': 'string'}, 'to': {'type': 'string'},"  \
	"'template': {'type': 'string'}, 'state': " MAIL_STATE ", " TIMES "}}"
#define NOTHING "{'type': 'object', 'additionalProperties': false}"

json_t *rest_describe_alerts(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	static const struct rest_about table[] = {
		{ .run = rest_alerts, .operation = "listAlerts", .summary = "The state of each alert rule now", .tag = "observed",
		  .answer = REST_LIST_OF(RULE), .refusals = "400" },
		{ .run = rest_alert, .operation = "getAlert", .summary = "The state of one alert rule now", .tag = "observed", .answer = RULE, .refusals = "404" },
		{ .run = rest_alert_events, .operation = "listAlertEvents", .summary = "What fired and recovered, the newest first", .tag = "observed",
		  .query = "[{'name': 'rule', 'description': 'Of this rule', 'schema': {'type': 'string'}},"
		  "{'name': 'api', 'description': 'About this API', 'schema': {'type': 'string'}}," REST_WINDOW("1000") "]", .answer = REST_LIST_OF(EVENT),
		  .refusals = "400" },
		{ .run = rest_alert_deliveries, .operation = "listAlertDeliveries", .summary = "Calls of webhooks, with their tries, the newest first",
		  .tag = "observed", .query = "[{'name': 'webhook', 'description': 'Of this webhook', 'schema': {'type': 'string'}},"
		  "{'name': 'state', 'description': 'Only these', 'schema': " DELIVERY_STATE "}," REST_WINDOW("1000") "]",
		  .answer = REST_LIST_OF(DELIVERY), .refusals = "400" },
		{ .run = rest_alert_delivery_again, .operation = "retryAlertDelivery", .summary = "Make a call that was given up once more", .tag = "observed",
		  .answer = NOTHING, .refusals = "404" },
		{ .run = rest_mails, .operation = "listMails", .summary = "Mails with their tries, the newest first", .tag = "observed",
		  .query = "[{'name': 'search', 'description': 'A part of id, address or template', 'schema': {'type': 'string'}},"
		  "{'name': 'state', 'description': 'Only these', 'schema': " MAIL_STATE "}," REST_WINDOW("1000") "]",
		  .answer = REST_LIST_OF(MAIL), .refusals = "400" },
		{ .run = rest_mail_again, .operation = "retryMail", .summary = "Send a failed or uncertain mail once more", .tag = "observed",
		  .answer = NOTHING, .refusals = "404" },
		{ .run = NULL },
	};

	return rest_operation(route, table);
}
