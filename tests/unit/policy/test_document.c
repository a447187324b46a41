/* Loading: what may stand in a document, and where each mistake is shown. */
#include "tests/unit/check.h"

#include "policy/element.h"

#define IN(text) "<policies>\n<inbound>\n" text "\n</inbound>\n<backend /><outbound /><on-error /></policies>"

/* line 0: it compiles */
static const struct {
	const char *label, *text;
	unsigned line, column;
	const char *message;
} rows[] = {
	{ "the least document", "<policies />", 0, 0, "" },
	{ "a byte-order mark and a declaration", "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- x -- y --><policies />", 0, 0, "" },
	{ "comments everywhere", IN("<!-- a @( b --><base /><!-- <x> -->"), 0, 0, "" },
	{ "quotes inside an attribute's expression", IN("<set-variable name=\"v\" value=\"@(\"a\" + 'b')\" />"), 0, 0, "" },
	{ "operators inside an attribute's expression",
	  IN("<choose><when condition=\"@(1 < 2 && 3 > 2 || \"a\" == \"b\")\" /></choose>"), 0, 0, "" },
	{ "the escaped form", IN("<choose><when condition=\"@(1 &lt; 2 &amp;&amp; &quot;a&quot; == &quot;)&quot;)\" /></choose>"), 0, 0, "" },
	{ "entities in a raw expression", IN("<choose><when condition=\"@(1 &lt; 2 && \"&lt;\" != \"<\")\" /></choose>"), 0, 0, "" },
	{ "a comment line in an attribute", IN("<set-variable name=\"v\" value=\"@{ // \" )\n return 1; }\" />"), 0, 0, "" },
	{ "single quotes around an expression", IN("<set-variable name='v' value='@(\"a\")' />"), 0, 0, "" },
	{ "white space around an expression", IN("<set-variable name=\"v\" value=\" @(1 + 1) \" />"), 0, 0, "" },
	{ "an expression in CDATA", IN("<set-body><![CDATA[@{ return \"<\" + 1; }]]></set-body>"), 0, 0, "" },
	{ "generic calls in a text", IN("<set-body>@(context.Request.Body.As<JObject>(true).ToString())</set-body>"), 0, 0, "" },
	{ "verbatim strings with brackets", IN("<set-variable name=\"v\" value=\"@(@\"a\"\")\" + \"}\")\" />"), 0, 0, "" },
	{ "sections in another order", "<policies><on-error /><outbound /><backend /><inbound /></policies>", 0, 0, "" },
	{ "a stray id", IN("<set-backend-service id=\"x\" base-url=\"https://a.example\" />"), 0, 0, "" },
	{ "attributes in any case of booleans", IN("<rewrite-uri template=\"/a\" copy-unmatched-params=\"TRUE\" />"), 0, 0, "" },

	{ "nothing", "", 1, 1, "the document is empty" },
	{ "no XML", "hello", 1, 1, "a policy document begins with an element such as <policies>" },
	{ "another root", "<policy />", 1, 1, "a policy document begins with <policies>, not <policy>" },
	{ "a document type", "<!DOCTYPE x>\n<policies />", 1, 1, "a document type declaration is not allowed in a policy document" },
	{ "text behind the root", "<policies />\n x", 2, 2, "text after the end of </policies>" },
	{ "an unclosed element", "<policies>\n <inbound>\n</policies>", 3, 1,
	  "</policies> stands where </inbound> is missing, which closes line 2, column 2" },
	{ "the end is missing", "<policies>\n <inbound>", 2, 2, "<inbound> is never closed: </inbound> is missing" },
	{ "an unclosed comment", "<policies><!-- x", 1, 11, "the comment that begins here has no end (`-->`)" },
	{ "an unclosed quote", IN("<set-method id=\"x>GET</set-method>"), 3, 16, "the quote that begins here is not closed" },
	{ "an unclosed quote with another one later", IN("<set-method id=\"x>GET</set-method>\n<set-method id=\"y\">GET</set-method>"), 3, 22,
	  "`<` inside an attribute must be written `&lt;` (or a quote is missing before it)" },
	{ "the reference's name with quotes at its end",
	  IN("<validate-client-certificate><identities><identity subject=\"CN=a, O=\"Contoso, Inc.\"\" /></identities></validate-client-certificate>"),
	  0, 0, "" },
	{ "a value that ends like a name's part", IN("<set-variable name=\"v\" value=\"CN=\" id=\"x\" />"), 0, 0, "" },
	{ "and one with a comma behind it", IN("<set-variable name=\"v\" value=\"a=\" id=\",\" />"), 0, 0, "" },
	{ "a quote too many", IN("<set-variable name=\"v\" value=\"a\"b\" />"), 3, 33, "attribute `b` of <set-variable> has no value: write b=\"…\"" },
	{ "no quotes", IN("<set-variable name=v />"), 3, 20, "the value of `name` must stand in quotes" },
	{ "an attribute without value", IN("<set-variable name />"), 3, 15, "attribute `name` of <set-variable> has no value: write name=\"…\"" },
	{ "an attribute twice", IN("<set-variable name=\"a\" name=\"b\" value=\"1\" />"), 3, 24, "attribute `name` is given twice" },
	{ "an unknown entity", IN("<set-body>a &nbsp; b</set-body>"), 3, 13,
	  "unknown entity: only &lt; &gt; &amp; &quot; &apos; and &#…; are known" },
	{ "an expression without end", IN("<set-variable name=\"v\" value=\"@(1 + (2)\" />"), 3, 31,
	  "the expression that begins here does not end: a string is not closed by \"" },
	{ "text behind an expression", IN("<set-variable name=\"v\" value=\"@(1)ms\" />"), 3, 35,
	  "text after the end of the expression: a value is one expression, or plain text" },
	{ "an unknown attribute", IN("<rate-limit call=\"1\" calls=\"1\" renewal-period=\"2\" />"), 3, 13,
	  "`rate-limit` has no attribute `call`; did you mean `calls`?" },
	{ "a value of the wrong kind", IN("<rate-limit calls=\"many\" renewal-period=\"2\" />"), 3, 20,
	  "attribute `calls` of <rate-limit> must be a whole number from 1 on, not `many`" },
	{ "an attribute is missing", IN(" <rate-limit calls=\"1\" />"), 3, 2,
	  "`rate-limit` needs the attribute `renewal-period` (length of the sliding window in seconds, at most 300)" },
	{ "a section of another name", "<policies><inbond /></policies>", 1, 11, "there is no section <inbond>; did you mean <inbound>?" },
	{ "a section twice", "<policies><inbound /><inbound /></policies>", 1, 22, "<inbound> stands twice in the document" },
	{ "text between policies", IN("<base /> x"), 2, 1, "a text stands between the policies of <inbound>; only elements can" },
	{ "a child of another name", IN("<set-header name=\"a\"><valu>1</valu></set-header>"), 3, 22,
	  "<valu> cannot stand in <set-header>; did you mean <value>?" },
	{ "an expression that does not compile", IN("<set-variable name=\"v\"\n value=\"@(1 +\n x)\" />"), 5, 2,
	  "unknown name `x`: it is no variable of this expression and no known type" },
	{ "its place behind an entity", IN("<set-variable name=\"v\" value=\"@(&quot;a&quot; + x)\" />"), 3, 49,
	  "unknown name `x`: it is no variable of this expression and no known type" },
	{ "an expression where none is allowed", IN("<rate-limit calls=\"@(1)\" renewal-period=\"2\" />"), 3, 20,
	  "attribute `calls` of <rate-limit> takes no policy expression" },
	{ "a control byte", IN("\x01"), 3, 1, "the byte 0x01 is no text" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 22);
		struct policy_diags d;
		const struct policy_document *doc;
		const struct policy_diag *first = NULL;

		policy_diags_init(&d, a);
		doc = policy_compile(a, str_of(rows[i].text), &(struct policy_source){ .scope = SCOPE_API }, NULL, &d);
		for (size_t k = 0; k < d.n && !first; k++)
			if (!d.v[k].warning)
				first = &d.v[k];
		CHECK(rows[i].label, (doc != NULL) == !rows[i].line);
		if (first) {
			CHECK_INT(rows[i].label, first->line, rows[i].line);
			CHECK_INT(rows[i].label, first->column, rows[i].column);
			CHECK_STR(rows[i].label, first->message, str_of(rows[i].message));
		}
		arena_free(a);
	}
	check_done();
}

static void test_several(void **state)
{
	static const char text[] = IN("<set-variable nam=\"v\" />\n<rate-limit calls=\"x\" />\n<nothing />");
	struct arena *a = arena_new(1 << 22);
	struct policy_diags d;

	(void)state;
	policy_diags_init(&d, a);
	assert_null(policy_compile(a, STR(text), &(struct policy_source){ .scope = SCOPE_API }, NULL, &d));
	CHECK_INT("all mistakes at once", d.errors, 6);
	arena_free(a);
	check_done();
}

static void test_warnings(void **state)
{
	static const struct {
		const char *text, *message;
		enum scope scope;
	} warned[] = {
		{ "<policies><backend /><inbound /><outbound /></policies>",
		  "<inbound> stands behind <backend>; the usual order is inbound, backend, outbound, on-error", SCOPE_API },
		{ "<policies><inbound /><outbound /></policies>",
		  "the section <backend> is missing; it is taken as <backend><base /></backend>", SCOPE_API },
		{ "<policies><inbound /><backend /><outbound><set-method>GET</set-method></outbound></policies>",
		  "<set-method> is not documented for the section <outbound>", SCOPE_API },
		{ "<policies><inbound><rate-limit calls=\"1\" renewal-period=\"1\" /></inbound><backend /><outbound /></policies>",
		  "<rate-limit> is not documented for the global scope", SCOPE_GLOBAL },
		{ IN("<check-header name=\"a\" failed-check-httpcode=\"401\" failed-check-error-message=\"m\" ignore-case=\"true\" />"),
		  "<check-header> is not documented for the workspace scope", SCOPE_WORKSPACE },
		{ IN("<llm-content-safety backend-id=\"b\" />"), "<llm-content-safety> is not documented for the operation scope",
		  SCOPE_OPERATION },
		{ IN("<validate-parameters specified-parameter-action=\"detect\" unspecified-parameter-action=\"detect\" /><choose>"
		     "<when condition=\"true\"><validate-parameters specified-parameter-action=\"prevent\" "
		     "unspecified-parameter-action=\"detect\" /></when></choose>"),
		  "<validate-parameters> is documented to stand once in a section", SCOPE_API },
		{ IN("<cors><allowed-origins><origin>*</origin></allowed-origins></cors>"),
		  "<cors> without <allowed-headers> lets no header through but those that need no leave", SCOPE_API },
		{ IN("<send-request><set-url>http://a.example</set-url></send-request>"),
		  "<send-request> without `response-variable-name` waits for a response that nobody can read", SCOPE_API },
		{ IN("<validate-azure-ad-token tenant-id=\"t\" />"),
		  "<validate-azure-ad-token> without <client-application-ids> needs <audiences>: else a token for any application of the "
		  "tenant passes", SCOPE_API },
		{ IN("<validate-client-certificate><identities><identity subject=\"C=US, O=\"Contoso, Inc.\", CN=a\" issuer-subject=\"CN=b\" />"
		     "</identities></validate-client-certificate>"),
		  "quotes inside a value are written &quot;; they are taken as part of the name", SCOPE_API },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(warned); i++) {
		struct arena *a = arena_new(1 << 22);
		struct policy_diags d;

		policy_diags_init(&d, a);
		CHECK(warned[i].message, policy_compile(a, str_of(warned[i].text), &(struct policy_source){ .scope = warned[i].scope },
							NULL, &d) != NULL);
		CHECK_INT(warned[i].message, d.warnings, 1);
		CHECK_STR(warned[i].message, d.v[0].message, str_of(warned[i].message));
		arena_free(a);
	}
	check_done();
}

static void test_limits(void **state)
{
	struct arena *a = arena_new(1 << 26);
	char *big = arena_alloc_text(a, 1 << 20);
	struct policy_diags d;
	size_t n = 0;

	(void)state;
	memset(big, ' ', 1 << 20);
	policy_diags_init(&d, a);
	CHECK("too large", !policy_compile(a, (struct str){ big, DOCUMENT_BYTES_MAX + 1 }, &(struct policy_source){ 0 }, NULL, &d));
	for (; n < 4000; n += 3)
		memcpy(big + n, "<a>", 3);
	policy_diags_init(&d, a);
	CHECK("too deep", !policy_compile(a, (struct str){ big, n }, &(struct policy_source){ 0 }, NULL, &d));
	CHECK_STR("too deep", d.v[0].message, STR("elements are nested deeper than 64"));
	arena_free(a);
	check_done();
}

/* The registry is searched by halves, so it must be sorted; each policy says what it is for. */
static void test_registry(void **state)
{
	size_t n = 0;

	(void)state;
	for (; policy_types[n]; n++) {
		const struct element_schema *s = policy_types[n]->schema;

		CHECK(s->name, !n || strcmp(policy_types[n - 1]->schema->name, s->name) < 0);
		CHECK(s->name, policy_type_find(str_of(s->name)) == policy_types[n]);
		CHECK(s->name, s->help && *s->help);
		CHECK(s->name, policy_types[n]->run || policy_types[n]->emit || policy_types[n]->not_live);
		for (size_t i = 0; i < s->n_args; i++)
			CHECK(s->args[i].name, s->args[i].help && *s->args[i].help);
	}
	CHECK("all of them", n > 60);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_several), cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_registry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
