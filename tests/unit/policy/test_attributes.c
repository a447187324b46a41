/* Every attribute of every policy and of its children, from the tables: what its page documents is read, and what is wrong is
 * refused in words that name it. The document that is changed is the example of the page, which loads as it stands. */
#include "tests/unit/check.h"

#include "core/file.h"
#include "policy/element.h"

enum { DEPTH_MAX = 6 };

struct page {
	struct arena *a;
	const char *policy;
	struct str text;             /* the example */
	unsigned checked, not_shown;
};

static void load(struct page *p, struct str text, struct policy_diags *d)
{
	const struct policy_env env = { .open_references = true };

	policy_diags_init(d, p->a);
	policy_compile(p->a, text, &(struct policy_source){ .scope = SCOPE_PRODUCT }, &env, d);
}

static bool says(const struct policy_diags *d, const char *word)
{
	for (size_t i = 0; i < d->n; i++)
		if (!d->v[i].warning && str_find(d->v[i].message, str_of(word)) != SIZE_MAX)
			return true;
	return false;
}

/* The byte behind "<name" of its first tag; SIZE_MAX: the example does not show it. */
static size_t tag(struct str text, const char *name)
{
	char open[80];
	size_t from = 0, at;

	snprintf(open, sizeof(open), "<%s", name);
	while ((at = str_find(str_from(text, from), str_of(open))) != SIZE_MAX) {
		char next;

		from += at + strlen(open);
		next = text.p[from];
		if (next == ' ' || next == '>' || next == '/' || next == '\n')
			return from;
	}
	return SIZE_MAX;
}

/* Where the value of the attribute stands in the tag that begins at `at`; false: it is not given there. */
static bool value_of(struct str text, size_t at, const char *attribute, size_t *from, size_t *to)
{
	char name[80];
	struct str rest = str_from(text, at);
	size_t found, end = str_find_char(rest, '<'), close;

	snprintf(name, sizeof(name), " %s=\"", attribute);
	found = str_find(str_first(rest, end == SIZE_MAX ? rest.n : end), str_of(name));
	if (found == SIZE_MAX)
		return false;
	*from = at + found + strlen(name);
	if (text.p[*from] == '@')                /* an expression has quotes of its own */
		return false;
	close = str_find_char(str_from(text, *from), '"');
	*to = *from + close;
	return close != SIZE_MAX;
}

static struct str changed(struct page *p, size_t from, size_t to, struct str put)
{
	return arena_join(p->a, (struct str[]){ str_first(p->text, from), put, str_from(p->text, to) }, 3);
}

static const char *sample(const struct page *p, const struct arg_schema *s)
{
	switch (s->kind) {
	case ARG_INT: return arena_printf(p->a, "%lld", (long long)(s->least ? s->least : s->most ? s->least : 1)).p;
	case ARG_BOOL: return "true";
	case ARG_REAL: return "0.5";
	case ARG_ENUM: return arena_cstr(p->a, str_first(str_of(s->choices), strcspn(s->choices, "|")));
	default: return strstr(s->name, "subject") ? "CN=x" : "x";
	}
}

static void one_attribute(struct page *p, const char *element, size_t at, const struct arg_schema *s)
{
	struct policy_diags d;
	char label[200];
	size_t from, to;

	snprintf(label, sizeof(label), "%s: %s of <%s>", p->policy, s->name, element);
	p->checked++;
	if (!value_of(p->text, at, s->name, &from, &to)) {
		if (str_find(str_first(str_from(p->text, at), 400), arena_printf(p->a, " %s=\"@", s->name)) != SIZE_MAX)
			return;
		/* given: read, or refused for a reason that names it (one of two, a reference that is not there) */
		load(p, changed(p, at, at, arena_printf(p->a, " %s=\"%s\"", s->name, sample(p, s))), &d);
		CHECK(label, d.errors == 0 || says(&d, s->name) || says(&d, element));
		CHECK(label, !says(&d, "has no attribute"));
		return;
	}
	if (s->flags & ARG_REQUIRED) {
		load(p, changed(p, from - strlen(s->name) - 3, to + 1, STR("")), &d);
		CHECK(label, d.errors > 0 && says(&d, s->name));
	}
	if (s->kind != ARG_TEXT) {
		load(p, changed(p, from, to, STR("~wrong~")), &d);
		CHECK(label, d.errors > 0 && says(&d, s->name) && says(&d, "~wrong~"));
	}
	if (s->kind == ARG_INT && (s->least || s->most)) {
		load(p, changed(p, from, to, arena_printf(p->a, "%lld", (long long)s->least - 1)), &d);
		CHECK(label, d.errors > 0 && says(&d, s->name));
		load(p, changed(p, from, to, arena_printf(p->a, "%llu", (unsigned long long)s->most + 1)), &d);
		CHECK(label, s->most == 0 || (d.errors > 0 && says(&d, s->name)));
	}
	if (!(s->flags & ARG_EXPR)) {
		load(p, changed(p, from, to, STR("@(context.Request.Method)")), &d);
		CHECK(label, d.errors > 0 && says(&d, s->name));
	}
	if (!(s->flags & ARG_EMPTY)) {
		load(p, changed(p, from, to, STR("")), &d);
		CHECK(label, d.errors > 0 && says(&d, s->name));
	}
}

static void one_element(struct page *p, const struct element_schema *e, unsigned depth)
{
	size_t at = tag(p->text, e->name);
	struct policy_diags d;

	if (at == SIZE_MAX) {
		p->not_shown++;
		return;
	}
	load(p, changed(p, at, at, STR(" no-such-attribute=\"1\"")), &d);
	CHECK(e->name, d.errors > 0 && says(&d, "no-such-attribute"));
	for (size_t i = 0; i < e->n_args; i++)
		one_attribute(p, e->name, at, &e->args[i]);
	for (size_t i = 0; i < e->n_children && depth < DEPTH_MAX; i++)
		if (e->children[i].element != e)
			one_element(p, e->children[i].element, depth + 1);
}

#define IN(policy) "<policies><inbound><base />" policy "</inbound><backend><base /></backend><outbound><base /></outbound>" \
			"<on-error><base /></on-error></policies>"
#define OUT(policy) "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base />" policy "</outbound>" \
			 "<on-error><base /></on-error></policies>"
#define CALL(name, more)                                                                                                  \
	IN("<" name " mode=\"new\"" more "><set-url>https://a.example/</set-url><set-header name=\"A\"><value>1</value></set-header>" \
	   "<authentication-certificate thumbprint=\"AB\" /></" name ">")
#define CALL_BASIC(name, more)                                                                                            \
	IN("<" name " mode=\"new\"" more "><set-url>https://a.example/</set-url><authentication-basic username=\"a\" password=\"b\" />" \
	   "<proxy url=\"http://p.example:8080\" username=\"a\" password=\"b\" /></" name ">")
#define CALL_IDENTITY(name, more)                                                                                         \
	IN("<" name " mode=\"new\"" more "><set-url>https://a.example/</set-url>"                                          \
	   "<authentication-managed-identity resource=\"r\" /></" name ">")
#define KEY "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTMyLWI="

/* What the examples of the pages leave out. */
static const struct {
	const char *policy, *text;
} further[] = {
	{ "quota", IN("<quota calls=\"9\" renewal-period=\"300\"><api name=\"a\" calls=\"5\" renewal-period=\"300\">"
		      "<operation name=\"o\" calls=\"1\" renewal-period=\"300\" /></api></quota>") },
	{ "rate-limit", IN("<rate-limit calls=\"9\" renewal-period=\"30\"><api name=\"a\" calls=\"5\" renewal-period=\"30\">"
			   "<operation name=\"o\" calls=\"1\" renewal-period=\"30\" /></api></rate-limit>") },
	{ "send-request", CALL("send-request", " response-variable-name=\"r\"") },
	{ "send-request", CALL_BASIC("send-request", " response-variable-name=\"r\"") },
	{ "send-request", CALL_IDENTITY("send-request", " response-variable-name=\"r\"") },
	{ "send-one-way-request", CALL("send-one-way-request", "") },
	{ "send-one-way-request", CALL_BASIC("send-one-way-request", "") },
	{ "send-one-way-request", CALL_IDENTITY("send-one-way-request", "") },
	{ "validate-jwt", IN("<validate-jwt header-name=\"Authorization\"><issuer-signing-keys><key id=\"k\">" KEY "</key>"
			     "</issuer-signing-keys><decryption-keys><key>" KEY "</key></decryption-keys><audiences><audience>a</audience>"
			     "</audiences><issuers><issuer>i</issuer></issuers><required-claims><claim name=\"c\" match=\"any\" "
			     "separator=\",\"><value>v</value></claim></required-claims></validate-jwt>") },
	{ "validate-azure-ad-token", IN("<validate-azure-ad-token tenant-id=\"t\" header-name=\"A\"><client-application-ids>"
			     "<application-id>a</application-id></client-application-ids><backend-application-ids><application-id>b"
			     "</application-id></backend-application-ids><audiences><audience>a</audience></audiences><required-claims>"
			     "<claim name=\"c\" match=\"all\"><value>v</value></claim></required-claims></validate-azure-ad-token>") },
	{ "validate-content", IN("<validate-content unspecified-content-type-action=\"prevent\" max-size=\"100\" "
			     "size-exceeded-action=\"detect\"><content-type-map any-content-type-value=\"application/json\" "
			     "missing-content-type-value=\"application/json\"><type from=\"text/x\" to=\"text/y\" /></content-type-map>"
			     "<content type=\"application/json\" validate-as=\"json\" action=\"ignore\" /></validate-content>") },
	{ "validate-headers", OUT("<validate-headers specified-header-action=\"ignore\" unspecified-header-action=\"prevent\">"
			     "<header name=\"A\" action=\"detect\" /></validate-headers>") },
	{ "validate-parameters", IN("<validate-parameters specified-parameter-action=\"prevent\" unspecified-parameter-action=\"ignore\">"
			     "<headers specified-parameter-action=\"ignore\" unspecified-parameter-action=\"ignore\"><parameter name=\"a\" "
			     "action=\"prevent\" /></headers><query specified-parameter-action=\"ignore\" "
			     "unspecified-parameter-action=\"ignore\" /><path specified-parameter-action=\"detect\" /></validate-parameters>") },
};

static const struct element_schema *schema_of(const char *policy)
{
	for (size_t i = 0; policy_types[i]; i++)
		if (strcmp(policy_types[i]->schema->name, policy) == 0)
			return policy_types[i]->schema;
	return NULL;
}

static void test_further(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(further); i++) {
		struct page p = { .a = arena_new(256 << 20), .policy = further[i].policy, .text = str_of(further[i].text) };
		struct policy_diags d;

		load(&p, p.text, &d);
		CHECK(further[i].policy, d.errors == 0);
		for (size_t k = 0; k < d.n && d.errors; k++)
			fprintf(stderr, "# %.*s\n", STR_ARG(d.v[k].message));
		one_element(&p, schema_of(further[i].policy), 0);
		CHECK(further[i].policy, p.checked > 2);
		arena_free(p.a);
	}
	check_done();
}

static void test_attributes(void **state)
{
	unsigned checked = 0, policies = 0;

	(void)state;
	for (size_t i = 0; policy_types[i]; i++) {
		struct page p = { .a = arena_new(256 << 20), .policy = policy_types[i]->schema->name };
		struct gh_err err;
		size_t from;

		if (!file_read(p.a, arena_printf(p.a, "docs/policies/%s.md", p.policy).p, 1 << 20, &p.text, &err).code &&
		    (from = str_find(p.text, STR("```xml\n"))) != SIZE_MAX) {
			p.text = str_from(p.text, from + strlen("```xml\n"));
			p.text = str_first(p.text, str_find(p.text, STR("```")));
			one_element(&p, policy_types[i]->schema, 0);
			policies++;
			checked += p.checked;
		}
		arena_free(p.a);
	}
	CHECK("every policy has an example", policies > 55);
	CHECK("there are attributes", checked > 280);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_attributes), cmocka_unit_test(test_further) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
