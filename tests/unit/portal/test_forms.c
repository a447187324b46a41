/* Forms of resources that are more than a list of fields: what a browser sends becomes the document, and what cannot be read is
 * shown again. */
#include "policy/element.h"
#include "tests/unit/check.h"

#include "config/files/set.h"
#include "config/resource.h"
#include "core/backend_state.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/uri.h"
#include "db/named_values.h"
#include "portal/admin/admin.h"
#include "tests/unit/portal/client.h"

#include <unistd.h>

static char directory[64], share[PATHS_MAX];

/* A certificate with its key for the name "partner", behind the password open-sesame. */
static const char archive[] =
	"MIIEDAIBAzCCA8IGCSqGSIb3DQEHAaCCA7MEggOvMIIDqzCCAmIGCSqGSIb3DQEHBqCCAlMwggJPAgEAMIICSAYJKoZIhvcNAQcB"
	"MFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiedyC6Sa8tjQICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEMie"
	"JEzEDufza9MwucW/s2CAggHgPiBvk2ivegBz9z51hs/KxYnVIwd5Neu0hIMi3lBzJSKg4TM81/qVnU/IDt4JQTUJf89/VWvJhX2O"
	"9IzWFsj733pgce70MFjE3i2l6oCThvApLFJp3oGZ2gmyFnA8jXGzDtsb+ke8+qC5wanQrgIcrClbDohGechvIJU140ePZID6+hZR"
	"llJNqeLMiezGMInht/INo1k8i7m+xPhwU1NMPhufHs9jX4VL/yApRLwYsP1ArFk9p7GtOxB+dmJtoOR+pSzxrZWT0SEPoiEhsX7i"
	"Ft2BDwtKM0DJjAvGfNRJJ0K/aHrvBylLI2PL959n3PXIamV4CYe9zQOZTW9WjOzUpDuIqN7qEM33walhIgUfjCNy6oGJXXpQxxlt"
	"DlctBJnpwRCvrdtqs1pxlUARpAfpBWIhaYtDssK3wBuL6Dyg7TOJrgORTdrahv3WRrt5zMcAKSpM9hNo09a3Hvatk8D7tToBVyag"
	"p5MqhQZ+RHW8DMxXjuqNuFz4jrkB9QiZHPm39uiiR7o1eVRvbHBFh2qCiBh4dVbGNr6XigFHnU9KC9y/Us5OfmA4sd7iRXeb6kZF"
	"rdbbOeTa7N0lKBIld160FNQV95tqv9vt4gjC467zIpgyaNfxFCam5yvBX/8n4S8pMIIBQQYJKoZIhvcNAQcBoIIBMgSCAS4wggEq"
	"MIIBJgYLKoZIhvcNAQwKAQKgge8wgewwVwYJKoZIhvcNAQUNMEowKQYJKoZIhvcNAQUMMBwECEEOBBNgsnC0AgIIADAMBggqhkiG"
	"9w0CCQUAMB0GCWCGSAFlAwQBKgQQmptrTy5LsisqgDdWLZp/9QSBkGbFWBkC8nr+C5tG5XlZC5TdtWnlKEeoIeGLpIEGLxEXxWyW"
	"+u6/EV/P6+v3BpEjZEkjRlEs4Ks5/d7IIoJDcrA9NQ6XQYr8rQm+CVUbp3nP8e86VT2uqMUjmibO+TyUdzLrDhUsZjmqGiTW7sy6"
	"oTF5Jd9OBYz57+FjqydwV9SUUHqU8XzE7eDB83xtLzvr3DElMCMGCSqGSIb3DQEJFTEWBBS7EH7ESxQh4AoUxFcyNtzxnHjHpTBB"
	"MDEwDQYJYIZIAWUDBAIBBQAEIFwnZAC2YSDP5GCgyMwQIQWyeBxIXauSt26L0NtkJRROBAhuUeLsXcW84wICCAA=";
static const char pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBejCCASGgAwIBAgIUZste0vP6W+i5Be62htJ0UXNChhcwCgYIKoZIzj0EAwIw\n"
	"EjEQMA4GA1UEAwwHcGFydG5lcjAgFw0yNjExMjIwMDI4NTRaGA8yMTI2MTAyOTAw\n"
	"Mjg1NFowEjEQMA4GA1UEAwwHcGFydG5lcjBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
	"A0IABDDQ7mbjEhtNda5rsI68V2mxFbumXLliLaZZ7DSoTqtFQOeKzCpo+JPVfqfF\n"
	"7A3byzh/B89qkErIkKnQ/LDy1ImjUzBRMB0GA1UdDgQWBBQXOUYwc+9Xg2mbA7k2\n"
	"Y9BRZoUtqzAfBgNVHSMEGDAWgBQXOUYwc+9Xg2mbA7k2Y9BRZoUtqzAPBgNVHRMB\n"
	"Af8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIGfPdPUrUQViKVL2ukRa8NL4Curf\n"
	"L9aIyzF4gMPeXZjyAiA31vf5xwQMN3wArgLqV6oxFvZMg7i9t8eVEHrzOLkYFw==\n"
	"-----END CERTIFICATE-----\n";

static struct str escaped(struct arena *a, const char *text)
{
	return uri_encode(a, str_of(text), URI_KEEP_UNRESERVED);
}

static void rules(void **state)
{
	static const struct {
		const char *label, *form;
		int status;
		const char *want;                /* the rule; or what the page shows */
	} rows[] = {
		{ "one method", "&/rule/0/0/method=key", 303, "{\"anyOf\":[{\"method\":\"key\"}]}" },
		{ "any of two groups, all of two methods",
		  "&/rule/0/0/method=key&/rule/1/0/method=jwt&/rule/1/0/with=issuer: https://login.example%0D%0Aaudience: [a, b]&/rule/1/1/method=cert&/rule/1/1/with=ca: [partner]",
		  303,
		  "{\"anyOf\":[{\"method\":\"key\"},{\"allOf\":[{\"method\":\"jwt\",\"issuer\":\"https://login.example\",\"audience\":[\"a\",\"b\"]},"
		  "{\"method\":\"cert\",\"ca\":[\"partner\"]}]}]}" },
		{ "rows that are left empty are left out", "&/rule/0/0/method=&/rule/0/0/with=&/rule/2/3/method=anonymous&/rule/2/4/method=", 303,
		  "{\"anyOf\":[{\"method\":\"anonymous\"}]}" },
		{ "what else a rule says", "&/rule/0/0/method=key&/rule.rest=profile: anypoint%0A", 303,
		  "{\"anyOf\":[{\"method\":\"key\"}],\"profile\":\"anypoint\"}" },
		{ "an authority that is not there", "&/rule/0/0/method=cert&/rule/0/0/with=ca: nobody", 422, "there is no certificate &#39;nobody&#39;" },
		{ "nothing", "", 422, "Rule" },
		{ "a parameter that the method does not have", "&/rule/0/0/method=key&/rule/0/0/with=issuer: https://login.example", 422, "anyOf[0]" },
		{ "no YAML is shown again", "&/rule/0/0/method=jwt&/rule/0/0/with=issuer: [https://login", 422, "issuer: [https://login</textarea>" },
		{ "nor in the rest", "&/rule/0/0/method=key&/rule.rest=profile: {a", 422, "profile: {a</textarea>" },
		{ "parameters without a method", "&/rule/0/0/with=issuer: https://login.example", 422, "issuer: https://login.example</textarea>" },
	};
	struct client c = { .site = *state };
	const struct resource_kind *k = resource_kind_find(STR("access-rule"));
	struct arena *a = arena_new(1 << 22);
	struct resource_name *uses;
	struct gh_err err;
	json_t *doc;
	size_t n;

	client_session(&c, "administrator");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str mark = STR(""), id = STR("");
		struct str form;

		must(resource_read(c.site->store, a, k, STR("api:orders"), &doc, &err), &err);
		if (doc) {
			mark = uri_encode(a, resource_etag(a, doc), URI_KEEP_UNRESERVED);
			id = STR("&id=api:orders");
		}
		CHECK_INT(rows[i].label, client_send(&c, "GET", "/admin/edit/access-rules", NULL), 200);
		form = arena_printf(a, "csrf=%s&action=save&/id=api:orders%.*s&mark=%.*s%s", client_token(&c), STR_ARG(id), STR_ARG(mark), rows[i].form);
		CHECK_INT(rows[i].label, client_send(&c, "POST", "/admin/edit/access-rules", form.p), rows[i].status);
		if (rows[i].status != 303) {
			CHECK(rows[i].label, client_shows(&c, rows[i].want));
			continue;
		}
		must(resource_read(c.site->store, a, k, STR("api:orders"), &doc, &err), &err);
		CHECK_STR(rows[i].label, jsn_text(a, jsn_get(doc, "rule"), 0), str_of(rows[i].want));
		must(resource_uses(c.site->store, a, resource_kind_find(STR("certificate")), STR("partner"), 10, &uses, &n, &err), &err);
		CHECK_INT(rows[i].label, n, str_find(str_of(rows[i].want), STR("partner")) != SIZE_MAX);
	}
	client_end(&c);
	arena_free(a);
	check_done();
}

static void certificates(void **state)
{
	const struct resource_kind *k = resource_kind_find(STR("certificate"));
	struct client c = { .site = *state };
	struct arena *a = arena_new(1 << 22);
	const struct {
		const char *label, *id;
		struct str form;
		int status;
		const char *shows;
	} rows[] = {
		{ "an archive", "partner", arena_printf(a, "&/archive=%.*s&/password=open-sesame", STR_ARG(escaped(a, archive))), 303, "" },
		{ "a wrong password", "x", arena_printf(a, "&/archive=%.*s&/password=x", STR_ARG(escaped(a, archive))), 422, "the password does not open it" },
		{ "no password", "x", arena_printf(a, "&/archive=%.*s", STR_ARG(escaped(a, archive))), 422, "it needs a password" },
		{ "no archive", "x", STR("&/archive=aGVsbG8="), 422, "no PKCS#12 archive" },
		{ "no base64", "x", STR("&/archive=%25%25"), 422, "is no base64" },
		{ "nothing", "x", STR(""), 422, "is required" },
		{ "as text", "plain", arena_printf(a, "&/certificate=%.*s", STR_ARG(escaped(a, pem))), 303, "" },
	};
	struct gh_err err;
	struct str part;
	json_t *doc;

	client_session(&c, "administrator");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str form;

		CHECK_INT(rows[i].label, client_send(&c, "GET", "/admin/edit/certificates", NULL), 200);
		form = arena_printf(a, "csrf=%s&action=save&/id=%s%.*s", client_token(&c), rows[i].id, STR_ARG(rows[i].form));
		CHECK_INT(rows[i].label, client_send(&c, "POST", "/admin/edit/certificates", form.p), rows[i].status);
		CHECK(rows[i].label, client_shows(&c, rows[i].shows));
	}
	must(resource_read(c.site->store, a, k, STR("partner"), &doc, &err), &err);
	CHECK_STR("subject", jsn_str(doc, "subject"), STR("/CN=partner"));
	CHECK("its key is sealed", jsn_bool(jsn_get(doc, "key"), "sealed", false));
	CHECK("the archive is not kept", json_is_null(jsn_get(doc, "archive")) && json_is_null(jsn_get(doc, "password")));
	client_send(&c, "GET", "/admin/certificates", NULL);
	CHECK("when it ends", client_shows(&c, "tag-due-good"));
	client_send(&c, "GET", "/admin/edit/certificates?id=partner", NULL);
	CHECK("nothing of the key", !client_shows(&c, "PRIVATE"));
	part = arena_printf(a, "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n%s\r\n--b\r\nContent-Disposition: form-data; name=\"/id\"\r\n\r\nfile\r\n"
			    "--b\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\nsave\r\n--b\r\nContent-Disposition: form-data; name=\"/certificate.file\"; "
			    "filename=\"c.pem\"\r\nContent-Type: application/x-x509-ca-cert\r\n\r\n%s\r\n--b--\r\n", client_token(&c), pem);
	c.type = "multipart/form-data; boundary=b";
	CHECK_INT("a file", client_send(&c, "POST", "/admin/edit/certificates", part.p), 303);
	must(resource_read(c.site->store, a, k, STR("file"), &doc, &err), &err);
	CHECK_STR("as it was sent", jsn_str(doc, "certificate"), str_of(pem));
	client_end(&c);
	arena_free(a);
	check_done();
}

/* Objects without a table are written as YAML, and shown as such. */
static void settings(void **state)
{
	const struct resource_kind *k = resource_kind_find(STR("logger"));
	struct client c = { .site = *state };
	struct arena *a = arena_new(1 << 20);
	struct gh_err err;
	char form[600];
	json_t *doc;

	client_session(&c, "administrator");
	client_send(&c, "GET", "/admin/edit/loggers", NULL);
	CHECK("what it may hold", client_shows(&c, "What it may hold") && client_shows(&c, "<code>timeoutMs</code>"));
	snprintf(form, sizeof(form), "csrf=%s&action=save&/id=hub&/kind=http&/settings=url: https://log.example/%%0AtimeoutMs: 500", client_token(&c));
	CHECK_INT("saved", client_send(&c, "POST", "/admin/edit/loggers", form), 303);
	must(resource_read(c.site->store, a, k, STR("hub"), &doc, &err), &err);
	CHECK_STR("settings", jsn_text(a, jsn_get(doc, "settings"), JSN_SORTED), STR("{\"timeoutMs\":500,\"url\":\"https://log.example/\"}"));
	client_send(&c, "GET", "/admin/edit/loggers?id=hub", NULL);
	CHECK("shown as YAML", client_shows(&c, "\nurl: https://log.example/\ntimeoutMs: 500</textarea>"));
	snprintf(form, sizeof(form), "csrf=%s&action=save&/id=hub2&/kind=http&/settings=url", client_token(&c));
	CHECK_INT("a text", client_send(&c, "POST", "/admin/edit/loggers", form), 422);
	CHECK("is shown again", client_shows(&c, "\nurl</textarea>") && client_shows(&c, "must be an object"));
	client_send(&c, "GET", "/admin/edit/credentials", NULL);
	CHECK("what a credential needs", client_shows(&c, "<code>token-url</code> <span class=\"soft small\">required"));
	client_end(&c);
	arena_free(a);
	check_done();
}

/* What the gateways and the keeper know of a backend stands on its page, and on that of its pool. */
static void backends_now(void **state)
{
	static const char breaker[] = "{\"rules\":[{\"name\":\"r\",\"tripDuration\":\"PT1H\",\"failureCondition\":{\"count\":1,\"interval\":\"PT1M\"}}]}";
	const struct resource_kind *k = resource_kind_find(STR("backend"));
	struct client c = { .site = *state };
	struct arena *a = arena_new(1 << 20);
	struct backend_states *states;
	struct resource_change *change;
	struct breaker_rule rule;
	struct gh_err err;
	char path[200];
	json_t *doc;

	must(resource_begin(c.site->store, a, STR("test"), &change, &err), &err);
	doc = jsn_keep(a, json_pack("{s:s, s:s, s:o}", "id", "far", "url", "http://far.example/", "breaker", json_loads(breaker, 0, NULL)));
	must(resource_write(change, k, STR_NULL, doc, RESOURCE_CREATE, NULL, &err), &err);
	doc = jsn_keep(a, json_pack("{s:s, s:[{s:s}]}", "id", "near", "members", "backend", "far"));
	must(resource_write(change, k, STR_NULL, doc, RESOURCE_CREATE, NULL, &err), &err);
	must(resource_end(change, GH_RC_OK, false, &err), &err);
	client_session(&c, "administrator");
	CHECK_INT("before a gateway ran", client_send(&c, "GET", "/admin/edit/backends?id=far", NULL), 200);
	CHECK("closed", client_shows(&c, "status-good\">Breaker closed"));
	snprintf(path, sizeof(path), "%s/backends", directory);
	must(backend_states_open(path, true, &states, &err), &err);
	must(breaker_rule_parse(str_of(breaker), &rule, &err), &err);
	CHECK("opens", breaker_tell(backend_slot(states, backend_state_key(STR("far")), clock_mono_us()), &rule, true, false, 0, clock_mono_us()));
	backend_states_close(states);
	client_send(&c, "GET", "/admin/edit/backends?id=far", NULL);
	CHECK("open", client_shows(&c, "status-bad\">Breaker open, ") && client_shows(&c, "1 since the start"));
	client_send(&c, "GET", "/admin/edit/backends?id=near", NULL);
	(void)unlink(path);
	CHECK("of the pool's member", client_shows(&c, "edit/backends?id=far\">far</a>") && client_shows(&c, "Breaker open, "));
	client_end(&c);
	arena_free(a);
	check_done();
}

/* What is no OpenAPI document becomes one; the page says what became of its parts. */
static void imports(void **state)
{
	static const struct {
		const char *id, *file;
	} rows[] = {
		{ "by-wsdl", "tests/golden/import/wsdl-orders/input.wsdl" },
		{ "by-har", "tests/golden/import/har-orders/input.har" },
		{ "by-postman", "tests/golden/import/postman-shop/input.postman" },
	};
	struct client c = { .site = *state };
	const struct resource_kind *k = resource_kind_find(STR("api")), *descriptions = resource_kind_find(STR("api-description"));
	struct arena *a = arena_new(16 << 20);
	struct gh_err err;
	json_t *doc;

	client_session(&c, "administrator");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str text, form;

		must(file_read(a, rows[i].file, 1 << 20, &text, &err), &err);
		client_send(&c, "GET", "/admin/new-api", NULL);
		form = arena_printf(a, "csrf=%s&id=%s&path=%s&environment=default&description=%.*s", client_token(&c), rows[i].id, rows[i].id,
				    STR_ARG(uri_encode(a, text, URI_KEEP_UNRESERVED)));
		CHECK_INT(rows[i].id, client_send(&c, "POST", "/admin/new-api", form.p), 200);
		CHECK(rows[i].id, client_shows(&c, "What became of each part") && client_shows(&c, "Taken over"));
		must(resource_read(c.site->store, a, k, str_of(rows[i].id), &doc, &err), &err);
		CHECK(rows[i].id, doc && jsn_str(doc, "name").n && jsn_str(doc, "backendUrl").n);
		must(resource_read(c.site->store, a, descriptions, str_of(rows[i].id), &doc, &err), &err);
		CHECK(rows[i].id, doc && str_find(jsn_str(doc, "document"), STR("openapi")) != SIZE_MAX);
	}
	client_send(&c, "GET", "/admin/new-api", NULL);
	CHECK_INT("a broken one", client_send(&c, "POST", "/admin/new-api", arena_printf(a, "csrf=%s&id=x&description=%%3Cdefinitions", client_token(&c)).p), 422);
	CHECK("says where", client_shows(&c, "Line 1") && client_shows(&c, "&lt;definitions</textarea>"));
	client_end(&c);
	arena_free(a);
	check_done();
}

/* What forms and lists call things. */
static void words(void **state)
{
	static const struct {
		const char *path, *says, *not;
	} rows[] = {
		{ "/admin/edit/signing-keys", ">ES256</option>", ">Es256<" }, { "/admin/edit/signing-keys", "empty: it goes on", "null" },
		{ "/admin/edit/credentials", ">Client-credentials</option>", ">client-credentials</option>" },
		{ "/admin/terms-of-use", "<h1>Terms of use</h1>", "New terms of use" }, { "/admin/roles", "New role", "Roless" },
		{ "/admin/edit/terms-of-use", ">Terms of use</a>", "Terms of uses" }, { "/admin/edit/sign-ins", ">Sign-in before APIs</a>", "an APIs" },
		{ "/admin/edit/machine-tokens", "<option value=\"analyst\"", "name=\"/role\" value" },
	};
	struct client c = { .site = *state };

	client_session(&c, "administrator");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].path, client_send(&c, "GET", rows[i].path, NULL), 200);
		CHECK(rows[i].says, client_shows(&c, rows[i].says));
		CHECK(rows[i].not, !client_shows(&c, rows[i].not));
	}
	client_end(&c);
	check_done();
}

/* What another gateway has is shown with the report, then taken over as a whole. */
static void installations(void **state)
{
	static const struct {
		const char *label, *file, *id, *says[3], *kind, *makes;
	} rows[] = {
		{ "decK", "tests/golden/import/kong-shop/input.kong", "", { "What becomes of each part", "route search", "Not possible" }, "api", "search" },
		{ "API Gateway", "tests/golden/import/aws-orders/input.aws", "mine", { "authorizer", "operation mine/", "Approximated" }, "operation", "mine/getorder" },
	};
	struct client c = { .site = *state };
	struct arena *a = arena_new(32 << 20);
	struct gh_err err;
	json_t *doc;

	client_session(&c, "administrator");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct resource_kind *k = resource_kind_find(str_of(rows[i].kind));
		struct str text;

		must(file_read(a, rows[i].file, 1 << 20, &text, &err), &err);
		client_send(&c, "GET", "/admin/new-api", NULL);
		CHECK_INT(rows[i].label, client_send(&c, "POST", "/admin/new-api", arena_printf(a, "csrf=%s&environment=default&id=%s&path=%s-there&description=%.*s", client_token(&c), rows[i].id,
			  rows[i].id, STR_ARG(uri_encode(a, text, URI_KEEP_UNRESERVED))).p), 200);
		for (size_t x = 0; x < ARRAY_LEN(rows[i].says); x++)
			CHECK(rows[i].says[x], client_shows(&c, rows[i].says[x]));
		must(resource_read(c.site->store, a, k, str_of(rows[i].makes), &doc, &err), &err);
		CHECK(rows[i].label, doc == NULL);
		CHECK_INT(rows[i].label, client_send(&c, "POST", "/admin/import-api", arena_printf(a, "csrf=%s&environment=default&id=%s&path=%s-there&zip=%.*s", client_token(&c), rows[i].id,
			  rows[i].id, STR_ARG(uri_encode(a, crypto_base64(a, text), URI_KEEP_UNRESERVED))).p), 303);
		must(resource_read(c.site->store, a, k, str_of(rows[i].makes), &doc, &err), &err);
		CHECK(rows[i].label, doc != NULL);
	}
	client_send(&c, "GET", "/admin/new-api", NULL);
	CHECK_INT("one that is broken", client_send(&c, "POST", "/admin/new-api", arena_printf(a, "csrf=%s&environment=default&description=%s", client_token(&c),
		  "_format_version: \"3.0\"%0Aservices: [").p), 422);
	CHECK("says where, and keeps the text", client_shows(&c, "Line 3, column") && client_shows(&c, "services: [</textarea>"));
	client_end(&c);
	arena_free(a);
	check_done();
}

/* An archive of an API takes nothing away, whatever its head covers: so it asks for the right to what it holds, and no other. */
static void archive_keeps(void **state)
{
	static const struct {
		const char *role, *kinds;
	} rows[] = { { "publisher", "" }, { "publisher", "named-values" }, { "administrator", "named-values" } };
	struct store_named_value kept = { .id = STR("kept"), .value = STR("v") };
	struct client c = { .site = *state };
	struct arena *a = arena_new(32 << 20);
	struct gh_err err;
	bool found;

	must(store_tx_begin(c.site->store, STR("test"), &err), &err);
	must(store_tx_end(c.site->store, store_named_value_set(c.site->store, &kept, &err), &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str zip, head = arena_printf(a, "$kind: configuration\nformat: %d\nkinds: [%s]\n", FILES_FORMAT, rows[i].kinds);
		struct tree t;

		tree_init(&t, a);
		must(tree_add(&t, STR(FILES_HEAD), head, &err), &err);
		must(tree_add(&t, STR("apis/archived/api.yaml"), STR("$kind: api\nid: archived\nname: Archived\npath: archived\nbackendUrl: http://127.0.0.1:9\n"), &err), &err);
		must(tree_finish(&t, &err), &err);
		must(tree_to_zip(&t, &zip, &err), &err);
		client_session(&c, rows[i].role);
		client_send(&c, "GET", "/admin/new-api", NULL);
		CHECK_INT(rows[i].kinds, client_send(&c, "POST", "/admin/import-api", arena_printf(a, "csrf=%s&environment=default&zip=%.*s", client_token(&c),
			  STR_ARG(uri_encode(a, crypto_base64(a, zip), URI_KEEP_UNRESERVED))).p), 303);
	}
	must(store_named_value_find(c.site->store, a, kept.id, false, &kept, &found, &err), &err);
	CHECK("what the head covers stays", found);
	client_end(&c);
	arena_free(a);
	check_done();
}

/* A policy as a form: its fields come from its table, it goes into the text and nothing is saved. */
static void policy_forms(void **state)
{
	static const struct {
		const char *label, *query;       /* of the form, behind csrf and scope */
		int status;
		const char *says[3];
	} rows[] = {
		{ "the form of a new one", "action=new&element=rate-limit&section=inbound", 200, { "renewal-period", "name=\"f/@calls\"", "Put it into the text" } },
		{ "choices of the table", "action=new&element=set-header&section=outbound", 200, { "exists-action", "name=\"f/value.0/text\"", "override" } },
		{ "children in children", "action=new&element=cors&section=inbound", 200, { "f/allowed-origins.0/origin.0/text", "allow-credentials", NULL } },
		{ "no such policy", "action=new&element=nothing&section=inbound", 422, { "Choose a policy and a section", NULL, NULL } },
		{ "no such section", "action=new&element=cors&section=sideways", 422, { "Choose a policy and a section", NULL, NULL } },
		{ "into the section", "action=put&element=rate-limit&section=inbound&f/%40calls=7&f/%40renewal-period=60", 200,
		  { "\t\t&lt;rate-limit calls=&quot;7&quot; renewal-period=&quot;60&quot; /&gt;\n\t&lt;/inbound&gt;", "What changes", "not documented for the global scope" } },
		{ "a section that is not there", "action=put&element=set-header&section=outbound&f/%40name=X-A&f/value.1/text=%3Cb%20%26%3E", 200,
		  { "\t&lt;outbound&gt;\n\t\t&lt;set-header name=&quot;X-A&quot;&gt;\n\t\t\t&lt;value&gt;&amp;lt;b &amp;amp;&gt;&lt;/value&gt;\n\t\t&lt;/set-header&gt;\n\t&lt;/outbound&gt;", NULL, NULL } },
		{ "an expression as it is", "action=put&element=set-header&section=inbound&f/%40name=X-A&f/value.0/text=%40(1%20%3C%202%20%3F%20%22a%22%20%3A%20%22b%22)", 200,
		  { "&lt;value&gt;@(1 &lt; 2 ? &quot;a&quot; : &quot;b&quot;)&lt;/value&gt;", NULL, NULL } },
		{ "what is required is missed beside its field", "action=put&element=rate-limit&section=inbound&f/%40calls=7", 422, { "renewal-period is required", "value=\"7\"", NULL } },
		{ "a number", "action=put&element=rate-limit&section=inbound&f/%40calls=many&f/%40renewal-period=60", 422, { "value=\"many\"", "aria-invalid", NULL } },
		{ "one that stands", "action=change&at=0:set-header", 200, { "value=\"X-Old\"", "Change it in the text", "value=\"one\"" } },
		{ "in its place", "action=put&at=0:set-header&f/%40name=X-New&f/value.0/text=two", 200,
		  { "\t\t&lt;set-header name=&quot;X-New&quot;&gt;\n\t\t\t&lt;value&gt;two&lt;/value&gt;\n\t\t&lt;/set-header&gt;\n\t\t&lt;!-- kept --&gt;", NULL, NULL } },
		{ "of a text that has changed", "action=change&at=0:cors", 422, { "The text has changed since", NULL, NULL } },
		{ "with comments", "action=change&at=1:set-header", 422, { "a form would lose", NULL, NULL } },
		{ "with code in several lines", "action=change&at=2:set-header", 422, { "a form would lose", NULL, NULL } },
	};
	static const char text[] = "%3Cpolicies%3E%0A%09%3Cinbound%3E%0A%09%09%3Cbase /%3E%0A%09%09%3Cset-header name=\"X-Old\"%3E%3Cvalue%3Eone%3C/value%3E%3C/set-header%3E%0A"
				   "%09%09%3C!-- kept --%3E%0A%09%09%3Cset-header name=\"X-C\"%3E%3C!-- no --%3E%3Cvalue%3Ec%3C/value%3E%3C/set-header%3E%0A"
				   "%09%09%3Cset-header name=\"X-D\"%3E%3Cvalue%3E%40{%0A// why%0Areturn \"d\"%3B }%3C/value%3E%3C/set-header%3E%0A%09%3C/inbound%3E%0A%3C/policies%3E";
	struct client c = { .site = *state };
	struct arena *a = arena_new(16 << 20);
	size_t offered = 0;

	client_session(&c, "administrator");
	CHECK_INT("editor", client_send(&c, "GET", "/admin/policies/edit?scope=global", NULL), 200);
	CHECK("offers forms", client_shows(&c, "Fill in a form") && client_shows(&c, "<option>validate-jwt</option>") && !client_shows(&c, "<option>choose</option>"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str form;

		client_send(&c, "GET", "/admin/policies/edit?scope=global", NULL);
		form = arena_printf(a, "csrf=%s&scope=global&base=x&text=%s&%s", client_token(&c), text, rows[i].query);
		CHECK_INT(rows[i].label, client_send(&c, "POST", "/admin/policies/form", form.p), rows[i].status);
		for (size_t k = 0; k < ARRAY_LEN(rows[i].says) && rows[i].says[k]; k++)
			CHECK(rows[i].label, client_shows(&c, rows[i].says[k]));
	}
	for (size_t i = 0; policy_types[i]; i++) {
		const char *name = policy_types[i]->schema->name;
		int status = client_send(&c, "POST", "/admin/policies/form", arena_printf(a, "csrf=%s&scope=global&text=%s&action=new&section=inbound&element=%s",
					 client_token(&c), text, name).p);

		/* one that holds policies or markup has none; every other one has room */
		CHECK(name, status == 200 || (status == 422 && client_shows(&c, "Choose a policy and a section")));
		offered += status == 200;
	}
	CHECK("most have a form", offered > 40);
	client_end(&c);
	arena_free(a);
	check_done();
}

/* Whoever may make an API must not look around behind the dashboard: nothing is connected to, however the address is written. */
static void only_the_open_internet(void **state)
{
	static const char *const addresses[] = {
		"http://127.0.0.1:1/", "http://localhost:1/", "http://0.0.0.0:1/", "http://2130706433:1/", "http://0x7f.1:1/", "http://0177.0.0.1:1/",
		"http://10.0.0.1/", "http://172.31.255.255/", "http://192.168.0.1/", "http://100.64.0.1/", "http://169.254.169.254/latest/meta-data",
		"http://224.0.0.1/", "http://255.255.255.255/", "https://[::1]:1/", "http://[::]:1/", "http://[::ffff:127.0.0.1]:1/",
		"http://[::ffff:a00:1]/", "http://[::127.0.0.1]:1/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[2001:0:7f00:1::]/",
		"http://[fc00::1]/", "http://[fd12:3456::1]/", "http://[fe80::1]/", "http://[fec0::1]/", "http://[ff02::1]/",
	};
	struct client c = { .site = *state };
	struct arena *a = arena_new(1 << 20);

	client_session(&c, "administrator");
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct str address = uri_encode(a, str_of(addresses[i]), URI_KEEP_UNRESERVED);

		client_send(&c, "GET", "/admin/new-api", NULL);
		CHECK_INT(addresses[i], client_send(&c, "POST", "/admin/new-api", arena_printf(a, "csrf=%s&environment=default&address=%.*s", client_token(&c),
			  STR_ARG(address)).p), 422);
		CHECK(addresses[i], client_shows(&c, "leads to this machine or into a private network"));
		CHECK(addresses[i], client_shows(&c, arena_printf(a, "value=\"%s\"", addresses[i]).p));
	}
	client_end(&c);
	arena_free(a);
	check_done();
}

/* A row is left out when it holds nothing but what an empty row shows. With anything else in it, what is missing is said and what
 * was typed is shown again; to be rid of a row there is a box. */
static void rows_in_part(void **state)
{
	static const struct {
		const char *label, *kind, *form;
		int status;
		const char *part, *want;         /* of the document; of the page where it is NULL */
	} rows[] = {
		{ "all as it was shown", "traffic-rules", "&/canary/backend=&/canary/percent=0&/canary/rollBack/against=limit&/canary/rollBack/minimumCalls=20"
		  "&/mirror/percent=100&/mirror/methods=GET%0D%0AHEAD&/mirror/maxBodyBytes=65536&/faults/0/percent=50&/faults/0/delayMs=9", 303, "canary", "null" },
		{ "a mirror that was shown only", "traffic-rules", "&/faults/0/percent=50&/faults/0/delayMs=9&/mirror/percent=100", 303, "mirror", "null" },
		{ "a canary without a backend", "traffic-rules", "&/canary/percent=7", 422, NULL, "name=\"/canary/percent\" value=\"7\"" },
		{ "only its header", "traffic-rules", "&/canary/header=X-Try", 422, NULL, "name=\"/canary/header\" value=\"X-Try\"" },
		{ "only its subscriptions", "traffic-rules", "&/canary/subscriptions=gold", 422, NULL, "\ngold</textarea>" },
		{ "only what is in it", "traffic-rules", "&/canary/rollBack/errorPercent=5", 422, NULL, "name=\"/canary/rollBack/errorPercent\" value=\"5\"" },
		{ "a mirror without a backend", "traffic-rules", "&/mirror/methods=POST", 422, NULL, "\nPOST</textarea>" },
		{ "only a box of it", "traffic-rules", "&/mirror/credentials=yes", 422, NULL, "name=\"/mirror/credentials\" value=\"yes\" checked" },
		{ "what is missing stands at its field", "traffic-rules", "&/mirror/maxInFlight=9", 422, NULL, "id=\"f/mirror/backend\" name=\"/mirror/backend\" aria-invalid" },
		{ "a fault without a share", "traffic-rules", "&/faults/1/abortStatus=503", 422, NULL, "value=\"503\"" },
		{ "a member without a backend", "backends", "&/members/0/backend=near&/members/1/weight=7", 422, NULL, "value=\"7\"" },
		{ "a member as it was shown", "backends", "&/members/0/backend=near&/members/1/weight=1&/members/1/priority=1", 303, "members",
		  "[{\"backend\":\"near\",\"weight\":1,\"priority\":1}]" },
		{ "one that is taken away", "backends", "&/members/0/backend=near&/members/0.none=yes&/members/1/backend=near&/members/1/weight=3", 303, "members",
		  "[{\"backend\":\"near\",\"weight\":3,\"priority\":1}]" },
		{ "a canary that is taken away", "traffic-rules", "&/canary/backend=near&/canary/percent=7&/canary.none=yes&/faults/0/percent=50&/faults/0/delayMs=9", 303, "canary", "null" },
		{ "only the choice of a limit", "tiers", "&/limits/0/kind=quota", 422, NULL, "<option value=\"quota\" selected>" },
		{ "no limit", "tiers", "&/limits/0/kind=rate&/limits/0/algorithm=usual&/limits/1/kind=rate", 303, "limits", "[]" },
		{ "a secret is not sent back, and that is said", "named-values", "&/secret=zebra&/tags=%01", 422, NULL, "Enter it again: a secret is never sent back" },
		{ "permissions are ticked", "roles", "&/permissions=view-apis&/permissions=view-audit", 303, "permissions", "[\"view-apis\",\"view-audit\"]" },
		{ "and told what they are", "roles", "&/permissions=view-audit", 422, NULL, "name=\"/permissions\" value=\"view-audit\" checked><span>view-audit: " },
		{ "one that is none stays", "roles", "&/permissions=fly", 422, NULL, "name=\"/permissions\" value=\"fly\" checked" },
		{ "a variable without a name", "environments", "&/variables/0/value=eu-1", 422, NULL, "value=\"eu-1\"" },
	};
	static const struct {
		const char *kind, *id, *form;
	} bases[] = {
		{ "traffic-rules", "api:orders", "" }, { "backends", "some", "&/balance=round-robin" },
		{ "tiers", "some", "&/name=Some&/product=starter&/approval=auto" }, { "environments", "some", "&/name=Some&/prefix=some" },
		{ "named-values", "some", "" }, { "roles", "some", "&/name=Some" },
	};
	struct client c = { .site = *state };
	struct arena *a = arena_new(8 << 20);
	struct gh_err err;
	json_t *doc;

	client_session(&c, "administrator");
	client_send(&c, "GET", "/admin/edit/backends", NULL);
	client_send(&c, "POST", "/admin/edit/backends", arena_printf(a, "csrf=%s&action=save&/id=near&/url=http://near.example/&/balance=round-robin", client_token(&c)).p);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct resource_kind *k = resource_kind_find(str_of(rows[i].kind));
		struct str mark = STR(""), id = STR("");
		size_t b = 0;

		while (strcmp(bases[b].kind, rows[i].kind))
			b++;
		must(resource_read(c.site->store, a, k, str_of(bases[b].id), &doc, &err), &err);
		if (doc) {
			mark = uri_encode(a, resource_etag(a, doc), URI_KEEP_UNRESERVED);
			id = arena_printf(a, "&id=%s", bases[b].id);
		}
		client_send(&c, "GET", arena_printf(a, "/admin/edit/%s", rows[i].kind).p, NULL);
		CHECK_INT(rows[i].label, client_send(&c, "POST", arena_printf(a, "/admin/edit/%s", rows[i].kind).p,
			  arena_printf(a, "csrf=%s&action=save&/id=%s%.*s&mark=%.*s%s%s", client_token(&c), bases[b].id, STR_ARG(id), STR_ARG(mark), bases[b].form, rows[i].form).p), rows[i].status);
		if (!rows[i].part) {
			CHECK(rows[i].label, client_shows(&c, rows[i].want));
			continue;
		}
		must(resource_read(c.site->store, a, k, str_of(bases[b].id), &doc, &err), &err);
		CHECK_STR(rows[i].label, jsn_text(a, jsn_get(doc, rows[i].part), JSON_ENCODE_ANY), str_of(rows[i].want));
	}
	client_end(&c);
	arena_free(a);
	check_done();
}

static int up(void **state)
{
	static struct web_site site;

	fixture_make(directory);
	site_up(&site, &admin_app, directory, share);
	*state = &site;
	return 0;
}

static int down(void **state)
{
	site_down(*state);
	fixture_drop(directory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(certificates), cmocka_unit_test(rules), cmocka_unit_test(settings), cmocka_unit_test(imports), cmocka_unit_test(words), cmocka_unit_test(policy_forms),
					    cmocka_unit_test(only_the_open_internet), cmocka_unit_test(backends_now),
					    cmocka_unit_test(rows_in_part), cmocka_unit_test(installations), cmocka_unit_test(archive_keeps) };

	return cmocka_run_group_tests(tests, up, down);
}
