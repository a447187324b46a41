/* Bodies as they may be shown: what stands under the name of a secret is gone, whole bodies and pieces of them. */
#include "tests/unit/check.h"

#include "core/body_mask.h"
#include "core/str.h"

#include <time.h>

static const struct str more[] = { STR_INIT("iban"), STR_INIT("X-Patient") };
static const struct mask_names marked = { more, ARRAY_LEN(more) };

static void names(void **state UNUSED)
{
	static const struct {
		const char *name;
		bool secret;
	} rows[] = {
		{ "password", true }, { "Password", true }, { "new_password2", true }, { "client_secret", true }, { "clientSecret", true },
		{ "x-api-key", true }, { "API Key", true }, { "access_token", true }, { "idToken", true }, { "user[password]", true },
		{ "Authorization", true }, { "pin", true }, { "cvc", true }, { "privateKey", true }, { "IBAN", true }, { "x_patient", true },
		{ "name", false }, { "total_tokens", false }, { "shipping", false }, { "key", false }, { "opinion", false }, { "", false },
		{ "secretary", true }, { "ibans", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(rows[i].name, mask_name_is_secret(str_of(rows[i].name), &marked), rows[i].secret);
	check_done();
}

static void forms(void **state UNUSED)
{
	static const struct {
		const char *label, *type;
		struct str body;
		enum body_form want;
	} rows[] = {
		{ "JSON", "application/json", STR_INIT("{}"), BODY_FORM_TEXT },
		{ "a form", "application/x-www-form-urlencoded; charset=utf-8", STR_INIT("a=1"), BODY_FORM_FIELDS },
		{ "XML", "text/xml", STR_INIT("<a/>"), BODY_FORM_XML },
		{ "SOAP 1.2", "application/soap+xml;charset=utf-8", STR_INIT("<a/>"), BODY_FORM_XML },
		{ "XML without a type", "", STR_INIT("  <a/>"), BODY_FORM_XML },
		{ "parts", "multipart/form-data; boundary=x", STR_INIT("--x"), BODY_FORM_NONE },
		{ "a picture", "image/png", STR_INIT("x"), BODY_FORM_NONE },
		{ "bytes", "application/octet-stream", STR_INIT("\x01\x02\xff\xfe\xfd\xfc\xfb"), BODY_FORM_NONE },
		{ "a zero byte", "text/plain", STR_INIT("a\0b"), BODY_FORM_NONE },
		{ "bytes that are called a form", "application/x-www-form-urlencoded", STR_INIT("a=\0b"), BODY_FORM_NONE },
		{ "a character cut at the end", "text/plain", STR_INIT("caf\xc3"), BODY_FORM_TEXT },
		{ "a form without a type", "", STR_INIT("a=1&password=s"), BODY_FORM_FIELDS },
		{ "a form that says it is a text", "text/plain", STR_INIT("password=s"), BODY_FORM_FIELDS },
		{ "XML that says it is a form", "application/x-www-form-urlencoded", STR_INIT(" <a/>"), BODY_FORM_XML },
		{ "JSON with an equals sign", "", STR_INIT("{\"a=b\":1}"), BODY_FORM_TEXT },
		{ "a sentence", "text/plain", STR_INIT("it is a=b"), BODY_FORM_TEXT },
		{ "empty", "image/png", STR_INIT(""), BODY_FORM_TEXT },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(rows[i].label, mask_form_of(str_of(rows[i].type), rows[i].body), rows[i].want);
	check_done();
}

static void bodies(void **state UNUSED)
{
	static const struct {
		const char *label;
		enum body_form form;
		const char *body, *want;
	} rows[] = {
		{ "nothing", BODY_FORM_TEXT, "", "" },
		{ "a text", BODY_FORM_TEXT, "\"password\" : \"s\"", "\"password\" : \"***\"" },
		{ "an object", BODY_FORM_TEXT, "{\"a\":1,\"password\":\"s,}\\\"x\",\"b\":2}", "{\"a\":1,\"password\":\"***\",\"b\":2}" },
		{ "a number", BODY_FORM_TEXT, "{\"pin\":1234}", "{\"pin\":\"***\"}" },
		{ "an object within", BODY_FORM_TEXT, "{\"secret\":{\"x\":[\"}\",1]},\"b\":2}", "{\"secret\":\"***\",\"b\":2}" },
		{ "a list", BODY_FORM_TEXT, "{\"secret\":[1,[2]],\"b\":2}", "{\"secret\":\"***\",\"b\":2}" },
		{ "deep", BODY_FORM_TEXT, "[{\"a\":{\"iban\":\"NL\"}}]", "[{\"a\":{\"iban\":\"***\"}}]" },
		{ "an escaped name", BODY_FORM_TEXT, "{\"pass\\u0077ord\":\"s\"}", "{\"pass\\u0077ord\":\"***\"}" },
		{ "a broken name", BODY_FORM_TEXT, "{\"a\\q\":\"s\"}", "{\"a\\q\":\"***\"}" },
		{ "a value that is a name", BODY_FORM_TEXT, "{\"a\":\"password\",\"b\":\"x\"}", "{\"a\":\"password\",\"b\":\"x\"}" },
		{ "cut in the value", BODY_FORM_TEXT, "{\"password\":\"sec", "{\"password\":\"***\"" },
		{ "cut in an object", BODY_FORM_TEXT, "{\"secret\":{\"a\":1", "{\"secret\":\"***\"" },
		{ "cut behind the colon", BODY_FORM_TEXT, "{\"password\":", "{\"password\":" },
		{ "cut in the name", BODY_FORM_TEXT, "{\"passw", "{\"passw" },
		{ "lines", BODY_FORM_TEXT, "{\"token\":\"a\"}\n{\"token\":\"b\"}\n", "{\"token\":\"***\"}\n{\"token\":\"***\"}\n" },
		{ "an event", BODY_FORM_TEXT, "data: {\"token\":\"a\"}\n\n", "data: {\"token\":\"***\"}\n\n" },
		{ "a form", BODY_FORM_FIELDS, "a=1&password=s&b=", "a=1&password=***&b=" },
		{ "an escaped field", BODY_FORM_FIELDS, "p%61ssword=s", "p%61ssword=***" },
		{ "a field without value", BODY_FORM_FIELDS, "password&a", "password&a" },
		{ "an equals sign in the value", BODY_FORM_FIELDS, "secret=a=b&c=d", "secret=***&c=d" },
		{ "an element", BODY_FORM_XML, "<a><Password>s</Password><b>1</b></a>", "<a><Password>***</Password><b>1</b></a>" },
		{ "a prefix", BODY_FORM_XML, "<w:Password w:T='x'>s</w:Password>", "<w:Password w:T='x'>***</w:Password>" },
		{ "elements within", BODY_FORM_XML, "<secret><secret>1</secret><x/></secret><b/>", "<secret>***</secret><b/>" },
		{ "an empty one of its name within", BODY_FORM_XML, "<secret><secret/>2</secret>3", "<secret>***</secret>3" },
		{ "an empty element", BODY_FORM_XML, "<secret/>after", "<secret/>after" },
		{ "an attribute", BODY_FORM_XML, "<a b='1' token = \"t>\" c='2'>x</a>", "<a b='1' token = \"***\" c='2'>x</a>" },
		{ "an end tag in a comment", BODY_FORM_XML, "<secret>1<!--</secret>-->2</secret>3", "<secret>***</secret>3" },
		{ "an end tag in a section", BODY_FORM_XML, "<secret><![CDATA[</secret>]]>2</secret>3", "<secret>***</secret>3" },
		{ "cut in the element", BODY_FORM_XML, "<a><secret>s", "<a><secret>***" },
		{ "cut in the attribute", BODY_FORM_XML, "<a token=\"s", "<a token=\"***\"" },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 4096);
		CHECK(rows[i].label, mask_body(&b, a, rows[i].form, str_of(rows[i].body), &marked));
		CHECK_STR(rows[i].label, buf_view(&b), str_of(rows[i].want));
		buf_release(&b);
	}
	arena_free(a);
	check_done();
}

/* Texts within texts. */
static void within(void **state UNUSED)
{
	static const struct {
		const char *label;
		enum body_form form;
		const char *body, *want;
	} rows[] = {
		{ "JSON in JSON", BODY_FORM_TEXT, "{\"p\":\"{\\\"iban\\\":\\\"NL1\\\",\\\"b\\\":2}\"}",
		  "{\"p\":\"{\\\"iban\\\":\\\"***\\\",\\\"b\\\":2}\"}" },
		{ "and in that", BODY_FORM_TEXT, "\"{\\\"q\\\":\\\"{\\\\\\\"pin\\\\\\\":1}\\\"}\"",
		  "\"{\\\"q\\\":\\\"{\\\\\\\"pin\\\\\\\":\\\\\\\"***\\\\\\\"}\\\"}\"" },
		{ "braces as numbers", BODY_FORM_TEXT, "\"\\u007b\\u0022pin\\u0022:1}\"", "\"{\\\"pin\\\":\\\"***\\\"}\"" },
		{ "a list in JSON", BODY_FORM_TEXT, "[\"[{\\\"pin\\\":1}]\"]", "[\"[{\\\"pin\\\":\\\"***\\\"}]\"]" },
		{ "cut in the text within", BODY_FORM_TEXT, "{\"p\":\"{\\\"pin\\\":\\\"12", "{\"p\":\"{\\\"pin\\\":\\\"***\\\"" },
		{ "cut in an escape", BODY_FORM_TEXT, "{\"p\":\"{\\\"pin\\\":\\\"12\\", "{\"p\":\"{\\\"pin\\\":\\\"***\\\"" },
		{ "nothing to hide stays as it was", BODY_FORM_TEXT, "\"\\u007b\\/\\u0022a\\u0022:1}\"", "\"\\u007b\\/\\u0022a\\u0022:1}\"" },
		{ "XML in JSON", BODY_FORM_TEXT, "{\"x\":\"<a><pin>1</pin></a>\"}", "{\"x\":\"<a><pin>***</pin></a>\"}" },
		{ "an address in JSON", BODY_FORM_TEXT, "{\"u\":\"https://h/p?a=1&pin=2#x\"}", "{\"u\":\"https://h/p?a=1&pin=***\"}" },
		{ "its first field", BODY_FORM_TEXT, "{\"u\":\"/p?pin=2&a=1\"}", "{\"u\":\"/p?pin=***&a=1\"}" },
		{ "a form in JSON", BODY_FORM_TEXT, "{\"f\":\"a=1&iban=2\"}", "{\"f\":\"a=1&iban=***\"}" },
		{ "JSON in a form", BODY_FORM_FIELDS, "a=%7B%22pin%22%3A1%7D&b=+x", "a=%7B%22pin%22%3A%22***%22%7D&b=+x" },
		{ "an address in a form", BODY_FORM_FIELDS, "u=https%3A%2F%2Fh%2F%3Ftoken%3Dx", "u=https%3A%2F%2Fh%2F%3Ftoken%3D***" },
		{ "JSON in an element", BODY_FORM_XML, "<a>{\"pin\":1}</a>", "<a>{&quot;pin&quot;:&quot;***&quot;}</a>" },
		{ "escaped XML in an element", BODY_FORM_XML, "<a>&lt;pin>&#49;&lt;/pin></a>", "<a>&lt;pin&gt;***&lt;/pin&gt;</a>" },
		{ "XML in a section", BODY_FORM_XML, "<a><![CDATA[<b><pin>1</pin></b>]]></a>", "<a><![CDATA[<b><pin>***</pin></b>]]></a>" },
		{ "JSON in a section that is cut", BODY_FORM_XML, "<a><![CDATA[{\"pin\":\"1", "<a><![CDATA[{\"pin\":\"***\"" },
		{ "XML in a comment", BODY_FORM_XML, "<!--<pin>1</pin>-->", "<!--<pin>***</pin>-->" },
		{ "an address in an attribute", BODY_FORM_XML, "<a href='/?x=1&amp;pin=2'>t</a>", "<a href='/?x=1&amp;pin=***'>t</a>" },
		{ "deeper than is looked", BODY_FORM_FIELDS, "a=b%3Dc%253Dd%25253De%2525253Df%252525253Dg", "a=b%3Dc%253Dd%25253De%2525253D***" },
		{ "JSON sent as a form", BODY_FORM_FIELDS, "{\"u\":\"a=b\",\"pin\":\"1&2\"}", "{\"u\":\"a=b\",\"pin\":\"***\"}" },
		{ "behind a field", BODY_FORM_FIELDS, "a=1&{\"pin\":\"1&2=3\"}", "a=1&{\"pin\":\"***\"}" },
		{ "all of it in escapes", BODY_FORM_FIELDS, "%7B%22pin%22%3A1%7D", "%7B%22pin%22%3A%22***%22%7D" },
		{ "an address with JSON in it", BODY_FORM_TEXT, "{\"u\":\"/?q={\\\"pin\\\":1}&pin=2&a=3\"}",
		  "{\"u\":\"/?q={\\\"pin\\\":\\\"***\\\"}&pin=***&a=3\"}" },
		{ "a value without quotes", BODY_FORM_XML, "<a pin=12 b=/x/><c pin=3/>t", "<a pin=\"***\" b=/x/><c pin=\"***\"/>t" },
		{ "a tag that does not end", BODY_FORM_XML, "<a <pin>1</pin>", "<a <pin>***</pin>" },
		{ "an end tag", BODY_FORM_XML, "<a>1</a>pin=2", "<a>1</a>pin=***" },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 4096);
		CHECK(rows[i].label, mask_body(&b, a, rows[i].form, str_of(rows[i].body), &marked));
		CHECK_STR(rows[i].label, buf_view(&b), str_of(rows[i].want));
		buf_release(&b);
	}
	arena_free(a);
	check_done();
}

/* Tags that never end: what is looked for behind each of them must not be looked for anew. Processor time, not that of the clock. */
static void endless(void **state UNUSED)
{
	static const struct {
		const char *label, *head, *each, *tail, *want;           /* want NULL: as it came */
	} rows[] = {
		{ "tags of the name", "<password>", "<password ", "", "<password>***" },
		{ "tags of the name, and one end", "<password>", "<password ", ">", "<password>***" },
		{ "no names", "<password>", "<", "", "<password>***" },
		{ "names that grow", "<password>", "<password", "", "<password>***" },
		{ "numbers of characters", "<a>", "&#", "", NULL },
	};
	enum { BYTES = 1 << 20, SECONDS = 1 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		clock_t began = clock();
		struct buf in, out;

		buf_init(&in, BYTES * 2);
		buf_init(&out, BYTES * 2);
		buf_cstr(&in, rows[i].head);
		while (in.n < BYTES)
			buf_cstr(&in, rows[i].each);
		buf_cstr(&in, rows[i].tail);
		CHECK(rows[i].label, mask_body(&out, a, BODY_FORM_XML, buf_view(&in), &marked));
		CHECK(rows[i].label, str_eq(buf_view(&out), rows[i].want ? str_of(rows[i].want) : buf_view(&in)));
		CHECK(rows[i].label, clock() - began < SECONDS * CLOCKS_PER_SEC);
		buf_release(&in);
		buf_release(&out);
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names), cmocka_unit_test(forms), cmocka_unit_test(bodies),
					    cmocka_unit_test(within), cmocka_unit_test(endless) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
