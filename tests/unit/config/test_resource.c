/* Documents of the configuration: what is written is read back, all that is wrong is told at once, nothing half happens. */
#include "tests/unit/db/fixture.h"

#include "config/resource.h"
#include "core/colour.h"
#include "core/credential.h"
#include "core/file.h"
#include "tests/unit/config/samples.h"
#include "db/audit.h"
#include "db/look.h"

static const struct resource_kind *kind(const char *name)
{
	const struct resource_kind *k = resource_kind_find(str_of(name));

	if (!k)
		fprintf(stderr, "# no kind %s\n", name);
	assert_non_null(k);
	return k;
}

static json_t *json(struct fixture *f, const char *text)
{
	json_t *v;

	if (jsn_parse_in(f->a, str_of(text), NULL, &v, NULL, &f->err).code)
		fprintf(stderr, "# %s: %s\n", text, f->err.message);
	assert_non_null(v);
	return v;
}

/* One document in a change of its own; the problems as "POINTER MESSAGE" lines. */
static struct str put(struct fixture *f, const char *name, const char *id, const char *text, enum resource_how how,
		      struct resource_outcome *out)
{
	const struct resource_problem *v;
	struct resource_change *c;
	struct str all = STR("");
	size_t n;
	gh_rc rc;

	CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
	rc = resource_write(c, kind(name), str_of(id), json(f, text), how, out, &f->err);
	v = resource_problems(c, &n);
	for (size_t i = 0; i < n; i++)
		all = arena_printf(f->a, "%.*s%.*s %.*s\n", STR_ARG(all), STR_ARG(v[i].pointer), STR_ARG(v[i].message));
	rc = resource_end(c, rc, false, &f->err);
	if (rc.code && !n)
		return arena_printf(f->a, "%s", f->err.message);
	return all;
}

static struct str text_of(struct fixture *f, const char *name, const char *id)
{
	json_t *doc;

	CHECK_OK(f, resource_read(f->s, f->a, kind(name), str_of(id), &doc, &f->err));
	return doc ? jsn_text(f->a, resource_document(f->a, kind(name), doc, RESOURCE_WRITABLE), 0) : STR("none");
}

static void documents(void **state)
{
	struct fixture *f = *state;
	struct resource_outcome out;

	CHECK_STR("made", put(f, "product", "gold", "{\"name\": \"Gold\", \"approval\": \"manual\"}", RESOURCE_PUT, &out), STR(""));
	CHECK_INT("created", out.result, RESOURCE_CREATED);
	CHECK_STR("shown in the order of the table", text_of(f, "product", "gold"),
		  STR("{\"id\":\"gold\",\"name\":\"Gold\",\"kind\":\"product\",\"description\":\"\",\"terms\":\"\",\"state\":\"published\",\"subscriptionRequired\":true,"
		      "\"approval\":\"manual\",\"subscriptionsLimit\":0,\"priority\":\"normal\",\"businessGroup\":\"default\",\"apis\":[],\"groups\":[]}"));
	CHECK_STR("again", put(f, "products", "gold", "{\"id\": \"gold\", \"name\": \"Gold\", \"approval\": \"manual\"}", RESOURCE_PUT, &out),
		  STR(""));
	CHECK_INT("nothing changed", out.result, RESOURCE_SAME);
	CHECK_STR("left out is the default", put(f, "product", "gold", "{\"name\": \"Gold\"}", RESOURCE_REPLACE, &out), STR(""));
	CHECK_INT("changed", out.result, RESOURCE_CHANGED);
	CHECK_STR("before", jsn_str(out.before, "approval"), STR("manual"));
	CHECK_STR("groups in byte order, none twice",
		  put(f, "product", "gold", "{\"name\": \"Gold\", \"groups\": [\"guests\", \"developers\", \"guests\"]}", RESOURCE_PUT, &out), STR(""));
	CHECK("sorted", str_find(text_of(f, "product", "gold"), STR("\"groups\":[\"developers\",\"guests\"]")) != SIZE_MAX);
	check_done();
}

static void problems(void **state)
{
	static const struct {
		const char *label, *kind, *id, *doc, *want;
		enum resource_how how;
	} rows[] = {
		{ "all at once", "product", "x", "{\"nmae\": 1, \"approval\": \"manaul\", \"subscriptionsLimit\": -1, \"state\": 7}",
		  "/nmae there is no such field; did you mean 'name'?\n/name is required: What developers read\n"
		  "/state must be one of draft, published\n/approval knows no 'manaul'; did you mean 'manual'?\n"
		  "/subscriptionsLimit must be from 0 to 1000000\n", RESOURCE_PUT },
		{ "no object", "product", "x", "[]", " must be an object, not array\n", RESOURCE_PUT },
		{ "wrong types", "product", "x", "{\"name\": 1, \"subscriptionRequired\": \"yes\", \"groups\": {}}",
		  "/name must be a text, not integer\n/subscriptionRequired must be true or false, not string\n"
		  "/groups must be a list, not object\n", RESOURCE_PUT },
		{ "another id", "product", "x", "{\"id\": \"y\", \"name\": \"X\"}", "/id says 'y', but this is 'x'; an id never changes\n",
		  RESOURCE_PUT },
		{ "no id", "product", NULL, "{\"name\": \"X\"}", "/id is required: Names the product: letters, digits, '-', '.', '_'\n",
		  RESOURCE_CREATE },
		{ "a bad id", "product", "a b", "{\"name\": \"X\"}", "/id an id holds no blank, '/' or ';'\n", RESOURCE_PUT },
		{ "a bad id behind an environment", "credential", "default/x y", "{\"kind\": \"api-key\", \"settings\": {\"header\": \"X\"}, \"secrets\": {\"value\": \"v\"}}",
		  " an id consists of letters, digits, '.', '_' and '-'\n", RESOURCE_PUT },
		{ "a slip", "product", "x", "{\"name\": \"X\", \"groups\": [\"developer\"]}",
		  "/groups/0 there is no group 'developer'; did you mean 'developers'?\n", RESOURCE_PUT },
		{ "a slip at the beginning", "product", "x", "{\"name\": \"X\", \"groups\": [\"bevelopers\"]}",
		  "/groups/0 there is no group 'bevelopers'; did you mean 'developers'?\n", RESOURCE_PUT },
		{ "an account is known by its address", "application", "x", "{\"name\": \"X\", \"owners\": [\"ann@exmaple.com\"]}",
		  "/owners/0 there is no user 'ann@exmaple.com'; did you mean 'ann' (ann@example.com)?\n", RESOURCE_PUT },
		{ "too fine a number", "alert-rule", "r", "{\"kind\": \"requests\", \"threshold\": 1.0005}",
		  "/threshold must be a number with at most three decimals, such as 5 or 99.95\n", RESOURCE_PUT },
		{ "no number", "alert-rule", "r", "{\"kind\": \"requests\", \"threshold\": true}", "/threshold must be a number or a text, not boolean\n", RESOURCE_PUT },
		{ "nothing to replace", "product", "x", "{\"name\": \"X\"}", "there is no product 'x'", RESOURCE_REPLACE },
		{ "control characters", "product", "x", "{\"name\": \"X\\nY\"}", "/name must be one line without control characters\n",
		  RESOURCE_PUT },
		{ "no such business group", "product", "x", "{\"name\": \"X\", \"businessGroup\": \"nope\"}", NULL, RESOURCE_PUT },
		{ "a value needs a value", "named-value", "v", "{}", "/value give value, or secret for one that nobody may read\n", RESOURCE_PUT },
		{ "sealed, but none there", "named-value", "v", "{\"secret\": {\"sealed\": true}}",
		  "/secret there is no sealed value yet; give a text or {\"ref\": \"...\"}\n", RESOURCE_PUT },
		{ "no reference", "named-value", "v", "{\"secret\": {\"ref\": \"nowhere\"}}", NULL, RESOURCE_PUT },
	};
	struct fixture *f = *state;
	struct resource_outcome out;

	CHECK_STR("an account", put(f, "user", "ann", "{\"email\": \"ann@example.com\"}", RESOURCE_PUT, NULL), STR(""));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = put(f, rows[i].kind, rows[i].id, rows[i].doc, rows[i].how, NULL);

		if (rows[i].want)
			CHECK_STR(rows[i].label, got, str_of(rows[i].want));
		else
			CHECK(rows[i].label, got.n > 0);
		CHECK_STR(rows[i].label, text_of(f, rows[i].kind, rows[i].id ? rows[i].id : "x"), STR("none"));
	}
	CHECK_STR("a number", put(f, "alert-rule", "r", "{\"kind\": \"requests\", \"threshold\": 99.95}", RESOURCE_PUT, &out), STR(""));
	CHECK("is shown as a text", str_find(text_of(f, "alert-rule", "r"), STR("\"threshold\":\"99.95\"")) != SIZE_MAX);
	CHECK_STR("which is the same", put(f, "alert-rule", "r", "{\"kind\": \"requests\", \"threshold\": \"99.95\"}", RESOURCE_PUT, &out), STR(""));
	CHECK_INT("nothing changed", out.result, RESOURCE_SAME);
	check_done();
}

static void secrets(void **state)
{
	struct fixture *f = *state;
	struct resource_outcome out;
	struct store_audit_entry *v;
	size_t n;

	CHECK_STR("sealed", put(f, "named-value", "k", "{\"secret\": \"hush-hush\", \"tags\": [\"b\", \"a\"]}", RESOURCE_PUT, &out), STR(""));
	CHECK_STR("shown without it", text_of(f, "named-value", "k"),
		  STR("{\"id\":\"k\",\"value\":null,\"secret\":{\"sealed\":true},\"tags\":[\"b\",\"a\"],\"rotateBy\":null}"));
	CHECK_STR("what is shown may be written back", put(f, "named-value", "k", "{\"secret\": {\"sealed\": true}, \"tags\": [\"b\", \"a\"]}",
							   RESOURCE_PUT, &out), STR(""));
	CHECK_INT("the same", out.result, RESOURCE_SAME);
	CHECK_STR("left out stays", put(f, "named-value", "k", "{\"tags\": []}", RESOURCE_PUT, &out), STR(""));
	CHECK_STR("readable only when said so", put(f, "named-value", "k", "{\"value\": \"x\"}", RESOURCE_PUT, &out),
		  STR("/value it is a secret; say \"secret\": null to make it readable\n"));
	CHECK_STR("a reference", put(f, "named-value", "k", "{\"secret\": {\"ref\": \"env:K\"}}", RESOURCE_PUT, &out), STR(""));
	CHECK("shown", str_find(text_of(f, "named-value", "k"), STR("\"secret\":{\"ref\":\"env:K\"}")) != SIZE_MAX);
	CHECK_STR("readable", put(f, "named-value", "k", "{\"value\": \"x\", \"secret\": null}", RESOURCE_PUT, &out), STR(""));
	CHECK_OK(f, store_audit_list(f->s, f->a, NULL, &v, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		CHECK("not in the trail", str_find(v[i].detail, STR("hush")) == SIZE_MAX);
	CHECK_STR("before and after", v[0].detail,
		  STR("{\"before\":{\"value\":null,\"secret\":{\"ref\":\"env:K\"}},\"after\":{\"value\":\"x\",\"secret\":null}}"));
	CHECK_INT("one entry a change", n, 4);
	check_done();
}

static void lists(void **state)
{
	struct fixture *f = *state;
	struct resource_query q = { .limit = 2 };
	struct str next, *ids;
	json_t *page;
	size_t n;

	for (const char *id = "edcba"; *id; id++)
		CHECK_STR("made", put(f, "product", (char[2]){ *id, 0 }, *id == 'c' ? "{\"name\": \"Third\", \"state\": \"draft\"}"
				      : "{\"name\": \"P\"}", RESOURCE_CREATE, NULL), STR(""));
	CHECK_OK(f, resource_list(f->s, f->a, kind("product"), &q, &page, &next, &f->err));
	CHECK_INT("two", json_array_size(page), 2);
	CHECK_STR("goes on", next, STR("b"));
	q.after = STR("d");
	CHECK_OK(f, resource_ids(f->s, f->a, kind("product"), &q, &ids, &n, &next, &f->err));
	CHECK_INT("the rest", n, 1);
	CHECK("the end", !next.p);
	q = (struct resource_query){ .search = STR("THIRD") };
	CHECK_OK(f, resource_ids(f->s, f->a, kind("product"), &q, &ids, &n, &next, &f->err));
	CHECK_INT("by name", n, 1);
	q = (struct resource_query){ .values = { STR("draft") } };
	CHECK_OK(f, resource_ids(f->s, f->a, kind("product"), &q, &ids, &n, &next, &f->err));
	CHECK_INT("by state", n, 1);
	q.values[0] = STR("nope");
	CHECK_INT("no such state", resource_ids(f->s, f->a, kind("product"), &q, &ids, &n, &next, &f->err).code, GH_E_INVALID);
	check_done();
}

/* A thousand descriptions of megabytes are no page: it ends before memory does, and the list goes on behind it. */
static void large_lists(void **state)
{
	enum { N = 40, BYTES = 1 << 20 };
	struct fixture *f = *state;
	struct resource_query q = { .limit = RESOURCE_LIST_MAX };
	struct resource_change *c;
	char *text = arena_alloc_text(f->a, BYTES + 1);
	size_t seen = 0, pages = 0;
	struct str next;
	json_t *page;

	memset(text, 'x', BYTES);
	text[BYTES] = '\0';
	CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
	for (int i = 0; i < N; i++) {
		json_t *doc = json_pack("{s:o, s:s, s:s}", "id", json_sprintf("p%02d", i), "name", "P", "terms", text);

		CHECK_OK(f, resource_write(c, kind("product"), STR_NULL, doc, RESOURCE_CREATE, NULL, &f->err));
		json_decref(doc);
	}
	do {
		CHECK_OK(f, resource_list(f->s, f->a, kind("product"), &q, &page, &next, &f->err));
		CHECK("bounded", json_array_size(page) <= RESOURCE_LIST_BYTES / BYTES + 1);
		seen += json_array_size(page);
		pages++;
		q.after = next;
	} while (next.n && pages < N);
	CHECK_INT("all of them", seen, N);
	CHECK_INT("pages", pages, 3);
	CHECK_OK(f, resource_end(c, GH_RC_OK, true, &f->err));
	check_done();
}

static void changes(void **state)
{
	struct fixture *f = *state;
	struct resource_change *c;
	uint64_t before[GENFILE__COUNT], after[GENFILE__COUNT];
	json_t *doc, *merged;
	size_t n;

	CHECK_STR("made", put(f, "product", "gold", "{\"name\": \"Gold\"}", RESOURCE_PUT, NULL), STR(""));
	CHECK_OK(f, store_generation(f->s, before, &f->err));
	CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
	CHECK_OK(f, resource_write(c, kind("product"), STR("silver"), json(f, "{\"name\": \"Silver\"}"), RESOURCE_PUT, NULL, &f->err));
	CHECK_OK(f, resource_remove(c, kind("product"), STR("gold"), &doc, &f->err));
	CHECK_STR("was", jsn_str(doc, "name"), STR("Gold"));
	CHECK_OK(f, resource_end(c, GH_RC_OK, true, &f->err));
	CHECK_STR("a dry run changes nothing", text_of(f, "product", "silver"), STR("none"));
	CHECK_OK(f, store_generation(f->s, after, &f->err));
	CHECK_INT("nor the generation", after[0], before[0]);

	CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
	CHECK_OK(f, resource_write(c, kind("product"), STR("silver"), json(f, "{\"name\": \"Silver\"}"), RESOURCE_PUT, NULL, &f->err));
	CHECK_INT("refused", resource_write(c, kind("product"), STR("x"), json(f, "{}"), RESOURCE_PUT, NULL, &f->err).code, GH_E_INVALID);
	CHECK_INT("goes on", resource_write(c, kind("product"), STR("y"), json(f, "{}"), RESOURCE_PUT, NULL, &f->err).code, GH_E_INVALID);
	resource_problems(c, &n);
	CHECK_INT("both are told", n, 2);
	CHECK_INT("never committed", resource_end(c, GH_RC_OK, false, &f->err).code, GH_E_INVALID);
	CHECK_STR("all or nothing", text_of(f, "product", "silver"), STR("none"));

	CHECK_OK(f, resource_merge(f->s, f->a, kind("product"), STR("gold"), json(f, "{\"terms\": \"Be kind\", \"approval\": null}"), &merged,
				   &f->err));
	CHECK_STR("patched", jsn_str(merged, "terms"), STR("Be kind"));
	CHECK("null takes away", !jsn_get(merged, "approval"));
	CHECK_STR("the rest stays", jsn_str(merged, "name"), STR("Gold"));
	check_done();
}

/* Writes what was read, without its read-only fields: it must be the same. */
static void write_back(struct fixture *f, const struct sample *row, const char *label)
{
	const struct resource_kind *k = kind(row->kind);
	struct resource_outcome out;
	struct str text, problems;
	json_t *doc;

	CHECK_OK(f, resource_read(f->s, f->a, k, str_of(row->id), &doc, &f->err));
	CHECK(label, doc != NULL);
	if (!doc)
		return;
	text = jsn_text(f->a, doc, 0);
	problems = put(f, row->kind, row->id, text.p, RESOURCE_REPLACE, &out);
	CHECK_STR(label, problems, STR(""));
	CHECK_INT(label, out.result, RESOURCE_SAME);
	text = jsn_text(f->a, resource_document(f->a, k, doc, RESOURCE_WRITABLE | RESOURCE_SHORT), 0);
	CHECK_STR(label, put(f, row->kind, row->id, text.p, RESOURCE_PUT, &out), STR(""));
	CHECK_INT(label, out.result, RESOURCE_SAME);
	for (const struct resource_field *field = k->fields; field->name; field++)
		CHECK(field->name, jsn_get(doc, field->name) && field->description && field->label);
	CHECK_INT("no other fields", json_object_size(doc), json_array_size(jsn_get(resource_schema(f->a, k, false), "required")));
}

static bool listed(struct fixture *f, const struct sample *row)
{
	struct resource_query q = { .limit = 1 };
	struct str next, *ids;
	bool found = false;
	size_t n;

	do {
		CHECK_OK(f, resource_ids(f->s, f->a, kind(row->kind), &q, &ids, &n, &next, &f->err));
		found |= n && str_eq(ids[0], str_of(row->id));
		q.after = next;
	} while (next.p);
	return found;
}

static void every_kind(void **state)
{
	struct fixture *f = *state;
	struct resource_outcome out;
	bool seen;

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		const char *label = samples[i].id;

		bool single = kind(samples[i].kind)->single;             /* it is there already */

		CHECK_STR(label, put(f, samples[i].kind, samples[i].id, samples[i].doc, single ? RESOURCE_REPLACE : RESOURCE_CREATE, &out), STR(""));
		CHECK_INT(label, out.result, single ? RESOURCE_CHANGED : RESOURCE_CREATED);
		write_back(f, &samples[i], label);
		CHECK(label, listed(f, &samples[i]));
		CHECK_OK(f, resource_exists(f->s, kind(samples[i].kind), str_of(samples[i].id), &seen, &f->err));
		CHECK(label, seen);
	}
	for (size_t i = 0; resource_kinds[i]; i++) {
		seen = false;
		for (size_t k = 0; k < ARRAY_LEN(samples); k++)
			seen |= strcmp(samples[k].kind, resource_kinds[i]->name) == 0;
		CHECK(resource_kinds[i]->name, seen);
	}
	check_done();
}

/* What others refer to cannot go; in the order of dependence backwards everything can. */
static void removal(void **state)
{
	struct fixture *f = *state;
	const char *used[][2] = { { "business-group", "sales" }, { "environment", "sandbox" }, { "group", "partners" }, { "identity-provider", "corp" }, { "backend", "erp" },
				  { "backend", "pool" }, { "named-value", "greeting" }, { "policy-fragment", "greet" },
				  { "version-set", "orders" }, { "product", "gold" }, { "tier", "small" }, { "application", "shop" },
				  { "user", "ann" } };
	struct resource_change *c;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		CHECK_STR(samples[i].id, put(f, samples[i].kind, samples[i].id, samples[i].doc, RESOURCE_PUT, NULL), STR(""));
	for (size_t i = 0; i < ARRAY_LEN(used); i++) {
		CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
		CHECK_INT(used[i][1], resource_remove(c, kind(used[i][0]), str_of(used[i][1]), NULL, &f->err).code, GH_E_CONFLICT);
		CHECK(used[i][1], resource_problems(c, &n) && n > 0);
		CHECK_INT(used[i][1], resource_end(c, GH_RC_OK, false, &f->err).code, GH_E_INVALID);
	}
	CHECK_STR("another administrator", put(f, "user", "bob", "{\"email\":\"bob@example.com\",\"role\":\"administrator\"}", RESOURCE_PUT, NULL),
		  STR(""));
	CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
	for (size_t i = ARRAY_LEN(samples); i-- > 0;)
		if (!kind(samples[i].kind)->single)
			CHECK_OK(f, resource_remove(c, kind(samples[i].kind), str_of(samples[i].id), NULL, &f->err));
	CHECK_OK(f, resource_end(c, GH_RC_OK, false, &f->err));
	check_done();
}

static void look(void **state)
{
	static const char nothing[] = "{\"id\":\"portal\",\"name\":null,\"colours\":null,\"texts\":null,\"menu\":[],\"logo\":null}";
	static const struct {
		const char *label, *doc, *want;
	} rows[] = {
		{ "two that cannot be told apart", "{\"colours\":{\"text\":[\"#cccccc\",\"#ffffff\"]}}", "/colours text on canvas (light): contrast" },
		{ "no colour", "{\"colours\":{\"accent\":[\"red\",\"#fff\"]}}", "/colours/accent Two colours like" },
		{ "a misspelt colour", "{\"colours\":{\"acent\":[\"#fff\",\"#fff\"]}}", "/colours/acent there is no such field; did you mean 'accent'?" },
		{ "a script for an address", "{\"menu\":[{\"label\":\"A\",\"address\":\"/a\"},{\"label\":\"B\",\"address\":\"javascript:alert(1)\"}]}",
		  "/menu/1/address An address begins with" },
		{ "a nameless entry", "{\"menu\":[{\"address\":\"/a\"}]}", "/menu/0/label is required" },
		{ "an unknown text", "{\"texts\":{\"en\":{\"head\":\"x\"}}}", "/texts/en/head There is no member" },
		{ "no language", "{\"texts\":{\"the language of the north\":{}}}", "This is no code of a language" },
		{ "a text of no text", "{\"texts\":{\"en\":{\"lead\":7}}}", "/texts/en/lead This is no text" },
		{ "a drawing", "{\"logo\":\"PHN2Zy8+\"}", "/logo This is no PNG, JPEG or WebP picture." },
		{ "no base64", "{\"logo\":\"logo.png\"}", "/logo must be the bytes of a picture in base64" },
		{ "a long name", "{\"name\":\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901\"}", "/name is longer than 80" },
	};
	struct fixture *f = *state;
	const struct resource_field *colours = resource_field_find(kind("look"), "colours")->fields;
	struct resource_outcome out;
	struct resource_change *c;
	struct store_look stored;

	for (size_t i = 0; i < COLOUR__COUNT; i++)
		CHECK_STR("the colours are those of core/", str_of(colours[i].name), str_of(colour_names[i]));
	CHECK("as many", !colours[COLOUR__COUNT].name);
	CHECK_STR("there is one, as it ships", text_of(f, "look", "portal"), str_of(nothing));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = put(f, "look", "portal", rows[i].doc, RESOURCE_PUT, NULL);

		if (str_find(got, str_of(rows[i].want)) == SIZE_MAX)
			CHECK_STR(rows[i].label, got, str_of(rows[i].want));
	}
	CHECK_STR("and no other", put(f, "look", "dark", "{}", RESOURCE_PUT, NULL), STR("/id there is one look, 'portal'\n"));
	CHECK_STR("nothing of it was taken", text_of(f, "look", "portal"), str_of(nothing));
	CHECK_STR("what says nothing is nothing", put(f, "look", "portal", "{\"name\":\"\",\"colours\":{\"text\":[]},\"texts\":{},\"logo\":\"\\n\"}",
						      RESOURCE_PUT, &out), STR(""));
	CHECK_INT("the same", out.result, RESOURCE_SAME);
	CHECK_STR("a name", put(f, "look", "portal", "{\"name\":\"Acme\"}", RESOURCE_PUT, &out), STR(""));
	CHECK_OK(f, store_look_get(f->s, f->a, &stored, &f->err));
	CHECK_INT("colours have the address that browsers keep", stored.changed_us, 0);
	CHECK_STR("left out it goes", put(f, "look", "portal", "{}", RESOURCE_PUT, &out), STR(""));
	CHECK_STR("as it ships", text_of(f, "look", "portal"), str_of(nothing));
	CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
	CHECK_INT("never removed", resource_remove(c, kind("look"), STR("portal"), NULL, &f->err).code, GH_E_CONFLICT);
	CHECK_INT("refused", resource_end(c, GH_RC_OK, false, &f->err).code, GH_E_INVALID);
	check_done();
}

/* Keys that sign: a new document is a new key, and may end the others of its purpose; their bytes are in no document. */
static void signing_keys(void **state)
{
	struct fixture *f = *state;
	struct resource_outcome out;
	json_t *doc;

	CHECK_STR("a key", put(f, "signing-key", "a", "{\"signsFrom\":\"2026-11-22T01:00:00Z\"}", RESOURCE_CREATE, &out), STR(""));
	CHECK_STR("of another purpose", put(f, "signing-key", "i", "{\"purpose\":\"identity\",\"signsFrom\":\"2026-11-22T01:00:00Z\"}", RESOURCE_CREATE, &out),
		  STR(""));
	CHECK_STR("nothing but what there is to say", text_of(f, "signing-key", "a"),
		  STR("{\"id\":\"a\",\"purpose\":\"token\",\"algorithm\":\"ES256\",\"signsFrom\":\"2026-11-22T01:00:00Z\",\"ends\":null,\"endsOthersAfter\":null}"));
	CHECK_STR("the same again", put(f, "signing-key", "a", "{}", RESOURCE_PUT, &out), STR(""));
	CHECK_INT("changes nothing", out.result, RESOURCE_SAME);
	CHECK_STR("rotated", put(f, "signing-key", "b", "{\"signsFrom\":\"2031-01-01T00:00:00Z\",\"endsOthersAfter\":3600,\"algorithm\":\"EdDSA\"}", RESOURCE_CREATE,
				 &out), STR(""));
	CHECK_OK(f, resource_read(f->s, f->a, kind("signing-key"), STR("a"), &doc, &f->err));
	CHECK_STR("the old one ends", jsn_str(doc, "ends"), STR("2031-01-01T01:00:00Z"));
	CHECK_OK(f, resource_read(f->s, f->a, kind("signing-key"), STR("i"), &doc, &f->err));
	CHECK("the other goes on", json_is_null(jsn_get(doc, "ends")));
	CHECK_STR("an algorithm stays", put(f, "signing-key", "b", "{\"algorithm\":\"RS256\"}", RESOURCE_PUT, NULL),
		  STR("/algorithm cannot change; make a new signing-key and remove this one\n"));
	CHECK_STR("rotating is for new ones", put(f, "signing-key", "b", "{\"algorithm\":\"EdDSA\",\"endsOthersAfter\":1}", RESOURCE_PUT, NULL),
		  STR("/endsOthersAfter counts when a key is made; this one is there already\n"));
	CHECK_STR("backwards", put(f, "signing-key", "c", "{\"signsFrom\":\"2031-01-01T00:00:00Z\",\"ends\":\"2030-01-01T00:00:00Z\"}", RESOURCE_PUT, NULL),
		  STR("/ends is before it signs\n"));
	CHECK_STR("terms of blanks", put(f, "terms", "portal", "{\"text\":\" \\n\"}", RESOURCE_PUT, NULL), STR("/text says nothing; null takes the terms away\n"));
	check_done();
}

/* The secrets of credentials are fields here, and rows of a table in core/. */
static void credential_secrets(void **state UNUSED)
{
	const struct resource_field *fields = resource_field_find(kind("credential"), "secrets")->fields;
	const struct credential_field *f;
	size_t n = 0, listed = 0;

	while (fields[listed].name)
		listed++;
	for (size_t i = 0; (f = credential_field_at(i)); i++) {
		bool found = false;

		if (!f->secret)
			continue;
		n++;
		for (size_t k = 0; k < listed; k++)
			found |= str_eq(f->name, str_of(fields[k].name));
		CHECK(f->name.p, found);
	}
	CHECK_INT("as many", listed, n);
	check_done();
}

/* One rule, whichever way a password comes: this is the door of files, calls and forms. */
static void passwords(void **state)
{
	static const struct {
		const char *label, *id, *secret, *says;
	} rows[] = {
		{ "too short", "basic:ann", "eleven lett", "/secret use at least 12 characters (web.password_min)\n" },
		{ "long enough", "basic:ann", "twelve lette", "" },
		{ "characters are counted, not bytes", "basic:ann", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", "/secret use at least 12 characters (web.password_min)\n" },
		{ "another, too short", "basic:ann", "short", "/secret use at least 12 characters (web.password_min)\n" },
		{ "the one that it has", "basic:old", "short", "" },
		{ "a client's secret has a rule of its own", "client:shop", "sixteen-letters-", "" },
	};
	struct fixture *f = *state;
	struct resource_change *c;

	CHECK_OK(f, file_write_atomic(arena_printf(f->a, "%s/gatehouse.conf", f->dir).p, STR("web.password_min = 12\n"), 0600, &f->err));
	CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
	resource_passwords_stand(c);
	CHECK_OK(f, resource_end(c, resource_write(c, kind("caller"), STR("basic:old"), json(f, "{\"secret\":\"short\"}"), RESOURCE_PUT, NULL, &f->err), false, &f->err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_STR(rows[i].label, put(f, "caller", rows[i].id, arena_printf(f->a, "{\"secret\":\"%s\"}", rows[i].secret).p, RESOURCE_PUT, NULL),
			  str_of(rows[i].says));
	check_done();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(documents), store_test(problems), store_test(secrets), store_test(lists), store_test(large_lists), store_test(changes), store_test(every_kind),
		store_test(removal), store_test(look), store_test(signing_keys), store_test(passwords), cmocka_unit_test(credential_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
