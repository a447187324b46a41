/* Descriptions in Markdown and policies in XML, as nodes for templates. */
#include "tests/unit/check.h"

#include "portal/web/highlight.h"
#include "portal/web/markdown.h"

#include "core/file.h"
#include "core/paths.h"

#define S STR_INIT

static struct str template_source(struct arena *a)
{
	char share[PATHS_MAX], path[PATHS_MAX];
	struct str text;

	assert_int_equal(paths_share(share, NULL).code, GH_OK);
	assert_int_equal(paths_join(path, share, "templates/web/markdown.html", NULL).code, GH_OK);
	assert_int_equal(file_read(a, path, 1 << 20, &text, NULL).code, GH_OK);
	return text;
}

static const struct liquid_template *self(void *ctx, struct str name UNUSED)
{
	return ctx;
}

static struct str html_of(struct arena *a, struct str markdown)
{
	static const struct liquid_options options = { .html = true, .strict_names = true };
	struct liquid_record *page = liquid_record_new(a);
	const struct liquid_template *t;
	struct gh_err err = { .message = "" };
	struct liquid_value nodes;
	struct str out;
	struct buf b;
	gh_rc rc;

	buf_init(&b, 1 << 20);
	rc = liquid_parse(a, STR("markdown"), template_source(a), &options, &t, &err);
	if (!rc.code)
		rc = web_markdown(a, markdown, &nodes, &err);
	if (!rc.code) {
		liquid_set(page, "nodes", nodes);
		rc = liquid_render(t, &(struct liquid_env){ liquid_of_record(page), self, (void *)t }, a, &b, &err);
	}
	out = arena_dup(a, rc.code ? str_of(err.message) : str_trim(buf_view(&b)));
	buf_release(&b);
	return out;
}

static void markdown(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str in, want;
	} rows[] = {
		{ "paragraphs", S("a\nb\n\nc"), S("<p>a\nb</p><p>c</p>") },
		{ "emphasis", S("*a* **b** ~~c~~ `d`"),
		  S("<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>") },
		{ "code keeps its blanks", S("`a  b` x"), S("<p><code>a  b</code> x</p>") },
		{ "heading", S("## A"), S("<p class=\"md-heading md-heading-2\">A</p>") },
		{ "list", S("- a\n- b"), S("<ul><li>a</li><li>b</li></ul>") },
		{ "link", S("[x](https://a.example/?a=1&b=2)"),
		  S("<p><a href=\"https://a.example/?a=1&amp;b=2\" rel=\"nofollow noreferrer\">x</a></p>") },
		{ "script as an address", S("[x](javascript:alert(1))"),
		  S("<p><a href=\"#\" rel=\"nofollow noreferrer\">x</a></p>") },
		{ "image becomes a link", S("![alt](https://a.example/x.png)"),
		  S("<p><a href=\"https://a.example/x.png\" rel=\"nofollow noreferrer\">alt</a></p>") },
		{ "image in a link", S("[![alt](https://a.example/x.png)](https://b.example/)"),
		  S("<p><a href=\"https://b.example/\" rel=\"nofollow noreferrer\"><em>alt</em></a></p>") },
		{ "HTML is text", S("<script>alert(1)</script>"), S("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>") },
		{ "HTML in a line", S("a <img src=x onerror=alert(1)> b"),
		  S("<p>a &lt;img src=x onerror=alert(1)&gt; b</p>") },
		{ "quotes in a link", S("[x](https://a.example/\"onclick=\"y)"),
		  S("<p><a href=\"https://a.example/&quot;onclick=&quot;y\" rel=\"nofollow noreferrer\">x</a></p>") },
		{ "fenced code", S("```js\na < b\n```"), S("<pre tabindex=\"0\"><code>a &lt; b\n</code></pre>") },
		{ "entities", S("a &lt; b &amp; c"), S("<p>a &lt; b &amp; c</p>") },
		{ "line break", S("a  \nb"), S("<p>a<br>b</p>") },
		{ "quote and rule", S("> a\n\n---"), S("<blockquote><p>a</p></blockquote><hr>") },
		{ "table", S("|a|\n|---|\n|b|"),
		  S("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">a</th></tr></thead><tbody><tr>"
		    "<td>b</td></tr></tbody></table></div>") },
		{ "nothing", S(""), S("") },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(8 << 20);

		CHECK_STR(rows[i].label, html_of(a, rows[i].in), rows[i].want);
		arena_free(a);
	}
	check_done();
}

/* Nesting beyond the limit loses its form, not its words. */
static void deep_markdown(void **state UNUSED)
{
	struct arena *a = arena_new(8 << 20);
	struct buf b;
	struct str html;

	buf_init(&b, 10000);
	for (int i = 0; i < 200; i++)
		buf_cstr(&b, "> ");
	buf_cstr(&b, "found");
	html = html_of(a, buf_view(&b));
	CHECK("the text is there", str_find(html, STR("found")) != SIZE_MAX);
	CHECK_INT("too long", web_markdown(a, (struct str){ b.p, WEB_MARKDOWN_MAX + 1 }, &(struct liquid_value){ LIQUID_NIL }, NULL).code,
		  GH_E_LIMIT);
	buf_release(&b);
	arena_free(a);
	check_done();
}

static void highlight(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str in, want;           /* kind:text| … */
	} rows[] = {
		{ "nothing", S(""), S("") },
		{ "element", S("<a b=\"c\"/>"), S("tag:<a|text: |attr:b|text:=|value:\"c\"|tag:/>|") },
		{ "text", S("<a>x</a>"), S("tag:<a|tag:>|text:x|tag:</a|tag:>|") },
		{ "expression with quotes and brackets", S("<a b=\"@(x[\"k\"] > (1))\">"),
		  S("tag:<a|text: |attr:b|text:=|expr:\"@(x[\"k\"] > (1))\"|tag:>|") },
		{ "expression as text", S("<v> @{ return \"<\"; }</v>"), S("tag:<v|tag:>|text: |expr:@{ return \"<\"; }|tag:</v|tag:>|") },
		{ "comment", S("<!-- <a> --><b/>"), S("comment:<!-- <a> -->|tag:<b|tag:/>|") },
		{ "open comment", S("<!-- x"), S("comment:<!-- x|") },
		{ "open value", S("<a b=\"c"), S("tag:<a|text: |attr:b|text:=|value:\"c|") },
		{ "open expression", S("<a>@(x"), S("tag:<a|tag:>|expr:@(x|") },
		{ "lone sign", S("a < b"), S("text:a |text:<|text: b|") },
		{ "ends in a sign", S("<"), S("text:<|") },
		{ "slash", S("</"), S("tag:</|") },
	};
	static const struct str source = S("{% for w in words %}{{ w.kind }}:{{ w.text }}|{% endfor %}");
	static const struct str plain = S("{% for w in words %}{{ w.text }}{% endfor %}");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		struct liquid_record *page = liquid_record_new(a);
		const struct liquid_env env = { .globals = liquid_of_record(page) };
		const struct liquid_template *t;
		struct buf b;

		buf_init(&b, 10000);
		liquid_set(page, "words", web_highlight_xml(a, rows[i].in));
		assert_int_equal(liquid_parse(a, STR("t"), source, NULL, &t, NULL).code, GH_OK);
		assert_int_equal(liquid_render(t, &env, a, &b, NULL).code, GH_OK);
		CHECK_STR(rows[i].label, buf_view(&b), rows[i].want);
		buf_clear(&b);
		assert_int_equal(liquid_parse(a, STR("t"), plain, NULL, &t, NULL).code, GH_OK);
		assert_int_equal(liquid_render(t, &env, a, &b, NULL).code, GH_OK);
		CHECK_STR("no byte is lost", buf_view(&b), rows[i].in);
		buf_release(&b);
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(markdown), cmocka_unit_test(deep_markdown),
					    cmocka_unit_test(highlight) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
