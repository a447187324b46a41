/* The Liquid engine beside the public suite: HTML escaping by context, the DotLiquid dialect, limits, messages. */
#include "tests/unit/check.h"

#include "core/liquid.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

static json_t *sample;

static struct str render(struct arena *a, const struct liquid_options *o, struct liquid_value globals, struct str source,
			 uint64_t max_steps)
{
	const struct liquid_template *t;
	struct liquid_env env = { .globals = globals, .max_steps = max_steps };
	struct gh_err err = { .message = "" };
	struct buf out;
	struct str s;
	gh_rc rc = liquid_parse(a, STR("t"), source, o, &t, &err);

	buf_init(&out, 1 << 20);
	if (!rc.code)
		rc = liquid_render(t, &env, a, &out, &err);
	s = arena_dup(a, rc.code ? str_of(err.message) : buf_view(&out));
	buf_release(&out);
	return s;
}

struct row {
	const char *label;
	struct str source, want;
};

static void check_rows(const struct row *rows, size_t n, const struct liquid_options *o, struct liquid_value globals,
		       uint64_t max_steps)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new(64 << 20);

		CHECK_STR(rows[i].label, render(a, o, globals, rows[i].source, max_steps), rows[i].want);
		arena_free(a);
	}
	check_done();
}

#define S STR_INIT

static void escaping(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "text", S("<p>{{ evil }}</p>"), S("<p>&lt;b a=&quot;1&quot;&gt;&amp;&#39;</p>") },
		{ "quoted attribute", S("<p title=\"{{ evil }}\">"), S("<p title=\"&lt;b a=&quot;1&quot;&gt;&amp;&#39;\">") },
		{ "filters do not undo it", S("{{ evil | upcase }}"), S("&lt;B A=&quot;1&quot;&gt;&amp;&#39;") },
		{ "explicit escape stays visible", S("{{ '<' | escape }}"), S("&amp;lt;") },
		{ "echo", S("{% echo evil %}"), S("&lt;b a=&quot;1&quot;&gt;&amp;&#39;") },
		{ "cycle", S("{% cycle evil %}"), S("&lt;b a=&quot;1&quot;&gt;&amp;&#39;") },
		{ "markup by name", S("{{ ok_html | raw }}"), S("<i>ok</i>") },
		{ "markup without raw", S("{{ ok_html }}"), S("&lt;i&gt;ok&lt;/i&gt;") },
		{ "text is never markup", S("{{ fake_html | raw }}"),
		  S("t:1:4: 'raw' writes markup only, and this value is ordinary text") },
		{ "raw needs the name", S("{{ evil | raw }}"),
		  S("t:1:4: 'raw' is for a name that ends in _html, alone and outside of tags") },
		{ "raw in an attribute", S("<p title=\"{{ ok_html | raw }}\">"),
		  S("t:1:14: 'raw' is for a name that ends in _html, alone and outside of tags") },
		{ "raw behind a filter", S("{{ ok_html | upcase | raw }}"),
		  S("t:1:4: 'raw' is for a name that ends in _html, alone and outside of tags") },
		{ "captured markup", S("{% capture x_html %}<b>{{ evil }}</b>{% endcapture %}{{ x_html | raw }}"),
		  S("<b>&lt;b a=&quot;1&quot;&gt;&amp;&#39;</b>") },
		{ "captured markup is not text", S("{% capture x %}<b>{% endcapture %}{{ x }}"), S("&lt;b&gt;") },
		{ "address, script", S("<a href=\"{{ js | url }}\">x</a>"), S("<a href=\"#\">x</a>") },
		{ "address, line break in the scheme", S("<a href=\"{{ js2 | url }}\">"), S("<a href=\"#\">") },
		{ "address, data", S("<a href=\"{{ 'data:text/html,x' | url }}\">"), S("<a href=\"#\">") },
		{ "address, relative", S("<a href=\"{{ '/a?b=1&c=2' | url }}\">"), S("<a href=\"/a?b=1&amp;c=2\">") },
		{ "address, colon in the query", S("<a href=\"{{ '/a?t=1:2' | url }}\">"), S("<a href=\"/a?t=1:2\">") },
		{ "address, https", S("<a href=\"{{ 'https://a.example/' | url }}\">"), S("<a href=\"https://a.example/\">") },
		{ "address part", S("<a href=\"/apis/{{ 'a b/c?' | url_encode }}\">"), S("<a href=\"/apis/a%20b%2Fc%3F\">") },
		{ "address without filter", S("<a href=\"{{ evil }}\">"),
		  S("t:1:13: output that begins an address must end in '| url'") },
		{ "address part that begins it", S("<a href=\"{{ evil | url_encode }}\">"),
		  S("t:1:13: output that begins an address must end in '| url'") },
		{ "address part without filter", S("<a href=\"/x/{{ evil }}\">"),
		  S("t:1:16: output in an address must end in '| url_encode' or '| url'") },
		{ "no quotes", S("<p title={{ evil }}>"),
		  S("t:1:13: output is not allowed in an attribute value without quotes: it cannot be escaped there") },
		{ "attribute name", S("<p {{ evil }}=\"1\">"),
		  S("t:1:7: output is not allowed inside a tag: it cannot be escaped there") },
		{ "script", S("<script>var x = '{{ evil }}'</script>"),
		  S("t:1:21: output is not allowed in a script or style element: it cannot be escaped there") },
		{ "behind a script", S("<script src=\"/x.js\"></script>{{ evil }}"),
		  S("<script src=\"/x.js\"></script>&lt;b a=&quot;1&quot;&gt;&amp;&#39;") },
		{ "event", S("<p onclick=\"{{ evil }}\">"),
		  S("t:1:16: output is not allowed in a script, style or srcset attribute: it cannot be escaped there") },
		{ "comment", S("<!-- {{ evil }} -->"),
		  S("t:1:9: output is not allowed in an HTML comment or declaration: it cannot be escaped there") },
		{ "behind a comment with a quote", S("<!-- it's \" > -- --><p>{{ 1 }}</p>"), S("<!-- it's \" > -- --><p>1</p>") },
		{ "doctype", S("<!DOCTYPE html><p>{{ 1 }}"), S("<!DOCTYPE html><p>1") },
		{ "less-than sign in text", S("1 < 2 {{ 3 }}"), S("1 < 2 3") },
		{ "attribute by branch", S("<p{% if yes %} class=\"a{% if yes %} b{% endif %}\"{% endif %}>{{ 1 }}"),
		  S("<p class=\"a b\">1") },
		{ "half a tag in a branch", S("<p {% if yes %}title=\"{% endif %}x\">"),
		  S("t:1:7: the branches of 'if' end in different places of the HTML: one in an attribute, another inside a tag") },
		{ "half a tag in a loop", S("{% for i in list %}<p title=\"{% endfor %}"),
		  S("t:1:4: 'for' begins in text and ends in an attribute: it must leave the HTML as it found it") },
		{ "open end", S("<p title=\""), S("t: the template ends in an attribute") },
		{ "single quotes", S("<p title='{{ evil }}'>"), S("<p title='&lt;b a=&quot;1&quot;&gt;&amp;&#39;'>") },
		{ "missing name", S("{{ nothing.here }}"), S("t:1:4: there is no 'nothing.here'") },
		{ "missing name with default", S("{{ nothing | default: 'x' }}"), S("x") },
		{ "missing name in a condition", S("{% if nothing %}a{% else %}b{% endif %}"), S("b") },
		{ "missing list", S("{% for x in nothing %}a{% endfor %}"), S("t:1:13: there is no 'nothing'") },
	};
	struct arena *a = arena_new(1 << 20);
	struct liquid_record *r = liquid_record_new(a);

	liquid_set_text(r, "evil", STR("<b a=\"1\">&'"));
	liquid_set_text(r, "fake_html", STR("<script>"));
	liquid_set(r, "ok_html", liquid_of_markup((struct liquid_markup){ STR("<i>ok</i>") }));
	liquid_set_text(r, "js", STR("JavaScript:alert(1)"));
	liquid_set_text(r, "js2", STR("java\nscript:alert(1)"));
	liquid_set_bool(r, "yes", true);
	liquid_push(liquid_set_list(r, "list"), liquid_of_int(1));
	check_rows(rows, ARRAY_LEN(rows), &(struct liquid_options){ .html = true, .strict_names = true }, liquid_of_record(r), 0);
	arena_free(a);
}

static void dotliquid(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "variable", S("{{context.Variables[\"name\"]}}"), S("Ada") },
		{ "no escaping", S("{{ context.Variables['html'] }}"), S("<b>&</b>") },
		{ "Upcase", S("{{ 'ab' | Upcase }}"), S("AB") },
		{ "DividedBy", S("{{ 7 | DividedBy: 2 }}"), S("3") },
		{ "Capitalize is title case", S("{{ 'hello wORLD of IBM' | Capitalize }}"), S("Hello World Of IBM") },
		{ "TruncateWords", S("{{ 'a b c' | TruncateWords: 2 }}"), S("a b...") },
		{ "Plus joins text", S("{{ '1' | Plus: 2 }}"), S("12") },
		{ "Plus adds numbers", S("{{ 1 | Plus: 2 }}"), S("3") },
		{ "Round, half to even", S("{{ 2.5 | Round }}"), S("2") },
		{ "floats as .NET prints them", S("{{ 5.0 }} {{ 1.5 }}"), S("5 1.5") },
		{ "H", S("{{ '<' | H }}"), S("&lt;") },
		{ "Currency", S("{{ 1234567.5 | Currency }} {{ -1234.5 | Currency: 'de-DE' }}"),
		  S("$1,234,567.50 -1.234,50 \xE2\x82\xAC") },
		{ "text equals number", S("{% if '1' == 1 %}yes{% endif %}"), S("yes") },
		{ "number is below text", S("{% if 5 < '10' %}yes{% endif %}"), S("yes") },
		{ "snake case is refused", S("{{ 'a' | upcase }}"), S("t:1:10: unknown filter 'upcase' (did you mean 'Upcase'?)") },
		{ "snake case of two words", S("{{ 'a' | divided_by: 2 }}"),
		  S("t:1:10: unknown filter 'divided_by' (did you mean 'DividedBy'?)") },
		{ "UrlEncode", S("{{ 'a b' | UrlEncode }}"), S("a%20b") },
		{ "loop", S("{% for i in body.items %}{{ i.id }},{% endfor %}"), S("1,2,") },
		{ "JSON array", S("[{% JSONArrayFor i in body.items %}{{ i.id }}{% endJSONArrayFor %}]"), S("[1,2]") },
		{ "JSON array with a condition", S("[{% JSONArrayFor i in (1..5) %} {% if i != 3 and i != 1 %}{{ i }}{% endif %}{% endJSONArrayFor %}]"),
		  S("[  2 , 4, 5]") },
		{ "JSON array, break", S("[{% JSONArrayFor i in (1..5) %}{{ i }}{% if i == 2 %}{% break %}{% endif %}{% endJSONArrayFor %}]"),
		  S("[1,2]") },
		{ "JSON array of nothing", S("[{% JSONArrayFor i in body.none %}{{ i }}{% endJSONArrayFor %}]"), S("[]") },
		{ "white space stays", S("{% if true %} {% endif %}"), S(" ") },
		{ "Date without a hook", S("{{ 'x' | Date: 'yyyy' }}"), S("x") },
	};

	check_rows(rows, ARRAY_LEN(rows), &(struct liquid_options){ .dialect = LIQUID_DOTLIQUID }, liquid_of_json(sample), 0);
}

static void messages(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "open output", S("a\n{{ x"), S("t: 2:1: '{{' without its '}}'") },
		{ "open block", S("x{% if a %}y"), S("t:1:5: 'if' without its 'endif'") },
		{ "unknown tag", S("\n\n  {% loop %}"), S("t:3:6: unknown tag 'loop'") },
		{ "stray end", S("{% endif %}"), S("t:1:4: unknown tag 'endif'") },
		{ "wrong end", S("{% if a %}{% endfor %}"), S("t:1:14: unknown tag 'endfor' inside 'if' of line 1") },
		{ "unknown filter", S("{{ x | upcas }}"), S("t:1:8: unknown filter 'upcas' (did you mean 'upcase'?)") },
		{ "second line of a tag", S("{{ x\n  | nofilterlikethis }}"), S("t:2:5: unknown filter 'nofilterlikethis'") },
		{ "arguments", S("{{ x | upcase: 1 }}"), S("t:1:8: filter 'upcase' takes no argument") },
		{ "arithmetic", S("{{ 1 + 2 }}"), S("t:1:6: expected the end of the tag, found '+'") },
		{ "open text", S("{{ 'abc }}"), S("t:1:4: text without its closing '") },
		{ "another dialect's tag", S("{% JSONArrayFor i in a %}{% endJSONArrayFor %}"),
		  S("t:1:4: 'JSONArrayFor' is for set-body templates; write a 'for'") },
		{ "division by zero", S("{{ 1 | divided_by: 0 }}"), S("t:1:8: division by zero") },
		{ "missing partial", S("{% include 'x' %}"), S("t:1:4: there is no template 'x'") },
	};

	check_rows(rows, ARRAY_LEN(rows), NULL, liquid_of_json(sample), 0);
}

static void limits(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "endless loop", S("{% for i in (1..900000) %}{% for j in (1..900000) %}{% endfor %}{% endfor %}"),
		  S("t:1:30: the template does more than 10000 steps") },
		{ "range", S("{% for i in (1..9000000000) %}{% endfor %}"), S("t:1:13: a range of more than 1000000 numbers") },
		{ "range over all numbers", S("{{ (-9223372036854775807..9223372036854775807) | size }}"),
		  S("t:1:4: a range of more than 1000000 numbers") },
		{ "sorting costs steps", S("{% for i in (1..9) %}{{ (1..40000) | reverse | size }}{% endfor %}"),
		  S("t:1:4: the template does more than 10000 steps") },
	};
	struct arena *a = arena_new(1 << 22);
	struct buf deep;

	check_rows(rows, ARRAY_LEN(rows), NULL, liquid_of_json(sample), 10000);
	buf_init(&deep, 1 << 20);
	for (int i = 0; i < 100; i++)
		buf_cstr(&deep, "{% if a %}");
	CHECK_STR("nesting", render(a, NULL, LIQUID_NIL_VALUE, buf_view(&deep), 0),
		  STR("t:1:634: blocks nest deeper than 64"));
	buf_clear(&deep);
	buf_cstr(&deep, "{{ a");
	for (int i = 0; i < 100; i++)
		buf_cstr(&deep, "[a");
	buf_cstr(&deep, " }}");
	CHECK_STR("brackets", render(a, NULL, LIQUID_NIL_VALUE, buf_view(&deep), 0),
		  STR("t:1:68: brackets nest deeper than 32"));
	buf_release(&deep);
	CHECK_STR("source", render(a, &(struct liquid_options){ .max_source_bytes = 3 }, LIQUID_NIL_VALUE, STR("1234"), 0),
		  STR("t: a template of 4 bytes; the limit is 3"));
	arena_free(a);
	check_done();
}

static void output_limit(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	const struct liquid_template *t;
	struct liquid_env env = { .globals = LIQUID_NIL_VALUE };
	struct gh_err err;
	struct buf out;

	assert_int_equal(liquid_parse(a, STR("t"), STR("{% for i in (1..100) %}0123456789{% endfor %}"), NULL, &t, &err).code, 0);
	buf_init(&out, 1000);
	assert_int_equal(liquid_render(t, &env, a, &out, &err).code, GH_OK);      /* exactly full */
	buf_release(&out);
	buf_init(&out, 999);
	assert_int_equal(liquid_render(t, &env, a, &out, &err).code, GH_E_LIMIT);
	buf_release(&out);
	arena_free(a);
}

/* Including itself ends with a message, not with the stack. */
static const struct liquid_template *same(void *ctx, struct str name UNUSED)
{
	return ctx;
}

static void recursion(void **state UNUSED)
{
	static const char *const sources[] = { "{% include 'x' %}", "{% render 'x' %}", "{% if true %}{% include 'x' %}{% endif %}" };

	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		struct arena *a = arena_new(1 << 22);
		const struct liquid_template *t;
		struct gh_err err = { .message = "" };
		struct buf out;

		buf_init(&out, 1000);
		assert_int_equal(liquid_parse(a, STR("t"), str_of(sources[i]), NULL, &t, &err).code, 0);
		CHECK_INT(sources[i],
			  liquid_render(t, &(struct liquid_env){ .load = same, .load_ctx = (void *)t }, a, &out, &err).code,
			  GH_E_LIMIT);
		buf_release(&out);
		arena_free(a);
	}
	check_done();
}

/* ---- objects of the host ------------------------------------------------------------------------------------------- */

static int asked;

static bool lazy_get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	asked++;
	if (!str_eq(name, STR("Host")))
		return false;
	*out = liquid_of_text(arena_printf(a, "host-%d", *(int *)self));
	return true;
}

static struct str lazy_text(void *self, struct arena *a)
{
	return arena_printf(a, "object %d", *(int *)self);
}

static void objects(void **state UNUSED)
{
	static const struct liquid_class cls = { .name = "Url", .get = lazy_get, .text = lazy_text };
	struct arena *a = arena_new(1 << 20);
	struct liquid_record *r = liquid_record_new(a);
	int seven = 7;

	liquid_set(r, "url", liquid_of_object(&cls, &seven));
	CHECK_STR("member, text, missing", render(a, NULL, liquid_of_record(r), STR("{{ url.Host }} {{ url }} [{{ url.x }}]"), 0),
		  STR("host-7 object 7 []"));
	CHECK_INT("asked only when needed", asked, 2);
	arena_free(a);
	check_done();
}

static void out_of_memory(void **state UNUSED)
{
	struct arena *host = arena_new(2000), *a = arena_new(1 << 20);
	struct liquid_record *r = liquid_record_new(host), *row = NULL;
	struct liquid_list *l = liquid_set_list(r, "rows");

	for (int i = 0; i < 1000; i++) {
		row = liquid_push_record(l);
		liquid_set_int(row, "n", i);
		liquid_set_list(row, "inner");
	}
	CHECK_STR("data that did not fit is an error, not a short list",
		  render(a, NULL, liquid_of_record(r), STR("{% for r in rows %}{{ r.n }}{% endfor %}"), 0),
		  STR("out of memory in a template"));
	arena_free(host);
	arena_free(a);
	check_done();
}

/* A template is immutable: threads that render one at once all see the same. */
static void *worker(void *arg)
{
	static const struct str want = S("1:Ada 2:Ada ");
	struct arena *a = arena_new(1 << 20);
	size_t wrong = 0;

	for (int i = 0; i < 2000; i++) {
		struct liquid_env env = { .globals = liquid_of_json(sample) };
		struct buf out;

		buf_init(&out, 1000);
		wrong += liquid_render(arg, &env, a, &out, NULL).code || !str_eq(buf_view(&out), want);
		buf_release(&out);
		arena_reset(a);
	}
	arena_free(a);
	return (void *)wrong;
}

static void threads(void **state UNUSED)
{
	static const struct str source = S("{% for i in body.items %}{{ i.id }}:{{ context.Variables.name }} {% endfor %}");
	struct arena *a = arena_new(1 << 20);
	const struct liquid_template *t;
	pthread_t id[4];
	void *wrong;

	assert_int_equal(liquid_parse(a, STR("t"), source, NULL, &t, NULL).code, 0);
	for (size_t i = 0; i < ARRAY_LEN(id); i++)
		pthread_create(&id[i], NULL, worker, (void *)t);
	for (size_t i = 0; i < ARRAY_LEN(id); i++) {
		pthread_join(id[i], &wrong);
		assert_null(wrong);
	}
	arena_free(a);
}

static int setup(void **state UNUSED)
{
	sample = json_loads("{\"context\":{\"Variables\":{\"name\":\"Ada\",\"html\":\"<b>&</b>\"}},"
			    "\"body\":{\"items\":[{\"id\":1},{\"id\":2}]}}",
			    0, NULL);
	return sample ? 0 : -1;
}

static int teardown(void **state UNUSED)
{
	json_decref(sample);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escaping),  cmocka_unit_test(dotliquid), cmocka_unit_test(messages),
		cmocka_unit_test(limits),    cmocka_unit_test(output_limit), cmocka_unit_test(recursion),
		cmocka_unit_test(objects),   cmocka_unit_test(out_of_memory), cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
