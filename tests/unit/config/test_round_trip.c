/* Random changes of every kind, then export, apply to a fresh store, export: byte-equal, and nothing left to do. SEED=1000 SEEDS=500 for
 * other sequences, by hand. */
#include "tests/unit/config/files.h"
#include "tests/unit/config/samples.h"

#include "config/files/export.h"

#include <stdlib.h>

static json_t *any_id(struct fixture *f, const char *kind, bool required)
{
	const struct resource_kind *k = resource_kind_find(str_of(kind));
	struct str *ids, next;
	size_t n = 0;

	if (k)
		CHECK_OK(f, resource_ids(f->s, f->a, k, NULL, &ids, &n, &next, &f->err));
	if (n == 0 || (!required && roll(3) == 0))
		return json_null();
	n = roll(n);
	return json_stringn(ids[n].p, ids[n].n);
}

static json_t *any_object(struct fixture *f, const struct resource_field *fields);

static json_t *any_value(struct fixture *f, const struct resource_field *field)
{
	static const char *const texts[] = { "", "plain", "two words", "yes", "012", " leading", "trailing ", "a: b # c", "line\nline\n", "\n\n",
		"line\n\n\nline", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "tab\there", "{x}", "- a", "null", "'\"\\", "https://a.example/x", "~", "1.5e3",
		"two\nlines without end", "  indented\nfirst line\n", "ends in blanks  \nnext\n", "#", "\x7f", "<policies/>" };
	json_t *list;

	switch (field->type) {
	case RESOURCE_BOOL: return json_boolean(roll(2));
	case RESOURCE_INT: return json_integer((json_int_t)(field->least + (int64_t)roll((uint64_t)(field->most - field->least > 50 ? 50 : field->most - field->least + 1))));
	case RESOURCE_TIME: return roll(2) ? json_null() : json_string("2031-02-03T04:05:06Z");
	case RESOURCE_ENUM: {
		size_t n = 0;

		while (field->values[n])
			n++;
		return json_string(field->values[roll(n)]);
	}
	case RESOURCE_REF: return any_id(f, field->ref, field->flags & RESOURCE_REQUIRED);
	case RESOURCE_REFS:
		list = any_id(f, field->ref, false);
		return json_is_string(list) ? json_pack("[o]", list) : json_array();
	case RESOURCE_TEXTS: return roll(2) ? json_array() : json_pack("[s, s]", texts[roll(ARRAY_LEN(texts))], "b");
	case RESOURCE_OBJECT: return field->fields && roll(2) ? any_object(f, field->fields) : json_null();
	case RESOURCE_OBJECTS: return field->fields && roll(2) ? json_pack("[o]", any_object(f, field->fields)) : json_array();
	case RESOURCE_SECRET: return roll(2) ? json_string("a secret of sixteen and more") : json_pack("{s:s}", "ref", "env:SOME_SECRET");
	default: return json_string(texts[roll(ARRAY_LEN(texts))]);
	}
}

static json_t *any_object(struct fixture *f, const struct resource_field *fields)
{
	json_t *o = json_object();

	for (const struct resource_field *field = fields; field->name; field++)
		if (strcmp(field->name, "id") != 0 && (field->flags & RESOURCE_REQUIRED || roll(2)))
			json_object_set_new(o, field->name, any_value(f, field));
	return o;
}

static const char *any_existing(struct fixture *f, const char *kind)
{
	const json_t *id = jsn_keep(f->a, any_id(f, kind, true));

	return json_is_string(id) ? json_string_value(id) : "none";
}

static struct str any_name(struct fixture *f, const struct resource_kind *k)
{
	const char *api = any_existing(f, "api"), *rev = roll(3) ? "" : ";rev=2";

	if (k->single || roll(4) == 0)                   /* one that is there */
		return str_of(any_existing(f, k->name));
	if (strcmp(k->name, "operation") == 0)
		return arena_printf(f->a, "%s%s/op%d", api, rev, (int)roll(4));
	if (strcmp(k->name, "revision") == 0)
		return arena_printf(f->a, "%s;rev=%d", api, (int)roll(3) + 1);
	if (strcmp(k->name, "api-description") == 0)
		return arena_printf(f->a, "%s%s", api, rev);
	if (strcmp(k->name, "policy") == 0) {
		switch (roll(4)) {
		case 0: return STR("global");
		case 1: return arena_printf(f->a, "product:%s", any_existing(f, "product"));
		case 2: return arena_printf(f->a, "operation:%s", any_existing(f, "operation"));
		default: return arena_printf(f->a, "api:%s%s", api, rev);
		}
	}
	if (strcmp(k->name, "credential") == 0)
		return arena_printf(f->a, "%s/x%d", any_existing(f, "environment"), (int)roll(4));
	if (strcmp(k->name, "access-rule") == 0 || strcmp(k->name, "network-rule") == 0)
		return arena_printf(f->a, "product:%s", any_existing(f, "product"));
	if (strcmp(k->name, "traffic-rule") == 0)
		return arena_printf(f->a, "api:%s", any_existing(f, "api"));
	if (strcmp(k->name, "cache-rule") == 0)
		return arena_printf(f->a, "operation:%s", any_existing(f, "operation"));
	return arena_printf(f->a, "x%d", (int)roll(6));
}

/* Values that a kind checks beyond its table, so that most documents are taken. */
static void make_likely(const struct resource_kind *k, json_t *doc)
{
	static const struct {
		const char *kind, *field, *text;
	} fixed[] = {
		{ "governance-exception", "rule", "security/backend-tls" },
		{ "api", "backendUrl", "https://erp.example.com/v1" }, { "api", "backend", NULL }, { "api", "versionSet", NULL },
		{ "api", "version", NULL }, { "api", "deprecated", NULL }, { "api", "sunset", NULL }, { "api", "revision", NULL },
		{ "api", "tags", NULL }, { "api", "keyHeader", NULL }, { "api", "keyQuery", NULL }, { "revision", "backend", NULL },
		{ "revision", "backendUrl", "https://new.example.com" }, { "revision", "copyOf", NULL }, { "operation", "method", "GET" },
		{ "operation", "tags", NULL }, { "policy", "policy", "<policies>\n\t<inbound><base /></inbound>\n</policies>\n" },
		{ "policy-fragment", "policy", "<fragment>\n</fragment>" }, { "api-description", "document", "openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths: {}\n" },
		{ "api-description", "mediaType", "application/vnd.oai.openapi" }, { "backend", "url", "https://erp.example.com" },
		{ "backend", "members", NULL }, { "backend", "breaker", NULL }, { "backend", "health", NULL }, { "backend", "credentials", NULL },
		{ "backend", "hashOn", NULL }, { "backend", "affinityCookie", NULL }, { "backend", "tlsPins", NULL }, { "backend", "credential", NULL },
		{ "backend", "tlsServerName", NULL }, { "backend", "unixSocket", NULL }, { "backend", "maxCalls", NULL }, { "version-set", "scheme", "segment" }, { "version-set", "parameter", NULL },
		{ "schema", "schema", "{\"type\": \"object\"}" }, { "schema", "kind", "json" }, { "network-rule", "allow", NULL },
		{ "traffic-rule", "canary", NULL }, { "traffic-rule", "mirror", NULL }, { "traffic-rule", "faults", NULL },
		{ "network-rule", "deny", NULL }, { "page", "audience", "users" }, { "page", "group", NULL },
		{ "business-group", "parent", NULL }, { "named-value", "rotateBy", NULL }, { "named-value", "tags", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		if (strcmp(fixed[i].kind, k->name) != 0 || roll(8) == 0)
			continue;
		json_object_del(doc, fixed[i].field);
		if (fixed[i].text)
			json_object_set_new(doc, fixed[i].field, json_string(fixed[i].text));
	}
	if (strcmp(k->name, "api") == 0)
		json_object_set_new(doc, "path", json_sprintf("p%d", (int)roll(50)));
	if (strcmp(k->name, "operation") == 0)
		json_object_set_new(doc, "uriTemplate", json_sprintf("/r%d/{id}", (int)roll(50)));
	if (strcmp(k->name, "named-value") == 0)
		json_object_del(doc, roll(2) ? "value" : "secret");
	for (const struct resource_field *field = k->fields; field->name; field++)
		if (strcmp(field->name, "name") == 0 && roll(4))
			json_object_set_new(doc, "name", json_sprintf("Name %d: # yes", (int)roll(9)));
}

/* What is there, with one or two fields that say something else: kinds whose documents the dice would hardly make by themselves. */
static json_t *near_document(struct fixture *f, const struct resource_kind *k, struct str *id)
{
	json_t *doc;
	size_t n = 0;

	*id = str_of(any_existing(f, k->name));
	CHECK_OK(f, resource_read(f->s, f->a, k, *id, &doc, &f->err));
	if (!doc)
		return NULL;
	doc = jsn_keep(f->a, json_deep_copy(resource_document(f->a, k, doc, RESOURCE_WRITABLE)));
	while (k->fields[n].name)
		n++;
	for (uint64_t changes = 1 + roll(2); changes; changes--) {
		const struct resource_field *field = &k->fields[1 + roll(n - 1)];

		if (!(field->flags & (RESOURCE_READ_ONLY | RESOURCE_FIXED)))
			json_object_set_new(doc, field->name, any_value(f, field));
	}
	return doc;
}

/* One change of that kind; what is refused changes nothing. Returns whether it was taken. */
static bool any_change(struct fixture *f, const struct resource_kind *k, json_t *taken)
{
	struct resource_change *c;
	gh_rc rc;
	struct str id;
	json_t *doc = roll(2) ? near_document(f, k, &id) : NULL;

	if (!doc) {
		id = any_name(f, k);
		doc = jsn_keep(f->a, any_object(f, k->fields));
		make_likely(k, doc);
	}

	CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
	if (roll(6) == 0)
		rc = resource_remove(c, k, id, NULL, &f->err);
	else
		rc = resource_write(c, k, id, doc, RESOURCE_PUT, NULL, &f->err);
	rc = resource_end(c, rc, false, &f->err);
	if (!rc.code)
		json_object_set_new(taken, k->name, json_integer(jsn_int(taken, k->name, 0) + 1));
	return !rc.code;
}

/* A document of each kind to begin with. */
static void put_samples(struct fixture *f)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct resource_change *c;
		json_t *doc;
		gh_rc rc;

		CHECK_OK(f, jsn_parse_in(f->a, str_of(samples[i].doc), NULL, &doc, NULL, &f->err));
		CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
		rc = resource_write(c, resource_kind_find(str_of(samples[i].kind)), str_of(samples[i].id), doc, RESOURCE_PUT, NULL, &f->err);
		SAYS(!resource_end(c, rc, false, &f->err).code, "%s %s: %s", samples[i].kind, samples[i].id, f->err.message);
	}
}

enum { CHANGES = 180 };

static void round_trip(void **state)
{
	/* one of each, whatever the dice say */
	static const char base[] = "$kind: api\nid: x1\nname: One\npath: one\nbackend: b1\ntags: [a]\n---\n$kind: backend\nid: b1\nurl: https://b.example\n---\n"
		"$kind: revision\nid: x1;rev=2\ndescription: |\n  two\n  lines\nbackendUrl: https://new.example\n---\n$kind: operation\nid: x1/get\nname: Get\n"
		"method: GET\nuriTemplate: /{id}\n---\n$kind: operation\nid: x1;rev=2/get\nname: Get\nmethod: GET\nuriTemplate: /{id}\n---\n"
		"$kind: api-description\nid: x1\nmediaType: application/vnd.oai.openapi\ndocument: |\n  openapi: 3.1.0\n  info: {title: x, version: '1'}\n---\n"
		"$kind: policy-fragment\nid: f\npolicy: \"<fragment>\\n\\t<set-header name='X-N'><value>{{n}}</value></set-header>\\r\\n</fragment>\"\n---\n"
		"$kind: policy\nid: operation:x1;rev=2/get\npolicy: <policies><inbound><include-fragment fragment-id='f' /></inbound></policies>\n---\n"
		"$kind: policy\nid: global\npolicy: <policies><inbound /></policies>\n---\n$kind: named-value\nid: n\nvalue: X\n---\n$kind: product\nid: p\n"
		"name: P\napis: [x1]\ngroups: [g]\n---\n$kind: group\nid: g\nname: G\n---\n$kind: version-set\nid: v\nname: V\nscheme: header\n"
		"parameter: X-Version\n---\n$kind: tier\nid: t\nproduct: p\nname: T\nlimits:\n  - {kind: bandwidth, bytes: 1073741824, seconds: 86400}\n"
		"  - {kind: concurrency, calls: 5}\n  - {kind: rate, calls: 5, seconds: 1, algorithm: leaky-bucket, queue: 5, maxDelayMs: 100}\n---\n"
		"$kind: product\nid: p2\nname: P2\npriority: low\nstate: draft\n---\n$kind: backend\nid: b2\nurl: http://b2.example\n"
		"unixSocket: /run/b2\nmaxCalls: 7\n---\n$kind: backend\nid: pool\nmembers:\n  - {backend: b1, weight: 3}\n  - {backend: b2, priority: 2}\n"
		"balance: hash\nhashOn: path\naffinityCookie: at\n---\n$kind: traffic-rule\nid: api:x1\ncanary: {backend: b2, percent: 5, rollBack: {errorPercent: 10}}\n"
		"mirror: {backend: b2, percent: 50}\nfaults:\n  - {percent: 1, delayMs: 5}\n---\n$kind: identity-provider\nid: corp\nissuer: https://login.example\n"
		"clientId: gw\nclientSecret: a secret of sixteen and more\ngroups: {eng: g}\n---\n$kind: sign-in\nid: x1\nprovider: corp\ngroups: [eng, two words]\n---\n"
		"$kind: cache-rule\nid: operation:x1/get\nttl: 60\nvaryBy: [Accept]\n---\n$kind: access-rule\nid: api:x1\nrule: {anyOf: [{method: key}]}\n---\n"
		"$kind: network-rule\nid: product:p\nallow: [192.0.2.0/24]\nhttpsOnly: true\n---\n$kind: alert-rule\nid: a\nkind: status\nstatus: [5xx]\n"
		"measure: percent\nthreshold: '2.5'\napi: x1\nmails: [ops@example.com]\n---\n$kind: alert-silence\nid: s\nrule: a\nfrom: 2031-01-01\nto: 2031-01-02\n"
		"---\n$kind: role\nid: own\nname: Own\npermissions: [view-apis]\n---\n$kind: look\nid: portal\nname: Acme\nmenu:\n  - {label: A, address: /a}\n---\n"
		"$kind: terms\nid: portal\ntext: |\n  # Terms\n\n  Be kind.\n";
	struct fixture *f = *state, *empty;
	json_t *kinds = json_object();
	size_t n_kinds = 0;
	void *other;

	const char *from = getenv("SEED"), *to = getenv("SEEDS");        /* many more, by hand: SEED=1000 SEEDS=500 */
	unsigned least = from ? (unsigned)atoi(from) : 1, most = least + (to ? (unsigned)atoi(to) : 3) - 1;

	while (resource_kinds[n_kinds])
		n_kinds++;
	for (unsigned seed = least; seed <= most; seed++) {
		const struct files_export what = { .personal = seed % 2 == 0 };
		struct tree first, second;
		unsigned taken = 0;

		struct tree begin = tree_of(f, (const char *[]){ "x.yaml", base, NULL });

		dice = seed;
		if (seed == least)
			SAYS(told(work(f, f->s, &begin, (struct plan_options){ .dry_run = false }), "26 to create, 2 to change"), "the beginning");
		if (seed == least)
			put_samples(f);
		for (size_t i = 0; i < CHANGES; i++)     /* each kind twice, the others as the dice say */
			taken += any_change(f, resource_kinds[i < 2 * n_kinds ? i / 2 : roll(n_kinds)], kinds);
		SAYS(taken > 15, "seed %u: %u changes were taken", seed, taken);
		CHECK_OK(f, files_export(f->s, f->a, &what, &first, &f->err));
		assert_int_equal(fixture_setup(&other), 0);
		empty = other;
		SAYS(told(work(empty, empty->s, &first, (struct plan_options){ .placeholders = true }), "to create"), "seed %u", seed);
		CHECK_OK(empty, files_export(empty->s, empty->a, &what, &second, &empty->err));
		same_trees(&first, &second, "export, apply, export");
		SAYS(told(work(empty, empty->s, &second, (struct plan_options){ .dry_run = true }), "nothing to do"), "seed %u: a plan of it", seed);
		fixture_teardown(&other);
	}
	for (size_t i = 0; resource_kinds[i]; i++) {
		const char *name = resource_kinds[i]->name;

		SAYS(jsn_int(kinds, name, 0) > 0, "a change of a %s was taken", name);
		if (from)
			fprintf(stderr, "# %s: %lld changes\n", name, (long long)jsn_int(kinds, name, 0));
	}
	json_decref(kinds);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(round_trip, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("config/round trip", tests, NULL, NULL);
}
