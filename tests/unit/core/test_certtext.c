/* Client certificates as servers and proxies write them; addresses of proxies; places of JSON values. */
#include "tests/unit/check.h"

#include "core/certtext.h"
#include "core/json.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"
#define PEM BEGIN "\nAAAA\n" END "\n"

static void forms(void **state UNUSED)
{
	static const struct {
		const char *label, *given, *want;
	} rows[] = {
		{ "PEM", BEGIN "\nAA+/\n" END, BEGIN "\nAA+/\n" END },
		{ "a chain", PEM PEM, BEGIN "\nAAAA\n" END "\n" BEGIN "\nAAAA\n" END },
		{ "blanks for line ends", BEGIN " AAAA BBBB " END " " BEGIN " CCCC " END,
		  BEGIN "\nAAAABBBB\n" END "\n" BEGIN "\nCCCC\n" END "\n" },
		{ "tabs behind line ends", BEGIN "\n\tAAAA\n\t" END, PEM },
		{ "percent-encoded", "-----BEGIN%20CERTIFICATE-----%0AAA%2BA%0A-----END%20CERTIFICATE-----%0A", BEGIN "\nAA+A\n" END "\n" },
		{ "a plus stays", "-----BEGIN%20CERTIFICATE-----%0AAA+A%0A-----END%20CERTIFICATE-----", BEGIN "\nAA+A\n" END "\n" },
		{ "Base64", "AAAA", PEM },
		{ "Base64 in lines of 64", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
		  BEGIN "\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nB\n" END "\n" },
		{ "RFC 9440", ":AAAA:", PEM },
		{ "Envoy", "By=x;Hash=y;Cert=\"-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----\";Subject=\"CN=a,b\"", PEM },
		{ "Envoy: the last element", "Cert=\"BBBB\",By=x;Cert=\"AAAA\"", PEM },
		{ "Envoy: the chain holds the leaf", "Chain=\"-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----\";Cert=\"BBBB\"", PEM },
		{ "Envoy: a name in a value is none", "Subject=\"Cert=x\";Cert=\"AAAA\"", PEM },
		{ "nothing", "", NULL },
		{ "blanks", "  ", NULL },
		{ "other letters", "AA.A", NULL },
		{ "no end", BEGIN "\nAAAA\n", NULL },
		{ "empty", BEGIN "\n" END " x " BEGIN " \t" END, NULL },
		{ "no end of a quote", "Cert=\"AAAA", NULL },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = certtext_pem(a, str_of(rows[i].given));

		/* what begins like PEM is taken as it is; its reader will tell */
		if (!rows[i].want && str_starts(got, STR(BEGIN "\n")) && str_starts(str_of(rows[i].given), STR(BEGIN "\n")))
			continue;
		CHECK_STR(rows[i].label, got, rows[i].want ? str_of(rows[i].want) : STR_NULL);
	}
	CHECK("too long", str_is_null(certtext_pem(a, (struct str){ arena_alloc_text(a, CERTTEXT_MAX + 1), CERTTEXT_MAX + 1 })));
	arena_free(a);
	check_done();
}

static void places(void **state UNUSED)
{
	static const struct {
		const char *text, *pointer;
		unsigned line, column;           /* 0: not there */
	} rows[] = {
		{ "{\"a\":1}", "", 1, 1 },
		{ " \n [1]", "", 2, 2 },
		{ "{\"a\":12}", "/a", 1, 7 },
		{ "{\n  \"a\": \"x\",\n  \"b\": [1, {\"c\": null}]\n}", "/b/1/c", 3, 21 },
		{ "{\n  \"a\": \"x\",\n  \"b\": [1, {\"c\": null}]\n}", "/b/1", 3, 12 },
		{ "{\"a\":1,\"a\":22}", "/a", 1, 13 },
		{ "{\"\\u0061\":1}", "/a", 1, 11 },
		{ "{\"a/b\":{\"~\":true}}", "/a~1b/~0", 1, 16 },
		{ "{\"x\":\"}]\\\"{\",\"a\":false}", "/a", 1, 22 },
		{ "{\"\xC3\xBC\":\"\xC3\xBC\"}", "/\xC3\xBC", 1, 8 },
		{ "[[],[1],2]", "/2", 1, 9 },
		{ "[1]", "/1", 0, 0 },
		{ "{}", "/a", 0, 0 },
		{ "1", "/a", 0, 0 },
		{ "", "", 0, 0 },
		{ "{\"a\"", "/a", 0, 0 },
		{ "[1", "/3", 0, 0 },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text_where w = { 0 };
		bool there = jsn_locate(a, str_of(rows[i].text), str_of(rows[i].pointer), &w);

		CHECK_INT(rows[i].text, there, rows[i].line > 0);
		if (there) {
			CHECK_INT(rows[i].text, w.line, rows[i].line);
			CHECK_INT(rows[i].text, w.column, rows[i].column);
		}
	}
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(forms), cmocka_unit_test(places) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
