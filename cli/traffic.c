/* traffic.c - `gatehouse canary …`, `mirror …`, `fault …`: where calls of an API go besides its backend. Each writes one part of
 * the API's traffic rule; when the last part goes, the rule goes. */
#include "cli/output.h"
#include "cli/resource.h"

#include "core/backend_state.h"
#include "core/clock.h"
#include "core/paths.h"
#include "core/str.h"
#include "core/traffic_rule.h"
#include "db/traffic_rules.h"

/* ---- the rule ------------------------------------------------------------------------------------------------------------ */

struct rule {
	struct store *s;
	struct str place;
	json_t *doc;                     /* never NULL: an empty one when there is none */
	bool there;
};

static const struct resource_kind *kind(void)
{
	return resource_kind_find(STR("traffic-rule"));
}

static gh_rc open_rule(struct cli *c, struct rule *r, struct gh_err *err)
{
	json_t *doc;

	r->place = arena_printf(c->arena, "api:%s", c->options.args[0]);
	TRY(cli_store(c, true, &r->s, err));
	TRY(resource_read(r->s, c->arena, kind(), r->place, &doc, err));
	r->there = doc != NULL;
	r->doc = doc ? resource_document(c->arena, kind(), doc, RESOURCE_WRITABLE) : jsn_keep(c->arena, json_object());
	if (!r->place.p || !r->doc)
		FAIL(err, NOMEM, "no memory for the rule");
	json_object_del(r->doc, "canaryState");  /* left out it stays: the keeper may roll back before this is written */
	return GH_RC_OK;
}

static bool is_empty(const json_t *doc)
{
	return !jsn_obj(doc, "canary") && !jsn_obj(doc, "mirror") && !json_array_size(jsn_get(doc, "faults"));
}

static gh_rc write_rule(struct cli *c, struct rule *r, struct gh_err *err)
{
	struct cli_change ch;
	gh_rc rc = GH_RC_OK;

	TRY(cli_change_begin(c, &ch, err));
	if (!is_empty(r->doc))
		rc = cli_put(&ch, "traffic-rule", r->place, r->doc, RESOURCE_PUT, NULL, err);
	else if (r->there)
		rc = cli_drop(&ch, "traffic-rule", r->place, err);
	return cli_change_end(&ch, rc, err);
}

/* The part, made when it is not there. */
static json_t *part_of(json_t *doc, const char *name)
{
	json_t *part = jsn_obj(doc, name);

	if (!part)
		json_object_set_new(doc, name, part = json_object());
	return part;
}

/* "none" takes a text away. */
static void take_texts(struct cli *c, json_t *to, const char *const pairs[][2], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = option_text(&c->options, pairs[i][0]);

		if (text)
			json_object_set_new(to, pairs[i][1], strcmp(text, "none") == 0 ? json_null() : json_string(text));
	}
}

static void take_numbers(struct cli *c, json_t *to, const char *const pairs[][2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (option_int(&c->options, pairs[i][0], -1) >= 0)
			json_object_set_new(to, pairs[i][1], json_integer(option_int(&c->options, pairs[i][0], -1)));
}

static void take_list(struct cli *c, json_t *to, const char *option, const char *field)
{
	json_t *list = option_nth(&c->options, option, 0) ? json_array() : NULL;
	const char *one;

	for (size_t i = 0; (one = option_nth(&c->options, option, i)); i++)
		if (strcmp(one, "none") != 0)
			json_array_append_new(list, json_string(one));
	if (list)
		json_object_set_new(to, field, list);
}

static gh_rc end_part(struct cli *c, const char *part, struct gh_err *err)
{
	struct rule r;

	TRY(open_rule(c, &r, err));
	if (!json_array_size(jsn_get(r.doc, part)) && !jsn_obj(r.doc, part))
		FAIL(err, NOT_FOUND, "the API '%s' has no %s", c->options.args[0], part);
	json_object_del(r.doc, part);
	return write_rule(c, &r, err);
}

/* ---- canary ---------------------------------------------------------------------------------------------------------------- */

static const struct option canary_options[] = {
	{ "backend", OPTION_TEXT, "ID", "backend or pool that gets the canary's calls", false },
	{ "percent", OPTION_INT, "N", "of a hundred calls that nothing else decides, so many (0)", false },
	{ "header", OPTION_TEXT, "NAME", "request header that says always or never; none: no header", false },
	{ "header-value", OPTION_TEXT, "TEXT", "this value of it takes the canary, in place of always and never", false },
	{ "cookie", OPTION_TEXT, "NAME", "cookie that says always or never; none: no cookie", false },
	{ "subscription", OPTION_MANY, "ID", "subscription whose calls all go there; none: no subscription", false },
	{ "operation", OPTION_MANY, "ID", "only calls of this operation have a part in it; none: all", false },
	{ "product", OPTION_MANY, "ID", "only calls with a key of this product have a part in it; none: all", false },
	{ "sticky-on", OPTION_TEXT, "WHAT", "subscription, address, header:NAME or cookie:NAME; equal ones stay on one side; none", false },
	{ "error-percent", OPTION_INT, "N", "roll back when more of a hundred calls are errors", false },
	{ "against", OPTION_TEXT, "limit|stable", "stable: when it is so many points worse than the other calls", false },
	{ "minimum-calls", OPTION_INT, "N", "judge nothing with fewer calls in the window (20)", false },
	{ "window", OPTION_INT, "SECONDS", "count the calls of so many seconds (60)", false },
	{ "roll-back", OPTION_TEXT, "no", "only by hand", false },
	{ "running", OPTION_TEXT, "yes|no", "yes begins one anew that was rolled back, no pauses it", false },
	OPTION_END,
};

static gh_rc canary_set(struct cli *c, struct gh_err *err)
{
	static const char *const texts[][2] = { { "backend", "backend" }, { "header", "header" }, { "header-value", "headerValue" },
						{ "cookie", "cookie" }, { "sticky-on", "stickyOn" } };
	static const char *const numbers[][2] = { { "percent", "percent" } };
	static const char *const watch_texts[][2] = { { "against", "against" } };
	static const char *const watch_numbers[][2] = { { "error-percent", "errorPercent" }, { "minimum-calls", "minimumCalls" },
							{ "window", "windowSeconds" } };
	const char *running = option_text(&c->options, "running"), *roll_back = option_text(&c->options, "roll-back");
	bool watch = option_int(&c->options, "error-percent", -1) >= 0;
	json_t *canary;
	struct rule r;

	TRY(open_rule(c, &r, err));
	canary = part_of(r.doc, "canary");
	take_texts(c, canary, texts, ARRAY_LEN(texts));
	take_numbers(c, canary, numbers, ARRAY_LEN(numbers));
	take_list(c, canary, "subscription", "subscriptions");
	take_list(c, canary, "operation", "operations");
	take_list(c, canary, "product", "products");
	if (roll_back && strcmp(roll_back, "no") != 0)
		return cli_usage(c, err, "--roll-back takes no alone; --error-percent says when a canary is rolled back by itself");
	if (roll_back)
		json_object_set_new(canary, "rollBack", json_null());
	if (watch || jsn_obj(canary, "rollBack")) {
		take_texts(c, part_of(canary, "rollBack"), watch_texts, ARRAY_LEN(watch_texts));
		take_numbers(c, part_of(canary, "rollBack"), watch_numbers, ARRAY_LEN(watch_numbers));
	} else if (option_text(&c->options, "against") || option_int(&c->options, "window", -1) >= 0
		   || option_int(&c->options, "minimum-calls", -1) >= 0) {
		return cli_usage(c, err, "--against, --minimum-calls and --window go with --error-percent");
	}
	if (running)
		json_object_set_new(r.doc, "canaryState", json_string(strcmp(running, "yes") == 0 ? "running" : "paused"));
	return write_rule(c, &r, err);
}

const struct command command_canary_set = {
	.name = "canary set", .args = "API", .least_args = 1, .most_args = 1, .summary = "send some calls of an API to another backend",
	.help = "What is not named stays as it is. The header decides first, then the cookie, the subscription, and the share.",
	.options = canary_options, .run = canary_set,
};

static gh_rc canary_end(struct cli *c, struct gh_err *err)
{
	return end_part(c, "canary", err);
}

const struct command command_canary_end = {
	.name = "canary end", .args = "API", .least_args = 1, .most_args = 1, .summary = "take the canary of an API away", .run = canary_end,
};

static gh_rc mirror_end(struct cli *c, struct gh_err *err)
{
	return end_part(c, "mirror", err);
}

const struct command command_mirror_end = {
	.name = "mirror end", .args = "API", .least_args = 1, .most_args = 1, .summary = "copy no more calls of an API", .run = mirror_end,
};

static gh_rc fault_end(struct cli *c, struct gh_err *err)
{
	return end_part(c, "faults", err);
}

const struct command command_fault_end = {
	.name = "fault end", .args = "API", .least_args = 1, .most_args = 1, .summary = "take the faults of an API away", .run = fault_end,
};

/* ---- mirror and faults ------------------------------------------------------------------------------------------------------ */

static const struct option mirror_options[] = {
	{ "backend", OPTION_TEXT, "ID", "backend that gets the copies", false },
	{ "percent", OPTION_INT, "N", "of a hundred calls so many (100)", false },
	{ "method", OPTION_MANY, "METHOD", "only calls with it (GET and HEAD)", false },
	{ "max-body", OPTION_INT, "BYTES", "calls with larger bodies are not copied (65536)", false },
	{ "max-in-flight", OPTION_INT, "N", "at most so many copies under way in a worker (32)", false },
	{ "credentials", OPTION_TEXT, "yes|no", "whether the caller's Authorization and cookies go along (no)", false },
	OPTION_END,
};

static gh_rc mirror_set(struct cli *c, struct gh_err *err)
{
	static const char *const texts[][2] = { { "backend", "backend" } };
	static const char *const numbers[][2] = { { "percent", "percent" }, { "max-body", "maxBodyBytes" }, { "max-in-flight", "maxInFlight" } };
	const char *credentials = option_text(&c->options, "credentials");
	json_t *mirror;
	struct rule r;

	TRY(open_rule(c, &r, err));
	mirror = part_of(r.doc, "mirror");
	take_texts(c, mirror, texts, ARRAY_LEN(texts));
	take_numbers(c, mirror, numbers, ARRAY_LEN(numbers));
	take_list(c, mirror, "method", "methods");
	if (credentials)
		json_object_set_new(mirror, "credentials", json_boolean(strcmp(credentials, "yes") == 0));
	return write_rule(c, &r, err);
}

const struct command command_mirror_set = {
	.name = "mirror set", .args = "API", .least_args = 1, .most_args = 1, .summary = "copy calls of an API to another backend",
	.help = "Nobody waits for the copies, and what the mirror answers is thrown away.", .options = mirror_options, .run = mirror_set,
};

static const struct option fault_options[] = {
	{ "percent", OPTION_INT, "N", "of a hundred calls that it is for, so many (100)", false },
	{ "delay", OPTION_INT, "MS", "they wait so long", false },
	{ "status", OPTION_INT, "STATUS", "and are answered so, 400 to 599, in place of the backend", false },
	{ "header", OPTION_TEXT, "NAME", "only calls with this header", false },
	{ "header-value", OPTION_TEXT, "TEXT", "and this value of it", false },
	{ "subscription", OPTION_MANY, "ID", "only calls with this subscription", false },
	OPTION_END,
};

static gh_rc fault_add(struct cli *c, struct gh_err *err)
{
	static const char *const texts[][2] = { { "header", "header" }, { "header-value", "headerValue" } };
	static const char *const numbers[][2] = { { "percent", "percent" }, { "delay", "delayMs" }, { "status", "abortStatus" } };
	json_t *fault = json_pack("{s:i}", "percent", 100), *list;
	struct rule r;
	gh_rc rc = open_rule(c, &r, err);

	if (rc.code) {
		json_decref(fault);
		return rc;
	}
	take_texts(c, fault, texts, ARRAY_LEN(texts));
	take_numbers(c, fault, numbers, ARRAY_LEN(numbers));
	take_list(c, fault, "subscription", "subscriptions");
	list = jsn_arr(r.doc, "faults");
	if (!list)
		json_object_set_new(r.doc, "faults", list = json_array());
	json_array_append_new(list, fault);
	return write_rule(c, &r, err);
}

const struct command command_fault_add = {
	.name = "fault add", .args = "API", .least_args = 1, .most_args = 1, .summary = "delay or refuse calls of an API, for tests of its consumers",
	.help = "Without --header and --subscription every caller meets it.", .options = fault_options, .run = fault_add,
};

/* ---- looking ----------------------------------------------------------------------------------------------------------------- */

struct printed_canary {
	struct str api, backend, state, why;
	int64_t percent, calls, errors, stable_calls, stable_errors;
};
static const struct column canary_columns[] = {
	{ "API", "api", COLUMN_TEXT, offsetof(struct printed_canary, api), NULL },
	{ "BACKEND", "backend", COLUMN_TEXT, offsetof(struct printed_canary, backend), NULL },
	{ "SHARE", "percent", COLUMN_INT, offsetof(struct printed_canary, percent), NULL },
	{ "STATE", "state", COLUMN_TEXT, offsetof(struct printed_canary, state), NULL },
	{ "CALLS", "calls", COLUMN_INT, offsetof(struct printed_canary, calls), NULL },
	{ "ERRORS", "errors", COLUMN_INT, offsetof(struct printed_canary, errors), NULL },
	{ "OTHERS", "stableCalls", COLUMN_INT, offsetof(struct printed_canary, stable_calls), NULL },
	{ "ERRORS", "stableErrors", COLUMN_INT, offsetof(struct printed_canary, stable_errors), NULL },
	{ "WHY", "why", COLUMN_TEXT, offsetof(struct printed_canary, why), NULL },
};

static void close_states(void *s)
{
	backend_states_close(s);
}

/* What the gateways of this machine know; NULL: none ran yet. */
static gh_rc open_states(struct cli *c, struct backend_states **out, struct gh_err *err)
{
	struct gh_err none_yet;
	char path[PATHS_MAX];

	*out = NULL;
	TRY(paths_join(path, c->state_dir, "backends", err));
	if (backend_states_open(path, false, out, &none_yet).code)
		*out = NULL;
	else if (!arena_defer(c->arena, close_states, *out))
		FAIL(err, NOMEM, "no memory for the states");
	return GH_RC_OK;
}

/* What canary list and mirror list begin with: the rules, the states and room for a row each. */
struct listing {
	struct store_traffic_rule *rules;
	size_t n;
	struct backend_states *states;       /* NULL: no gateway ran yet */
	void *rows;
};

static gh_rc begin_listing(struct cli *c, size_t row_bytes, struct listing *l, struct gh_err *err)
{
	struct store *s;

	TRY(cli_store(c, false, &s, err));
	TRY(store_traffic_rules(s, c->arena, &l->rules, &l->n, err));
	TRY(open_states(c, &l->states, err));
	l->rows = arena_alloc(c->arena, l->n + 1, row_bytes);
	if (!l->rows)
		FAIL(err, NOMEM, "%zu rules", l->n);
	return GH_RC_OK;
}

static void print_canary(const struct store_traffic_rule *r, struct canary_rule *rule, struct backend_states *states,
			 struct printed_canary *out)
{
	struct canary_view v;
	bool back;

	canary_look(backend_slot_find(states, canary_key(r->api_id, true)),
		    backend_slot_find(states, canary_key(r->api_id, false)), rule, clock_mono_us(), &v);
	back = r->canary_state == STORE_CANARY_ROLLED_BACK || v.back;
	*out = (struct printed_canary){
		.api = r->api_id, .backend = rule->backend, .percent = rule->percent, .why = r->rolled_back_why,
		.state = str_of(store_canary_state_names[back ? STORE_CANARY_ROLLED_BACK : r->canary_state]), .calls = (int64_t)v.calls[1],
		.errors = (int64_t)v.failed[1], .stable_calls = (int64_t)v.calls[0], .stable_errors = (int64_t)v.failed[0],
	};
}

static gh_rc canary_list(struct cli *c, struct gh_err *err)
{
	struct printed_canary *rows;
	struct canary_rule rule;
	struct listing l;
	size_t shown = 0;

	TRY(begin_listing(c, sizeof(*rows), &l, err));
	rows = l.rows;
	for (size_t i = 0; i < l.n; i++)
		if (l.rules[i].canary.n && canary_rule_read(c->arena, l.rules[i].canary, l.rules[i].since_us, &rule))
			print_canary(&l.rules[i], &rule, l.states, &rows[shown++]);
	output_list(c, canary_columns, ARRAY_LEN(canary_columns), rows, shown, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_canary_list = {
	.name = "canary list", .summary = "list the canaries, and how they and the other calls did in their windows", .run = canary_list,
};

struct printed_mirror {
	struct str api, backend;
	int64_t percent, sent, failed, skipped;
};
static const struct column mirror_columns[] = {
	{ "API", "api", COLUMN_TEXT, offsetof(struct printed_mirror, api), NULL },
	{ "BACKEND", "backend", COLUMN_TEXT, offsetof(struct printed_mirror, backend), NULL },
	{ "SHARE", "percent", COLUMN_INT, offsetof(struct printed_mirror, percent), NULL },
	{ "SENT", "sent", COLUMN_INT, offsetof(struct printed_mirror, sent), NULL },
	{ "FAILED", "failed", COLUMN_INT, offsetof(struct printed_mirror, failed), NULL },
	{ "SKIPPED", "skipped", COLUMN_INT, offsetof(struct printed_mirror, skipped), NULL },
};

static gh_rc mirror_list(struct cli *c, struct gh_err *err)
{
	struct printed_mirror *rows;
	struct mirror_rule rule;
	uint64_t counts[MIRROR__COUNT];
	struct listing l;
	size_t shown = 0;

	TRY(begin_listing(c, sizeof(*rows), &l, err));
	rows = l.rows;
	for (size_t i = 0; i < l.n; i++) {
		const struct store_traffic_rule *r = &l.rules[i];

		if (!r->mirror.n || !mirror_rule_read(c->arena, r->mirror, &rule))
			continue;
		mirror_look(backend_slot_find(l.states, mirror_key(r->api_id)), counts);
		rows[shown++] = (struct printed_mirror){ r->api_id, rule.backend, rule.percent, (int64_t)counts[MIRROR_SENT],
							 (int64_t)counts[MIRROR_FAILED], (int64_t)counts[MIRROR_SKIPPED] };
	}
	output_list(c, mirror_columns, ARRAY_LEN(mirror_columns), rows, shown, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_mirror_list = {
	.name = "mirror list", .summary = "list the mirrors, and what became of the copies since the machine was booted", .run = mirror_list,
};

struct printed_fault {
	struct str api, header, subscriptions;
	int64_t percent, delay_ms, status;
};
static const struct column fault_columns[] = {
	{ "API", "api", COLUMN_TEXT, offsetof(struct printed_fault, api), NULL },
	{ "SHARE", "percent", COLUMN_INT, offsetof(struct printed_fault, percent), NULL },
	{ "DELAY MS", "delayMs", COLUMN_INT, offsetof(struct printed_fault, delay_ms), NULL },
	{ "STATUS", "status", COLUMN_INT, offsetof(struct printed_fault, status), NULL },
	{ "HEADER", "header", COLUMN_TEXT, offsetof(struct printed_fault, header), NULL },
	{ "SUBSCRIPTIONS", "subscriptions", COLUMN_TEXT, offsetof(struct printed_fault, subscriptions), NULL },
};

static struct printed_fault print_fault(struct cli *c, struct str api, const struct fault_rule *f)
{
	struct printed_fault out = { .api = api, .header = f->header, .subscriptions = STR(""), .percent = f->percent, .delay_ms = f->delay_ms,
				     .status = f->abort_status };

	if (f->header_value.p)
		out.header = arena_printf(c->arena, "%.*s: %.*s", STR_ARG(f->header), STR_ARG(f->header_value));
	for (size_t i = 0; i < f->subscriptions.n; i++)
		out.subscriptions = arena_printf(c->arena, "%.*s%s%.*s", STR_ARG(out.subscriptions), i ? " " : "", STR_ARG(f->subscriptions.v[i]));
	return out;
}

static gh_rc fault_list(struct cli *c, struct gh_err *err)
{
	struct printed_fault *rows;
	struct fault_rule *faults;
	struct listing l;
	size_t shown = 0, n;

	TRY(begin_listing(c, sizeof(*rows) * TRAFFIC_FAULTS_MAX, &l, err));
	rows = l.rows;
	for (size_t i = 0; i < l.n; i++) {
		if (!l.rules[i].faults.n || !fault_rules_read(c->arena, l.rules[i].faults, &faults, &n))
			continue;
		for (size_t k = 0; k < n; k++)
			rows[shown++] = print_fault(c, l.rules[i].api_id, &faults[k]);
	}
	output_list(c, fault_columns, ARRAY_LEN(fault_columns), rows, shown, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_fault_list = {
	.name = "fault list", .summary = "list the faults, in the order in which calls meet them", .run = fault_list,
};
