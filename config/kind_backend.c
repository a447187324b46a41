/* kind_backend.c - backends with an address, and pools of them. */
#include "config/kind.h"

#include "core/backend_fixed.h"
#include "core/str.h"
#include "db/backends.h"

static const char *const balances[] = { "round-robin", "least-outstanding", "hash", NULL }, *const versions[] = { "1.2", "1.3", NULL };

static const struct resource_field member_fields[] = {
	{ .name = "backend", .type = RESOURCE_REF, .ref = "backend", .flags = RESOURCE_REQUIRED, .label = "Backend", .description = "Its id" },
	{ .name = "weight", .type = RESOURCE_INT, .least = 1, .most = 1000000, .otherwise = "1", .label = "Weight",
	  .description = "Its share of the calls" },
	{ .name = "priority", .type = RESOURCE_INT, .least = 0, .most = 1000000, .otherwise = "1", .label = "Priority",
	  .description = "The lowest number is used first" },
	FIELD_END,
};

/* As core/backend_rules.h reads them. */
static bool hint_of(const struct resource_hint *rows, size_t n, size_t i, struct resource_hint *out)
{
	if (i < n)
		*out = rows[i];
	return i < n;
}

static bool breaker_hint(size_t i, struct resource_hint *out)
{
	static const struct resource_hint rows[] = {
		{ STR_INIT("rules, one"), "tripDuration", "How long it stays open: PT1M, 90s", true },
		{ STR_INIT("rules, one"), "acceptRetryAfter", "true: the backend may say how long with Retry-After", false },
		{ STR_INIT("failureCondition"), "count", "Failures in the interval that open it; or percentage", true },
		{ STR_INIT("failureCondition"), "percentage", "Share of the calls that open it, in place of count", false },
		{ STR_INIT("failureCondition"), "minimumRequests", "With percentage: so many calls there must have been (10)", false },
		{ STR_INIT("failureCondition"), "interval", "The time in which failures count: PT1M", true },
		{ STR_INIT("failureCondition"), "statusCodeRanges", "Which answers fail, like [{min: 500, max: 599}], which is the default", false },
		{ STR_INIT("failureCondition"), "errorReasons", "Which ways of not getting an answer fail; left out: every one", false },
	};

	return hint_of(rows, ARRAY_LEN(rows), i, out);
}

static bool health_hint(size_t i, struct resource_hint *out)
{
	static const struct resource_hint rows[] = {
		{ STR_INIT("health"), "path", "What is asked: /health", true },
		{ STR_INIT("health"), "interval", "How often: PT10S", false },
		{ STR_INIT("health"), "timeout", "How long an answer may take: PT2S", false },
		{ STR_INIT("health"), "unhealthyThreshold", "Failures in a row that take it out of its pools (3)", false },
		{ STR_INIT("health"), "healthyThreshold", "Good answers in a row that bring it back (2)", false },
		{ STR_INIT("health"), "statusCodeRanges", "Which answers are good, like [{min: 200, max: 399}], which is the default", false },
	};

	return hint_of(rows, ARRAY_LEN(rows), i, out);
}

static const struct resource_field fields[] = {
	FIELD_ID("Names the backend", store_backend, id),
	{ .name = "name", .type = RESOURCE_TEXT, .label = "Name", .most = 300, .description = "What people read; empty: the id",
	  AT(store_backend, name) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What it is",
	  AT(store_backend, description) },
	{ .name = "url", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Address", .most = 2000,
	  .description = "Where calls go; null of a pool", AT(store_backend, url) },
	{ .name = "unixSocket", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Unix socket", .most = 107,
	  .description = "Path of a socket that is connected to in place of the address's host; null: that host", AT(store_backend, unix_socket) },
	{ .name = "maxCalls", .type = RESOURCE_INT, .otherwise = "0", .most = 1000000, .label = "Calls at once",
	  .description = "At most so many calls under way to it, of all workers; more go to other members of its pool or get 503; 0: any number",
	  AT(store_backend, max_calls) },
	{ .name = "members", .type = RESOURCE_OBJECTS, .fields = member_fields, .label = "Members",
	  .description = "The backends of a pool; none: it is no pool", .offset = RESOURCE_BY_HAND },
	{ .name = "balance", .type = RESOURCE_ENUM, .flags = RESOURCE_AS_TEXT, .values = balances, .otherwise = "\"round-robin\"",
	  .label = "Balance", .description = "How a pool spreads its calls", AT(store_backend, balance) },
	{ .name = "hashOn", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Hash on", .most = 200,
	  .description = "With hash: address, subscription, path, header:NAME or cookie:NAME", AT(store_backend, hash_on) },
	{ .name = "affinityCookie", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Affinity cookie", .most = 128,
	  .description = "Cookie that keeps a session on one member of a pool", AT(store_backend, affinity_cookie) },
	{ .name = "credential", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Credential", .most = 100,
	  .description = "Credential that is shown to it, of the environment of the API that is called", AT(store_backend, credential_id) },
	{ .name = "credentials", .type = RESOURCE_SECRET, .label = "Fixed headers and parameters",
	  .description = "What each call to it carries, as a text of JSON: {\"header\": {\"X-Key\": \"{{erp-key}}\"}, \"query\": {...}, \"authorization\": {\"scheme\": \"Bearer\", \"parameter\": \"...\"}}",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "verifyTls", .type = RESOURCE_BOOL, .otherwise = "true", .label = "Check certificate",
	  .description = "Whether the certificate chain of the backend is checked", AT(store_backend, verify_tls) },
	{ .name = "verifyName", .type = RESOURCE_BOOL, .otherwise = "true", .label = "Check name",
	  .description = "Whether the name in its certificate is checked", AT(store_backend, verify_name) },
	{ .name = "tlsServerName", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Server name", .most = 253,
	  .description = "Name that is asked for and checked in place of the address's", AT(store_backend, tls_server_name) },
	{ .name = "tlsMinVersion", .type = RESOURCE_ENUM, .flags = RESOURCE_AS_TEXT | RESOURCE_NULL, .values = versions, .label = "Least TLS version",
	  .description = "Older versions of TLS are refused", AT(store_backend, tls_min_version) },
	{ .name = "tlsPins", .type = RESOURCE_TEXTS, .label = "Pins", .most = 100,
	  .description = "Digests of public keys, sha256//BASE64, one of which it must have; none: any", .offset = RESOURCE_BY_HAND },
	{ .name = "clientCertificate", .type = RESOURCE_REF, .ref = "certificate", .label = "Client certificate",
	  .description = "Certificate that is shown to it", AT(store_backend, client_certificate_id) },
	{ .name = "authorities", .type = RESOURCE_REFS, .ref = "certificate", .label = "Authorities",
	  .description = "Authorities that vouch for its certificate in place of the system's", .offset = RESOURCE_BY_HAND },
	{ .name = "breaker", .type = RESOURCE_OBJECT, .label = "Circuit breaker", .hints = breaker_hint,
	  .description = "When it opens and for how long, like rules: [{tripDuration: PT1M, failureCondition: {count: 5, interval: PT1M}}]",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "health", .type = RESOURCE_OBJECT, .label = "Health check", .hints = health_hint,
	  .description = "What is asked and how often, like {path: /health, interval: PT10S}", .offset = RESOURCE_BY_HAND },
	FIELD_END,
};

/* With its secrets in clear: an update seals them again. */
static GH_RC find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_backend_find(s, a, id, true, row, found, err);
}

static json_t *object_of(struct arena *a, struct str text)
{
	json_t *v;

	return text.n && !jsn_parse_in(a, text, NULL, &v, NULL, NULL).code && json_is_object(v) ? json_incref(v) : json_null();
}

static GH_RC show(struct store *s, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	const struct store_backend *b = row;
	json_t *members = json_array(), *pins = json_array();
	struct store_pool_member *v;
	struct str *ids, rest = b->tls_pins, pin;
	size_t n;

	json_object_set_new(doc, "members", members);
	json_object_set_new(doc, "tlsPins", pins);
	json_object_set_new(doc, "breaker", object_of(a, b->breaker));
	json_object_set_new(doc, "health", object_of(a, b->health));
	json_object_set_new(doc, "credentials", resource_secret_shown(b->credentials.n > 0, STR_NULL));
	if (!b->balance.n)
		json_object_set_new(doc, "balance", json_string("round-robin"));
	while (rest.n && str_split(&rest, ';', &pin))
		json_array_append_new(pins, json_stringn(pin.p, pin.n));
	TRY(store_backend_authority_ids(s, a, b->id, &ids, &n, err));
	json_object_set_new(doc, "authorities", resource_id_list(ids, n));
	TRY(store_pool_members_of(s, a, b->id, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(members, json_pack("{s:s%, s:I, s:I}", "backend", v[i].backend_id.p, v[i].backend_id.n, "weight",
							 (json_int_t)v[i].weight, "priority", (json_int_t)v[i].priority));
	return GH_RC_OK;
}

static void check_pool(struct resource_put *p)
{
	const struct store_backend *b = p->row;
	const json_t *members = jsn_get(p->doc, "members");
	static const char *const of_backends[] = { "/breaker", "/health", "/credential", "/credentials", "/unixSocket" };
	char pointer[40];

	if (b->url.n && json_array_size(members))
		put_problem(p, "/members", "a pool has no address of its own; give url or members");
	if (!b->url.n && !json_array_size(members))
		put_problem(p, "/url", "give url for a backend, or members for a pool");
	for (size_t i = 0; json_array_size(members) && i < ARRAY_LEN(of_backends); i++) {
		const json_t *v = jsn_get(p->doc, of_backends[i] + 1);

		if (v && !json_is_null(v))
			put_problem(p, of_backends[i], "a pool has none; its members have");
	}
	for (size_t i = 0; i < json_array_size(members); i++) {
		struct str id = jsn_str(json_array_get(members, i), "backend");

		snprintf(pointer, sizeof(pointer), "/members/%zu/backend", i);
		if (str_eq(id, p->id))
			put_problem(p, pointer, "a pool is no member of itself");
		for (size_t k = 0; k < i; k++)
			if (str_eq(id, jsn_str(json_array_get(members, k), "backend")))
				put_problem(p, pointer, "stands in the list already");
	}
}

static int by_priority(const json_t *a, const json_t *b)
{
	int64_t x = jsn_int(a, "priority", 1), y = jsn_int(b, "priority", 1);

	return x != y ? (x > y) - (x < y) : str_cmp(jsn_str(a, "backend"), jsn_str(b, "backend"));
}

/* What each call carries, and the named values in it: calls to a backend with one that is not there would all end with 502. */
static GH_RC check_fixed(struct resource_put *p, struct str text, struct gh_err *err)
{
	struct backend_fixed fixed;
	struct str before, name;
	struct gh_err wrong;
	gh_rc rc = backend_fixed_parse(p->a, text, &fixed, &wrong);

	if (rc.code) {
		put_problem(p, "/credentials", "%s", wrong.message);
		return GH_RC_OK;
	}
	for (size_t i = 0; i < fixed.n; i++) {
		struct str rest = fixed.v[i].value;

		while (backend_fixed_named(&rest, &before, &name))
			TRY(check_named_value(p, "/credentials", name, err));
	}
	return GH_RC_OK;
}

static GH_RC check(struct resource_put *p, struct gh_err *err)
{
	const struct store_backend *b = p->row;
	struct str text;

	check_pool(p);
	sort_objects(jsn_get(p->doc, "members"), by_priority);
	check_address(p, "/url", b->url);
	if (b->unix_socket.n && b->unix_socket.p[0] != '/')
		put_problem(p, "/unixSocket", "is a path that begins with /");
	if (b->max_calls && json_array_size(jsn_get(p->doc, "members")))
		put_problem(p, "/maxCalls", "a pool has none; its members have");
	if (b->verify_name && !b->verify_tls)
		put_problem(p, "/verifyName", "the name of a certificate that is not checked means nothing; set both to false");
	switch (resource_secret(p->doc, "credentials", &text)) {
	case SECRET_REF:
		put_problem(p, "/credentials", "takes no reference; make a credential with a reference and name it in \"credential\"");
		break;
	case SECRET_TEXT:
		TRY(check_fixed(p, text, err));
		break;
	case SECRET_STAYS:
		if (jsn_get(p->doc, "credentials") && !b->credentials.n)
			put_problem(p, "/credentials", "there is nothing sealed yet; give a text");
		break;
	case SECRET_NONE:
		break;
	}
	return GH_RC_OK;
}

static struct str text_of(struct resource_put *p, const char *name)
{
	const json_t *v = jsn_get(p->doc, name);

	return json_is_object(v) ? jsn_text(p->a, v, 0) : STR_NULL;
}

static GH_RC save_lists(struct resource_put *p, struct gh_err *err)
{
	const json_t *members = jsn_get(p->doc, "members");
	size_t n = json_array_size(members), n_ids;
	struct store_pool_member *v = arena_alloc(p->a, n + 1, sizeof(*v));
	struct str *ids;

	if (!v)
		FAIL(err, NOMEM, "pool");
	for (size_t i = 0; i < n; i++) {
		const json_t *m = json_array_get(members, i);

		v[i] = (struct store_pool_member){ p->id, jsn_str(m, "backend"), jsn_int(m, "weight", 1), jsn_int(m, "priority", 1) };
	}
	TRY(store_pool_set(p->s, p->id, v, n, err));
	TRY(resource_texts(p->a, jsn_get(p->doc, "authorities"), &ids, &n_ids, err));
	return store_backend_authorities_set(p->s, p->id, ids, n_ids, err);
}

static GH_RC save(struct resource_put *p, struct gh_err *err)
{
	struct store_backend *b = p->row;
	enum secret_given given;
	struct str text;
	size_t i;
	json_t *pin;

	b->is_pool = json_array_size(jsn_get(p->doc, "members")) > 0;
	b->breaker = text_of(p, "breaker");
	b->health = text_of(p, "health");
	b->tls_pins = STR_NULL;
	json_array_foreach(jsn_get(p->doc, "tlsPins"), i, pin)
		b->tls_pins = arena_printf(p->a, "%.*s%s%.*s", STR_ARG(b->tls_pins), i ? ";" : "", STR_ARG(jsn_string(pin)));
	given = resource_secret(p->doc, "credentials", &text);
	if (given != SECRET_STAYS)
		b->credentials = text;
	TRY(p->exists ? store_backend_update(p->s, b, err) : store_backend_create(p->s, b, err));
	return save_lists(p, err);
}

static GH_RC drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_backend_delete(s, id, err);
}

static const struct resource_ops ops = {
	.row_size = sizeof(struct store_backend), .store = STORE_RESOURCE_BACKEND, .find = find, .show = show, .check = check,
	.save = save, .drop = drop,
};

const struct resource_kind kind_backend = {
	.name = "backend", .plural = "backends", .title = "Backend",
	.description = "A server that calls go to, or a pool of such backends.", .area = RESOURCE_AREA_BACKENDS, .fields = fields,
	.ops = &ops, .filters = { { NULL } },
};
