/* kind_traffic.c - where calls of an API go besides its backend: canary, mirror, faults. The id is the place, "api:orders".
 *
 * A canary that was rolled back stays so, whatever else of the rule is written, until "canaryState" is set to running: a file that
 * is applied again must not send calls to what has just failed. */
#include "config/kind.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/traffic_rule.h"
#include "db/apis.h"
#include "db/traffic_rules.h"

struct traffic_row {
	struct str id;
	struct store_traffic_rule rule;
};

static const char *const againsts[] = { "limit", "stable", NULL };

static const struct resource_field roll_back_fields[] = {
	{ .name = "errorPercent", .type = RESOURCE_INT, .flags = RESOURCE_REQUIRED, .most = 99, .label = "Errors (%)",
	  .description = "More errors than this in a hundred calls of the canary roll it back. Answers from 500 on and calls without an answer are errors" },
	{ .name = "against", .type = RESOURCE_ENUM, .values = againsts, .otherwise = "\"limit\"", .label = "Measured against",
	  .description = "limit: the errors alone; stable: by how many points the canary may be worse than the other calls" },
	{ .name = "minimumCalls", .type = RESOURCE_INT, .least = 1, .most = 1000000, .otherwise = "20", .label = "Least calls",
	  .description = "With fewer calls in the window nothing is judged; with stable, on either side" },
	{ .name = "windowSeconds", .type = RESOURCE_INT, .least = 1, .most = TRAFFIC_WINDOW_MAX_S, .otherwise = "60", .label = "Window (s)",
	  .description = "Calls of so many seconds are counted" },
	FIELD_END,
};

static const struct resource_field canary_fields[] = {
	{ .name = "backend", .type = RESOURCE_REF, .ref = "backend", .flags = RESOURCE_REQUIRED, .label = "Backend",
	  .description = "Backend or pool that gets the canary's calls" },
	{ .name = "percent", .type = RESOURCE_INT, .most = 100, .otherwise = "0", .label = "Share (%)",
	  .description = "Of a hundred calls that nothing below decides, so many go to the canary" },
	{ .name = "header", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .most = 200, .label = "Header",
	  .description = "Request header: always takes the canary, never keeps away from it, any other value decides nothing" },
	{ .name = "headerValue", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .most = 400, .label = "Header value",
	  .description = "This value of the header takes the canary, in place of always and never" },
	{ .name = "cookie", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .most = 200, .label = "Cookie",
	  .description = "Cookie that says always or never, asked behind the header" },
	{ .name = "subscriptions", .type = RESOURCE_TEXTS, .most = RESOURCE_ID_MAX, .label = "Subscriptions",
	  .description = "Ids of subscriptions whose calls all go to the canary" },
	{ .name = "operations", .type = RESOURCE_TEXTS, .most = RESOURCE_ID_MAX, .label = "Only operations",
	  .description = "Ids of operations of the API; calls of others have no part in the canary. None: all" },
	{ .name = "products", .type = RESOURCE_REFS, .ref = "product", .label = "Only products",
	  .description = "Calls with a key of these products; others have no part in the canary. None: all" },
	{ .name = "stickyOn", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .most = 200, .label = "Same side for the same",
	  .description = "subscription, address, header:NAME or cookie:NAME (set by the gateway): equal ones stay on one side; null: each call by itself" },
	{ .name = "rollBack", .type = RESOURCE_OBJECT, .flags = RESOURCE_NULL, .fields = roll_back_fields, .label = "Roll back by itself",
	  .description = "When the canary gets no more calls; null: only by hand" },
	FIELD_END,
};

static const struct resource_field mirror_fields[] = {
	{ .name = "backend", .type = RESOURCE_REF, .ref = "backend", .flags = RESOURCE_REQUIRED, .label = "Backend",
	  .description = "Backend that gets copies; what it answers is thrown away" },
	{ .name = "percent", .type = RESOURCE_INT, .least = 1, .most = 100, .otherwise = "100", .label = "Share (%)",
	  .description = "Of a hundred calls so many are copied" },
	{ .name = "methods", .type = RESOURCE_TEXTS, .most = 40, .otherwise = "[\"GET\", \"HEAD\"]", .label = "Methods",
	  .description = "Only these are copied; others than GET and HEAD do at the mirror what they do at the backend" },
	{ .name = "maxBodyBytes", .type = RESOURCE_INT, .least = 0, .most = TRAFFIC_BODY_MAX, .otherwise = "65536", .label = "Largest body",
	  .description = "Calls with larger bodies are not copied" },
	{ .name = "maxInFlight", .type = RESOURCE_INT, .least = 1, .most = TRAFFIC_IN_FLIGHT_MAX, .otherwise = "32", .label = "Copies under way",
	  .description = "At most so many in each worker; beyond them calls are not copied" },
	{ .name = "credentials", .type = RESOURCE_BOOL, .otherwise = "false", .label = "With credentials",
	  .description = "Whether Authorization, cookies and keys of the caller go to the mirror too; credentials of the first backend never do" },
	FIELD_END,
};

static const struct resource_field fault_fields[] = {
	{ .name = "percent", .type = RESOURCE_INT, .flags = RESOURCE_REQUIRED, .least = 1, .most = 100, .label = "Share (%)",
	  .description = "Of a hundred calls that it is for, so many meet it" },
	{ .name = "delayMs", .type = RESOURCE_INT, .most = TRAFFIC_DELAY_MAX_MS, .otherwise = "0", .label = "Delay (ms)",
	  .description = "The call waits so long before it goes on" },
	{ .name = "abortStatus", .type = RESOURCE_INT, .flags = RESOURCE_NULL, .least = 400, .most = 599, .label = "Status",
	  .description = "Answered with this status in place of the backend; null: it only waits" },
	{ .name = "header", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .most = 200, .label = "Header",
	  .description = "Only calls with this header" },
	{ .name = "headerValue", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .most = 400, .label = "Header value",
	  .description = "And this value of it" },
	{ .name = "subscriptions", .type = RESOURCE_TEXTS, .most = RESOURCE_ID_MAX, .label = "Subscriptions",
	  .description = "Only calls with one of these subscriptions (ids)" },
	FIELD_END,
};

static const struct resource_field fields[] = {
	FIELD_ID("The place: api:ID", traffic_row, id),
	{ .name = "canary", .type = RESOURCE_OBJECT, .flags = RESOURCE_NULL, .fields = canary_fields, .label = "Canary",
	  .description = "Some calls go to another backend, and all come back when it fails; null: none", .offset = RESOURCE_BY_HAND },
	{ .name = "canaryState", .type = RESOURCE_ENUM, .flags = RESOURCE_STAYS, .values = store_canary_state_names, .otherwise = "\"running\"",
	  .label = "State of the canary", .description = "running begins one anew that was rolled back; paused: it gets no calls",
	  AT(traffic_row, rule.canary_state) },
	{ .name = "canarySince", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Canary since",
	  .description = "When it was begun, also anew", AT(traffic_row, rule.since_us) },
	{ .name = "rolledBack", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Rolled back",
	  .description = "When the canary was rolled back", AT(traffic_row, rule.rolled_back_us) },
	{ .name = "rolledBackWhy", .type = RESOURCE_TEXT, .flags = RESOURCE_READ_ONLY, .label = "Why it was rolled back",
	  .description = "What was found", AT(traffic_row, rule.rolled_back_why) },
	{ .name = "mirror", .type = RESOURCE_OBJECT, .flags = RESOURCE_NULL, .fields = mirror_fields, .label = "Mirror",
	  .description = "Copies of calls go to another backend, which nobody waits for; null: none", .offset = RESOURCE_BY_HAND },
	{ .name = "faults", .type = RESOURCE_OBJECTS, .fields = fault_fields, .label = "Faults",
	  .description = "Delays and errors that consumers can test with. The first that a call meets counts", .offset = RESOURCE_BY_HAND },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(traffic_row, rule.changed_us) },
	FIELD_END,
};

static bool place_of(struct str id, struct str *api)
{
	*api = str_starts(id, STR("api:")) ? str_from(id, 4) : STR_NULL;
	return api->n > 0;
}

static void check_id(struct resource_change *c, struct str id)
{
	bool there = true;
	struct str api;

	if (!place_of(id, &api))
		resource_problem(c, &kind_traffic_rule, id, STR("/id"), "must be api:ID");
	else if (!resource_exists(c->store, &kind_api, api, &there, NULL).code && !there)
		resource_problem(c, &kind_traffic_rule, id, STR("/id"), "there is no API '%.*s'%.*s", STR_ARG(api),
				 STR_ARG(resource_meant(c, &kind_api, api)));
}

static GH_RC find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct traffic_row *r = row;
	struct str api;

	*found = false;
	r->id = id;
	return place_of(id, &api) ? store_traffic_rule_find(s, a, api, &r->rule, found, err) : GH_RC_OK;
}

static json_t *part(struct arena *a, struct str text, json_t *none)
{
	json_t *v = NULL;

	if (!text.n || jsn_parse_in(a, text, NULL, &v, NULL, NULL).code)
		return none;
	json_decref(none);
	return json_incref(v);
}

static GH_RC show(struct store *s UNUSED, struct arena *a, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	const struct store_traffic_rule *r = &((const struct traffic_row *)row)->rule;

	json_object_set_new(doc, "canary", part(a, r->canary, json_null()));
	json_object_set_new(doc, "mirror", part(a, r->mirror, json_null()));
	json_object_set_new(doc, "faults", part(a, r->faults, json_array()));
	return GH_RC_OK;
}

static void check_header(struct resource_put *p, const json_t *o, const char *at)
{
	char pointer[60];

	for (int i = 0; i < 2; i++) {
		const char *name = i ? "cookie" : "header";
		struct str s = jsn_str(o, name);

		snprintf(pointer, sizeof(pointer), "%s/%s", at, name);
		if (s.n && !http_is_token(s))
			put_problem(p, pointer, "is the name of a %s, as X-Canary", name);
	}
	snprintf(pointer, sizeof(pointer), "%s/headerValue", at);
	if (jsn_str(o, "headerValue").n && !jsn_str(o, "header").n)
		put_problem(p, pointer, "says nothing without the name of a header");
}

static void check_list(struct resource_put *p, const json_t *o, const char *name, const char *at)
{
	char pointer[60];

	snprintf(pointer, sizeof(pointer), "%s/%s", at, name);
	if (json_array_size(jsn_get(o, name)) > TRAFFIC_LIST_MAX)
		put_problem(p, pointer, "has more than %d entries", TRAFFIC_LIST_MAX);
}

static GH_RC check_operations(struct resource_put *p, const json_t *operations, struct gh_err *err)
{
	char pointer[40];
	struct str api;
	bool there;

	for (size_t i = 0; i < json_array_size(operations) && place_of(p->id, &api); i++) {
		struct str id = jsn_string(json_array_get(operations, i));

		TRY(store_operation_anywhere(p->s, api, id, &there, err));
		snprintf(pointer, sizeof(pointer), "/canary/operations/%zu", i);
		if (!there)
			put_problem(p, pointer, "the API '%.*s' has no operation '%.*s'", STR_ARG(api), STR_ARG(id));
	}
	return GH_RC_OK;
}

static GH_RC check_canary(struct resource_put *p, const json_t *canary, struct gh_err *err)
{
	enum canary_sticky sticky;
	struct str name;

	check_header(p, canary, "/canary");
	check_list(p, canary, "subscriptions", "/canary");
	check_list(p, canary, "operations", "/canary");
	check_list(p, canary, "products", "/canary");
	if (!canary_sticky_parse(jsn_str(canary, "stickyOn"), &sticky, &name) || (name.n && !http_is_token(name)))
		put_problem(p, "/canary/stickyOn", "must be subscription, address, header:NAME or cookie:NAME");
	if (str_starts_ci(name, STR("gh_")) || str_starts_ci(jsn_str(canary, "cookie"), STR("gh_")))
		put_problem(p, str_starts_ci(name, STR("gh_")) ? "/canary/stickyOn" : "/canary/cookie",
			    "cookies whose names begin with gh_ are the gateway's own");
	return check_operations(p, jsn_get(canary, "operations"), err);
}

static void check_mirror(struct resource_put *p, const json_t *mirror)
{
	const json_t *methods = jsn_get(mirror, "methods");
	char pointer[40];

	check_list(p, mirror, "methods", "/mirror");
	for (size_t i = 0; i < json_array_size(methods); i++) {
		snprintf(pointer, sizeof(pointer), "/mirror/methods/%zu", i);
		if (!http_is_token(jsn_string(json_array_get(methods, i))))
			put_problem(p, pointer, "is a method, as GET");
	}
	if (!json_array_size(methods))
		put_problem(p, "/mirror/methods", "no method means that nothing is copied; take the mirror away instead");
}

/* A pool is chosen from when a call is forwarded; a copy goes to one server. */
static void check_mirror_backend(struct resource_put *p, const json_t *mirror)
{
	json_t *doc = NULL;

	if (!resource_read(p->s, p->a, &kind_backend, jsn_str(mirror, "backend"), &doc, NULL).code && doc
	    && json_array_size(jsn_get(doc, "members")))
		put_problem(p, "/mirror/backend", "is a pool; name a backend with an address");
}

static GH_RC check(struct resource_put *p, struct gh_err *err)
{
	const json_t *canary = jsn_obj(p->doc, "canary"), *mirror = jsn_obj(p->doc, "mirror"), *faults = jsn_get(p->doc, "faults");
	char pointer[40];

	if (canary)
		TRY(check_canary(p, canary, err));
	if (mirror) {
		check_mirror(p, mirror);
		check_mirror_backend(p, mirror);
	}
	if (json_array_size(faults) > TRAFFIC_FAULTS_MAX)
		put_problem(p, "/faults", "has more than %d entries", TRAFFIC_FAULTS_MAX);
	for (size_t i = 0; i < json_array_size(faults); i++) {
		const json_t *f = json_array_get(faults, i);

		snprintf(pointer, sizeof(pointer), "/faults/%zu", i);
		check_header(p, f, pointer);
		check_list(p, f, "subscriptions", pointer);
		if (!jsn_int(f, "delayMs", 0) && !jsn_int(f, "abortStatus", 0))
			put_problem(p, pointer, "does nothing; give delayMs, abortStatus or both");
	}
	return GH_RC_OK;
}

/* What is written begins a canary anew when it is another one, or when it is set running again. */
static void settle_state(struct resource_put *p, struct store_traffic_rule *r)
{
	const json_t *canary = jsn_get(p->doc, "canary");
	struct str was = p->before ? jsn_str(p->before, "canaryState") : STR("");
	bool same = p->before && json_equal(jsn_get(p->before, "canary"), canary);

	if (json_is_null(canary)) {
		r->canary_state = STORE_CANARY_RUNNING;
		r->since_us = r->rolled_back_us = 0;
		r->rolled_back_why = STR("");
		return;
	}
	if (!same || !r->since_us || (r->canary_state == STORE_CANARY_RUNNING && !str_eq(was, STR("running"))))
		r->since_us = clock_wall_us();
	if (r->canary_state != STORE_CANARY_ROLLED_BACK) {
		r->rolled_back_us = 0;
		r->rolled_back_why = STR("");
	} else if (!r->rolled_back_us) {
		r->rolled_back_us = clock_wall_us();
		r->rolled_back_why = STR("by hand");
	}
}

static GH_RC save(struct resource_put *p, struct gh_err *err)
{
	struct store_traffic_rule r = ((struct traffic_row *)p->row)->rule;
	const json_t *canary = jsn_obj(p->doc, "canary"), *mirror = jsn_obj(p->doc, "mirror"), *faults = jsn_get(p->doc, "faults");

	(void)place_of(p->id, &r.api_id);
	r.canary = canary ? jsn_text(p->a, canary, 0) : STR("");
	r.mirror = mirror ? jsn_text(p->a, mirror, 0) : STR("");
	r.faults = json_array_size(faults) ? jsn_text(p->a, faults, 0) : STR("");
	if (!r.canary.p || !r.mirror.p || !r.faults.p)
		FAIL(err, NOMEM, "traffic rule");
	settle_state(p, &r);
	return store_traffic_rule_set(p->s, &r, err);
}

static GH_RC drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	struct str api;

	if (!place_of(id, &api))
		FAIL(err, NOT_FOUND, "there is no traffic rule '%.*s'", STR_ARG(id));
	return store_traffic_rule_delete(s, api, err);
}

static const struct resource_ops ops = {
	.row_size = sizeof(struct traffic_row), .store = STORE_RESOURCE_TRAFFIC_RULE, .check_id = check_id, .find = find, .show = show,
	.check = check, .save = save, .drop = drop,
};

const struct resource_kind kind_traffic_rule = {
	.name = "traffic-rule", .plural = "traffic-rules", .title = "Traffic rule",
	.description = "Where calls of an API go besides its backend: a canary that is rolled back when it fails, a mirror, faults for tests.",
	.area = RESOURCE_AREA_POLICIES, .fields = fields, .ops = &ops, .filters = { { NULL } },
};
