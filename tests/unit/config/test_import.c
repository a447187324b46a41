/* What imports make of files from elsewhere: tests/golden/import/NAME/input.ENDING is read, what comes out is compared with
 * expected.json beside it ({"openapi", "server", "report"}). GOLDEN_WRITE=1 writes that file anew. */
#include "tests/unit/check.h"

#include "config/import/apiops.h"
#include "config/import/describe.h"
#include "config/import/foreign.h"
#include "core/file.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static const char root[] = "tests/golden/import";

static const char *const endings[] = { "har", "postman", "wsdl", "kong", "aws", "apiops" };

static gh_rc describe(struct arena *a, const char *ending, struct str text, struct import_report *r, struct described *d,
		      struct text_where *at, struct gh_err *err)
{
	if (strcmp(ending, "har") == 0)
		return import_har(a, text, STR_NULL, r, d, at, err);
	if (strcmp(ending, "postman") == 0)
		return import_postman(a, text, r, d, at, err);
	return import_wsdl(a, text, STR_NULL, NULL, r, d, at, err);
}

/* The resources of a whole installation, and the report. A folder is read from `path`. */
static struct str bundle_of(struct arena *a, const char *ending, const char *path, struct str text)
{
	struct text_where at = { 0, 0 };
	struct import_report r;
	struct bundle b;
	struct gh_err err;
	struct tree t;
	json_t *all;
	gh_rc rc;

	import_report_init(&r, a);
	assert_int_equal(bundle_init(&b, a, &r, &err).code, 0);
	tree_init(&t, a);
	if (strcmp(ending, "apiops") == 0)
		rc = tree_read(&t, path, &err).code ? (gh_rc){ GH_E_IO } : import_apiops(&b, &t, &err);
	else if (strcmp(ending, "aws") == 0)
		rc = import_aws(&b, text, STR_NULL, STR_NULL, &at, &err);
	else
		rc = import_kong(&b, text, STR_NULL, &at, &err);
	if (rc.code)
		return arena_printf(a, "%u:%u: %s\n", at.line, at.column, err.message);
	all = jsn_keep(a, json_pack("{s:O, s:o}", "resources", b.docs, "report", import_report_json(&r)));
	return arena_join(a, (struct str[]){ jsn_text(a, all, JSN_INDENT), STR("\n") }, 2);
}

/* The result as text; a failure with its place. */
static struct str result_of(struct arena *a, const char *ending, struct str text)
{
	struct text_where at = { 0, 0 };
	struct import_report r;
	struct described d = { .openapi = NULL };
	struct gh_err err;
	json_t *all;

	if (strcmp(ending, "kong") == 0 || strcmp(ending, "aws") == 0)
		return bundle_of(a, ending, NULL, text);
	import_report_init(&r, a);
	if (describe(a, ending, text, &r, &d, &at, &err).code)
		return arena_printf(a, "%u:%u: %s\n", at.line, at.column, err.message);
	all = jsn_keep(a, json_pack("{s:O, s:s%, s:o}", "openapi", d.openapi, "server", d.server.p ? d.server.p : "", d.server.n, "report",
				    import_report_json(&r)));
	return arena_join(a, (struct str[]){ jsn_text(a, all, JSN_INDENT), STR("\n") }, 2);
}

static void golden(void **state UNUSED)
{
	struct dirent *entry;
	DIR *dir = opendir(root);
	unsigned n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct arena *a = arena_new(64 << 20);

		for (size_t i = 0; i < ARRAY_LEN(endings) && entry->d_name[0] != '.'; i++) {
			const char *in = arena_printf(a, "%s/%s/input.%s", root, entry->d_name, endings[i]).p;
			const char *out = arena_printf(a, "%s/%s/expected.json", root, entry->d_name).p;
			bool folder = strcmp(endings[i], "apiops") == 0;
			struct str text, got, want;
			struct gh_err err;

			if (folder)
				in = arena_printf(a, "%s/%s/input", root, entry->d_name).p;
			if (folder ? access(in, F_OK) != 0 : file_read(a, in, IMPORT_FILE_MAX, &text, &err).code)
				continue;
			got = folder ? bundle_of(a, endings[i], in, STR_NULL) : result_of(a, endings[i], text);
			n++;
			if (getenv("GOLDEN_WRITE")) {
				assert_int_equal(file_write_atomic(out, got, 0644, &err).code, 0);
				continue;
			}
			assert_int_equal(file_read(a, out, IMPORT_FILE_MAX, &want, &err).code, 0);
			CHECK_STR(entry->d_name, got, want);
		}
		arena_free(a);
	}
	closedir(dir);
	assert_true(n >= ARRAY_LEN(endings));
	check_done();
}

static void refused(void **state UNUSED)
{
	static const struct {
		const char *ending, *text, *want;
	} rows[] = {
		{ "har", "", "1:1: " }, { "har", "{\"log\":{}}", "1:1: this is no HTTP archive" }, { "har", "{\n\"log\": x}", "2:8: " },
		{ "har", "{\"log\":{\"entries\":[]}}", "1:1: the archive has no call" },
		{ "har", "{\"log\":{\"entries\":[1,null,{\"request\":7}]}}", "1:1: the archive has no call" },
		{ "postman", "{}", "1:1: this is no Postman collection" }, { "postman", "{\"info\":{},\"item\":[]}", "1:1: the collection has no request" },
		{ "wsdl", "", "1:1: this is no XML" }, { "wsdl", "<a>\n<b></a>", "2:" }, { "wsdl", "<a/>", "1:1: this is no WSDL 1.1: its root is a" },
		{ "wsdl", "<definitions xmlns='http://schemas.xmlsoap.org/wsdl/'/>", "1:1: the WSDL has no service" },
		{ "aws", "openapi: 3.0.1\npaths: {}\n", "1:1: this is no export of API Gateway" },
		{ "aws", "openapi: 3.0.1\nx-amazon-apigateway-cors: {}\npaths: {}\n", "1:1: the document has no operations" },
		{ "kong", "a: [", "2:" }, { "kong", "services: []\n", "1:1: this is no decK file" },
		{ "kong", "_format_version: '3.0'\n_plugin_configs: {a: {minute: 5}}\nservices: [{name: s, url: http://x, plugins: [{name: rate-limiting, _config: b}]}]\n",
		  "1:1: the plugin rate-limiting has _config: b, which is not in _plugin_configs" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(16 << 20);

		CHECK_STR(rows[i].text, str_first(result_of(a, rows[i].ending, str_of(rows[i].text)), strlen(rows[i].want)), str_of(rows[i].want));
		arena_free(a);
	}
	check_done();
}

/* Resource policies of API Gateway: what lets everybody in, maybe from some networks, is taken over; all else closes the API. */
static void resource_policies(void **state UNUSED)
{
#define ALLOW(rest) "{\"Effect\":\"Allow\",\"Action\":\"execute-api:Invoke\"," rest "}"
#define ANY "\"Principal\":\"*\",\"Resource\":\"execute-api:/" "*\""
	static const struct {
		const char *policy;
		bool closed;
	} rows[] = {
		{ "{\"Statement\":[" ALLOW(ANY) "]}", false },
		{ "{\"Statement\":[" ALLOW("\"Principal\":{\"AWS\":[\"*\"]},\"Resource\":[\"arn:aws:execute-api:eu:1:id/prod/*" "/*\"]") "]}", false },
		{ "{\"Statement\":[" ALLOW(ANY ",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.0/24\"}}") "]}", false },
		{ "{\"Statement\":[" ALLOW("\"Principal\":{\"AWS\":\"arn:aws:iam::1:root\"},\"Resource\":\"*\"") "]}", true },
		{ "{\"Statement\":[" ALLOW("\"Principal\":\"*\",\"Resource\":\"execute-api:/prod/GET/*\"") "]}", true },
		{ "{\"Statement\":[" ALLOW("\"Principal\":\"*\",\"NotResource\":\"x\",\"Resource\":\"*\"") "]}", true },
		{ "{\"Statement\":[" ALLOW(ANY ",\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":\"v\"}}") "]}", true },
		{ "{\"Statement\":" ALLOW(ANY) "}", true }, { "{\"Statement\":[]}", true }, { "{}", true }, { "\"{}\"", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(16 << 20);
		struct str got = result_of(a, "aws", arena_printf(a, "{\"openapi\":\"3.0.1\",\"x-amazon-apigateway-policy\":%s,\"paths\":{\"/a\":{\"get\":{\"responses\":{},"
			"\"x-amazon-apigateway-integration\":{\"type\":\"http_proxy\",\"httpMethod\":\"GET\",\"uri\":\"https://b.example.com/a\"}}}}}", rows[i].policy));

		CHECK_INT(rows[i].policy, str_find(got, STR("closed: the resource policy")) != SIZE_MAX, rows[i].closed);
		arena_free(a);
	}
	check_done();
#undef ALLOW
#undef ANY
}

/* A WSDL whose one element is {urn:x}a, around what is its schema. */
static struct str wsdl_of(struct arena *a, struct str schema)
{
	return arena_join(a, (struct str[]){
		STR("<definitions xmlns='http://schemas.xmlsoap.org/wsdl/' xmlns:s='http://schemas.xmlsoap.org/wsdl/soap/' xmlns:x='urn:x'"
		    " xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:x'><types><xs:schema targetNamespace='urn:x'>"), schema,
		STR("</xs:schema></types><message name='m'><part name='p' element='x:a'/></message>"
		    "<portType name='t'><operation name='o'><input message='x:m'/></operation></portType>"
		    "<binding name='b' type='x:t'><s:binding transport='http://schemas.xmlsoap.org/soap/http' style='document'/>"
		    "<operation name='o'><s:operation soapAction='o'/><input><s:body use='literal'/></input></operation></binding>"
		    "<service name='S'><port name='p' binding='x:b'><s:address location='http://b/'/></port></service></definitions>") }, 3);
}

/* Schemas that hold themselves, refer in long chains, or double with each level: they end, with little stack and in little time. */
static void bounded(void **state UNUSED)
{
	struct arena *a = arena_new(256 << 20);
	struct str out;
	struct buf b;

	out = result_of(a, "wsdl", wsdl_of(a, STR("<xs:element name='a'><xs:complexType><xs:sequence><xs:element ref='x:a'/><xs:element ref='x:b'/>"
						  "</xs:sequence></xs:complexType></xs:element><xs:element name='b'><xs:complexType><xs:sequence>"
						  "<xs:element ref='x:a'/></xs:sequence></xs:complexType></xs:element>")));
	CHECK("an element in itself", str_find(out, STR("\"$ref\": \"#/components/schemas/a\"")) != SIZE_MAX);
	CHECK("and in another", str_find(out, STR("\"$ref\": \"#/components/schemas/b\"")) != SIZE_MAX);
	buf_init(&b, 32 << 20);
	buf_cstr(&b, "<xs:element name='a' type='x:t0'/>");
	for (int i = 0; i < 20000; i++)
		buf_fmt(&b, "<xs:complexType name='t%d'><xs:sequence><xs:element name='e' type='x:t%d'/></xs:sequence></xs:complexType>", i, i + 1);
	out = result_of(a, "wsdl", wsdl_of(a, buf_view(&b)));
	CHECK("a chain of types", str_find(out, STR("#/components/schemas/t19999\"")) != SIZE_MAX);
	arena_reset(a);
	buf_clear(&b);
	buf_cstr(&b, "<xs:element name='a' type='x:t'/><xs:complexType name='t'><xs:complexContent>");
	for (int i = 0; i < 10; i++)
		buf_cstr(&b, "<xs:extension base='x:t'><xs:sequence><xs:element name='e' type='xs:string'/></xs:sequence></xs:extension>");
	buf_cstr(&b, "</xs:complexContent></xs:complexType>");
	out = result_of(a, "wsdl", wsdl_of(a, buf_view(&b)));
	CHECK("a type whose bases are itself", str_find(out, STR("what is beyond is left open")) != SIZE_MAX);
	buf_release(&b);
	arena_free(a);
	check_done();
}

/* Whose configuration a text is. */
static void whose(void **state UNUSED)
{
	static const struct {
		const char *label, *text;
		enum foreign want;
	} rows[] = {
		{ "decK", "_format_version: '3.0'\nservices: []\n", FOREIGN_KONG }, { "decK as JSON", "{\"_format_version\":\"1.1\",\"routes\":[]}", FOREIGN_KONG },
		{ "a description that speaks of decK", "openapi: 3.1.0\ninfo: {title: T, version: '1', description: _format_version and services}\npaths: {}\n", FOREIGN_NONE },
		{ "a description with members of that name", "openapi: 3.1.0\n_format_version: 1\nservices: []\npaths: {}\n", FOREIGN_NONE },
		{ "API Gateway", "openapi: 3.0.1\npaths: {/a: {get: {x-amazon-apigateway-integration: {type: mock}}}}\n", FOREIGN_AWS },
		{ "a description that speaks of API Gateway", "swagger: '2.0'\npaths: {/a: {get: {summary: x-amazon-apigateway-integration}}}\n", FOREIGN_NONE },
		{ "neither", "openapi: 3.0.1\npaths: {}\n", FOREIGN_NONE }, { "broken", "_format_version: [", FOREIGN_NONE }, { "nothing", "", FOREIGN_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 20);

		CHECK_INT(rows[i].label, import_foreign_of(a, str_of(rows[i].text)), rows[i].want);
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(golden), cmocka_unit_test(refused), cmocka_unit_test(whose), cmocka_unit_test(resource_policies), cmocka_unit_test(bounded) };

	return cmocka_run_group_tests_name("config/import", tests, NULL, NULL);
}
