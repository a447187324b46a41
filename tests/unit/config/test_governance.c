/* Governance: what each function of a rule says of a value, what is told of a wrong ruleset, and what each built-in rule finds. */
#include "tests/unit/db/fixture.h"

#include "config/governance/report.h"
#include "config/resource.h"
#include "core/clock.h"
#include "core/file.h"

#define THEN(text) "rules: {r: {given: $.v, message: '{{error}}', then: " text "}}"

static void functions(void **state)
{
	static const struct {
		const char *label, *rules, *document, *want;     /* want: "POINTER MESSAGE|..." */
	} rows[] = {
		{ "truthy: there", THEN("{field: x, function: truthy}"), "{v: {x: 1}}", "" },
		{ "truthy: not there", THEN("{field: x, function: truthy}"), "{v: {}}", "/v x is missing or empty|" },
		{ "truthy: blanks are nothing", THEN("{field: x, function: truthy}"), "{v: {x: '  '}}", "/v/x x is missing or empty|" },
		{ "truthy: zero", THEN("{field: x, function: truthy}"), "{v: {x: 0}}", "/v/x x is missing or empty|" },
		{ "truthy: null", THEN("{field: x, function: truthy}"), "{v: {x: null}}", "/v/x x is missing or empty|" },
		{ "truthy: an empty list is there", THEN("{field: x, function: truthy}"), "{v: {x: []}}", "" },
		{ "falsy", THEN("{field: x, function: falsy}"), "{v: {x: true}}", "/v/x x must not be set|" },
		{ "falsy: not there", THEN("{field: x, function: falsy}"), "{v: {}}", "" },
		{ "defined: null is", THEN("{field: x, function: defined}"), "{v: {x: null}}", "" },
		{ "defined: not", THEN("{field: x, function: defined}"), "{v: {}}", "/v x is missing|" },
		{ "undefined", THEN("{field: x, function: undefined}"), "{v: {x: null}}", "/v/x x must not be there|" },
		{ "pattern: match", THEN("{field: x, function: pattern, functionOptions: {match: '^a+$'}}"), "{v: {x: aaa}}", "" },
		{ "pattern: no match", THEN("{field: x, function: pattern, functionOptions: {match: '^a+$'}}"), "{v: {x: ab}}", "/v/x x must match ^a+$|" },
		{ "pattern: between slashes", THEN("{field: x, function: pattern, functionOptions: {match: '/^a+$/'}}"), "{v: {x: ab}}",
		  "/v/x x must match ^a+$|" },
		{ "pattern: notMatch", THEN("{field: x, function: pattern, functionOptions: {notMatch: b}}"), "{v: {x: ab}}", "/v/x x must not match b|" },
		{ "pattern: only texts", THEN("{field: x, function: pattern, functionOptions: {match: '^a$'}}"), "{v: {x: 7}}", "" },
		{ "pattern: not there is fine", THEN("{field: x, function: pattern, functionOptions: {match: '^a$'}}"), "{v: {}}", "" },
		{ "length: characters", THEN("{field: x, function: length, functionOptions: {max: 3}}"), "{v: {x: äöü}}", "" },
		{ "length: one too many", THEN("{field: x, function: length, functionOptions: {max: 3}}"), "{v: {x: äöüß}}", "/v/x x must be 3 or less|" },
		{ "length: of a list", THEN("{field: x, function: length, functionOptions: {min: 2}}"), "{v: {x: [1]}}", "/v/x x must be 2 or more|" },
		{ "length: of an object", THEN("{function: length, functionOptions: {min: 2, max: 2}}"), "{v: {x: 1, y: 2}}", "" },
		{ "length: a number is itself", THEN("{field: x, function: length, functionOptions: {max: 3}}"), "{v: {x: 4}}", "/v/x x must be 3 or less|" },
		{ "enumeration", THEN("{field: x, function: enumeration, functionOptions: {values: [a, 1]}}"), "{v: {x: b}}", "/v/x x must be one of a, 1|" },
		{ "enumeration: one of them", THEN("{field: x, function: enumeration, functionOptions: {values: [a, 1]}}"), "{v: {x: 1}}", "" },
		{ "casing: camel", THEN("{field: x, function: casing, functionOptions: {type: camel}}"), "{v: {x: getOrderItems2}}", "" },
		{ "casing: not camel", THEN("{field: x, function: casing, functionOptions: {type: camel}}"), "{v: {x: get_order}}",
		  "/v/x x must be in camel case|" },
		{ "casing: pascal", THEN("{field: x, function: casing, functionOptions: {type: pascal}}"), "{v: {x: getOrder}}", "/v/x x must be in pascal case|" },
		{ "casing: kebab", THEN("{field: x, function: casing, functionOptions: {type: kebab}}"), "{v: {x: get-order}}", "" },
		{ "casing: no digits", THEN("{field: x, function: casing, functionOptions: {type: kebab, disallowDigits: true}}"), "{v: {x: get-2}}",
		  "/v/x x must be in kebab case|" },
		{ "casing: snake", THEN("{field: x, function: casing, functionOptions: {type: snake}}"), "{v: {x: get_order}}", "" },
		{ "casing: macro", THEN("{field: x, function: casing, functionOptions: {type: macro}}"), "{v: {x: Get}}", "/v/x x must be in macro case|" },
		{ "casing: with slashes", THEN("{field: x, function: casing, functionOptions: {type: kebab, separator: {char: /, allowLeading: true}}}"),
		  "{v: {x: /a-b/c}}", "" },
		{ "casing: a leading slash", THEN("{field: x, function: casing, functionOptions: {type: kebab, separator: {char: /}}}"), "{v: {x: /a/c}}",
		  "/v/x x must be in kebab case|" },
		{ "alphabetical: names", THEN("{function: alphabetical}"), "{v: {b: 1, a: 2}}", "/v v must be in alphabetical order: 'b' stands before 'a'|" },
		{ "alphabetical: keyed", THEN("{function: alphabetical, functionOptions: {keyedBy: n}}"), "{v: [{n: b}, {n: a}]}",
		  "/v v must be in alphabetical order: 'b' stands before 'a'|" },
		{ "xor: both", THEN("{function: xor, functionOptions: {properties: [a, b]}}"), "{v: {a: 1, b: 2}}", "/v v must have exactly one of a, b|" },
		{ "xor: one", THEN("{function: xor, functionOptions: {properties: [a, b]}}"), "{v: {a: 1}}", "" },
		{ "or: none", THEN("{function: or, functionOptions: {properties: [a, b]}}"), "{v: {}}", "/v v must have at least one of a, b|" },
		{ "schema", THEN("{function: schema, functionOptions: {schema: {type: object, required: [n]}}}"), "{v: {}}",
		  "/v v Required properties are missing from object: n.|" },
		{ "typedEnum", THEN("{function: typedEnum}"), "{v: {type: integer, enum: [1, x]}}", "/v v value 2 of enum is no integer|" },
		{ "typedEnum: integers are numbers", THEN("{function: typedEnum}"), "{v: {type: number, enum: [1, 1.5]}}", "" },
		{ "each name", THEN("{field: '@key', function: pattern, functionOptions: {match: '^a'}}"), "{v: {ab: 1, b/c: 2}}", "/v/b~1c b/c must match ^a|" },
		{ "a member of a member", THEN("{field: x.y, function: truthy}"), "{v: {x: {y: ''}}}", "/v/x/y x.y is missing or empty|" },
		{ "a name with a dot", THEN("{field: x.y, function: truthy}"), "{v: {x.y: 1}}", "" },
		{ "several", THEN("[{field: a, function: truthy}, {field: b, function: truthy}]"), "{v: {}}",
		  "/v a is missing or empty|/v b is missing or empty|" },
		{ "a reference is followed", THEN("{field: x, function: truthy}"), "{v: {$ref: '#/c/d'}, c: {d: {x: 1}}}", "" },
		{ "what it leads to lacks", THEN("{field: x, function: truthy}"), "{v: {$ref: '#/c/d'}, c: {d: {}}}", "/v x is missing or empty|" },
		{ "references in a circle end", THEN("{field: x, function: truthy}"), "{v: {$ref: '#/c'}, c: {$ref: '#/v'}}", "/v x is missing or empty|" },
		{ "nothing there", THEN("{field: x, function: truthy}"), "{w: 1}", "" },
		{ "two paths", "rules: {r: {given: [$.a, $.b], message: '{{path}} {{value}}', then: {function: falsy}}}", "{a: 1, b: [x, y]}", "/a a 1|/b b x, y|" },
		{ "an alias", "aliases: {V: $.v}\nrules: {r: {given: '#V.x', message: '{{property}}', then: {function: falsy}}}", "{v: {x: 1}}", "/v/x x|" },
		{ "the alias for operations", "rules: {r: {given: '#Operation', message: '{{path}}', then: {function: falsy}}}",
		  "{paths: {/a: {get: {}, parameters: [], x-y: {}}}}", "/paths/~1a/get paths./a.get|" },
		{ "a format that fits", "rules: {r: {formats: [oas3_1], given: $, message: m, then: {field: x, function: truthy}}}", "{openapi: 3.1.0}", " m|" },
		{ "another format", "rules: {r: {formats: [oas2], given: $, then: {field: x, function: truthy}}}", "{openapi: 3.1.0}", "" },
		{ "no message: what the rule is for", "rules: {r: {description: Has x, given: $, then: {field: x, function: truthy}}}", "{v: 1}",
		  " Has x: x is missing or empty|" },
		{ "JSON", THEN("{field: x, function: truthy}"), "{\"v\": {\"x\": \"\"}}", "/v/x x is missing or empty|" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(64 << 20);
		struct governance_ruleset set = { .n = 0 };
		struct governance_subject d = { .root = NULL };
		struct governance_hit *hits = NULL;
		struct text_where where;
		struct str got = STR("");
		struct gh_err err = { 0 };
		bool more = false;
		size_t n = 0;

		if (governance_ruleset_read(a, STR("t"), str_of(rows[i].rules), &set, &where, &err).code
		    || governance_description(a, str_of(rows[i].document), &d, &err).code || governance_run(a, &set.rules[0], &d, &hits, &n, &more, &err).code)
			got = str_of(err.message);
		for (size_t k = 0; k < n; k++)
			got = arena_printf(a, "%.*s%.*s %.*s|", STR_ARG(got), STR_ARG(hits[k].pointer), STR_ARG(hits[k].message));
		CHECK_STR(rows[i].label, got, str_of(rows[i].want));
		arena_free(a);
	}
	(void)state;
	check_done();
}

#define RULE(text) "name: N\nrules:\n  r:\n    given: $.a\n" text

static void wrong_rulesets(void **state)
{
	static const struct {
		const char *label, *text, *message;
		unsigned line, column;
	} rows[] = {
		{ "no YAML", "a: [", "did not find", 2, 1 },
		{ "a list", "- a", "a ruleset is an object with rules, not array", 1, 1 },
		{ "nothing", "", "a ruleset is an object with rules, not null", 1, 1 },
		{ "no rules", "name: N", "rules is required", 1, 1 },
		{ "extends", "extends: spectral:oas\nrules: {}", "leave extends out", 1, 1 },
		{ "an unknown member", "nmae: N\nrules: {}", "there is no 'nmae' here; did you mean 'name'?", 1, 1 },
		{ "a rule that is none", "rules: {r: 1}", "a rule must be an object with given and then, not integer", 1, 9 },
		{ "a name with a blank", "rules: {'a b': {}}", "the name of a rule has 1 to 100", 1, 9 },
		{ "an unknown member of a rule", RULE("    sevrity: error\n"), "there is no 'sevrity' here; did you mean 'severity'?", 5, 5 },
		{ "no then", RULE(""), "then is required", 3, 3 },
		{ "a wrong severity", RULE("    severity: high\n"), "severity must be one of error, warning, information, off", 5, 5 },
		{ "a wrong document", RULE("    document: wsdl\n"), "document must be openapi or configuration", 5, 5 },
		{ "a wrong format", RULE("    formats: [wsdl]\n"), "formats knows oas2", 5, 5 },
		{ "no given", "rules: {r: {then: {function: truthy}}}", "given is required", 1, 9 },
		{ "a path that is none", "rules:\n  r:\n    given: a.b\n", "given must be a JSONPath that begins with $", 3, 5 },
		{ "a path with a mistake", "rules:\n  r:\n    given: $.a[\n", "the JSONPath $.a[ cannot be read", 3, 5 },
		{ "the second path", "rules:\n  r:\n    given:\n      - $.a\n      - $..[?(\n", "the JSONPath $..[?( cannot be read", 5, 9 },
		{ "an alias that is not there", "rules:\n  r:\n    given: '#Nope'\n", "there is no alias '#Nope'", 3, 5 },
		{ "an alias of itself", "aliases: {A: '#A'}\nrules:\n  r:\n    given: '#A'\n", "there is no alias", 4, 5 },
		{ "no function", RULE("    then: {field: x}\n"), "function is required", 5, 5 },
		{ "an unknown function", RULE("    then: {function: truhty}\n"), "there is no function 'truhty'; did you mean 'truthy'?", 5, 12 },
		{ "an unknown option", RULE("    then: {function: length, functionOptions: {least: 1}}\n"), "length knows no option 'least'", 5, 30 },
		{ "options missing", RULE("    then: {function: pattern}\n"), "pattern needs functionOptions", 5, 5 },
		{ "a bad expression", RULE("    then: {function: pattern, functionOptions: {match: '('}}\n"), "match", 5, 49 },
		{ "flags", RULE("    then: {function: pattern, functionOptions: {match: '/a/i'}}\n"), "takes no flags", 5, 49 },
		{ "a bad schema", RULE("    then: {function: schema, functionOptions: {schema: {type: 7}}}\n"), "schema", 5, 48 },
		{ "an unknown case", RULE("    then: {function: casing, functionOptions: {type: upper}}\n"), "must be one of flat, camel", 5, 48 },
		{ "a number that is none", RULE("    then: {function: length, functionOptions: {min: x}}\n"), "must be a number", 5, 48 },
		{ "the second then", RULE("    then:\n      - {function: truthy}\n      - 7\n"), "then must be an object", 7, 9 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(64 << 20);
		struct governance_ruleset set;
		struct text_where where;
		struct gh_err err = { 0 };
		gh_rc rc = governance_ruleset_read(a, STR("t"), str_of(rows[i].text), &set, &where, &err);

		CHECK(rows[i].label, rc.code != GH_OK);
		if (str_find(str_of(err.message), str_of(rows[i].message)) == SIZE_MAX)
			CHECK_STR(rows[i].label, str_of(err.message), str_of(rows[i].message));
		CHECK_INT(rows[i].label, where.line, rows[i].line);
		CHECK_INT(rows[i].label, where.column, rows[i].column);
		arena_free(a);
	}
	(void)state;
	check_done();
}

/* A path that passes the whole document again and again gives up, and says so. */
static void bounds(void **state)
{
	struct arena *a = arena_new((size_t)1 << 30);
	struct buf b;
	struct governance_ruleset set;
	struct governance_subject d;
	struct governance_hit *hits;
	struct text_where where;
	struct gh_err err;
	bool more;
	size_t n;

	buf_init(&b, 1 << 20);
	buf_cstr(&b, "[[[[[[[[[[");
	for (int i = 0; i < 20000; i++)
		buf_fmt(&b, "%s{}", i ? "," : "");
	buf_cstr(&b, "]]]]]]]]]]");
	CHECK_INT("read", governance_ruleset_read(a, STR("t"), STR("rules: {r: {given: '$..[*]..[*]..[*]..[*]..[*]', then: {function: falsy}}}"), &set, &where, &err).code, GH_OK);
	CHECK_INT("document", governance_description(a, arena_printf(a, "{\"v\":%.*s}", STR_ARG(buf_view(&b))), &d, &err).code, GH_OK);
	CHECK_INT("run", governance_run(a, &set.rules[0], &d, &hits, &n, &more, &err).code, GH_OK);
	CHECK_INT("one", n, 1);
	CHECK_STR("says so", n ? hits[0].message : STR(""), STR("the rule cannot be run here: The path needs too much work."));
	CHECK_INT("all", governance_ruleset_read(a, STR("t"), STR("rules: {r: {given: '$..[*]', then: {function: falsy}}}"), &set, &where, &err).code, GH_OK);
	CHECK_INT("run", governance_run(a, &set.rules[0], &d, &hits, &n, &more, &err).code, GH_OK);
	CHECK_INT("no more than", n, GOVERNANCE_OF_RULE_MAX);
	CHECK("and more", more);
	buf_release(&b);
	arena_free(a);
	(void)state;
	check_done();
}

/* ---- a store -------------------------------------------------------------------------------------------------------------------- */

static void put(struct fixture *f, const char *kind, const char *id, const char *text)
{
	struct resource_change *c;
	json_t *doc = NULL;
	size_t n;
	gh_rc rc;

	CHECK_OK(f, jsn_parse_in(f->a, str_of(text), NULL, &doc, NULL, &f->err));
	CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
	rc = resource_write(c, resource_kind_find(str_of(kind)), str_of(id), doc, RESOURCE_PUT, NULL, &f->err);
	for (size_t i = 0; i < resource_problem_count(c); i++)
		fprintf(stderr, "# %s %s: %.*s %.*s\n", kind, id, STR_ARG(resource_problems(c, &n)[i].pointer), STR_ARG(resource_problems(c, &n)[i].message));
	CHECK_OK(f, resource_end(c, rc, false, &f->err));
}

#define POLICY(inbound) "{\"policy\":\"<policies><inbound>" inbound "</inbound><backend><base /></backend><outbound><base /></outbound>" \
			"<on-error><base /></on-error></policies>\"}"
#define JWT "<validate-jwt header-name=\\\"Authorization\\\"><openid-config url=\\\"https://login.example/c\\\" /></validate-jwt>"
#define LIMIT "<rate-limit-by-key calls=\\\"5\\\" renewal-period=\\\"60\\\" counter-key=\\\"@(context.Request.IpAddress)\\\" />"
#define GOOD "{\\\"openapi\\\":\\\"3.0.3\\\",\\\"info\\\":{\\\"title\\\":\\\"O\\\",\\\"version\\\":\\\"1\\\",\\\"contact\\\":{\\\"name\\\":\\\"Ann\\\"}}," \
	     "\\\"paths\\\":{\\\"/order-items/{id}\\\":{\\\"get\\\":{\\\"operationId\\\":\\\"getItem\\\",\\\"summary\\\":\\\"S\\\",\\\"parameters\\\":[{\\\"name\\\":\\\"id\\\"," \
	     "\\\"in\\\":\\\"path\\\",\\\"required\\\":true,\\\"description\\\":\\\"D\\\"}],\\\"responses\\\":{\\\"200\\\":{\\\"description\\\":\\\"ok\\\"}," \
	     "\\\"404\\\":{\\\"description\\\":\\\"no\\\"}}}}}}"
#define BAD "{\\\"openapi\\\":\\\"3.0.3\\\",\\\"info\\\":{\\\"title\\\":\\\"O\\\",\\\"version\\\":\\\"1\\\"},\\\"paths\\\":{\\\"/orderItems/\\\":{\\\"get\\\":{\\\"parameters\\\":[" \
	    "{\\\"name\\\":\\\"q\\\",\\\"in\\\":\\\"query\\\"}],\\\"responses\\\":{}},\\\"post\\\":{\\\"operationId\\\":\\\"a b\\\",\\\"responses\\\":{}}},\\\"/x?y\\\":{}},\\\"components\\\":{\\\"schemas\\\":{" \
	    "\\\"E\\\":{\\\"type\\\":\\\"object\\\",\\\"properties\\\":{\\\"s\\\":{\\\"type\\\":\\\"integer\\\",\\\"enum\\\":[\\\"x\\\"]}}}}}}"

/* One API to which no rule has anything to say, and some of which each has something. */
static void fill(struct fixture *f)
{
	put(f, "backend", "loose", "{\"url\":\"https://loose.example/\",\"verifyTls\":false,\"verifyName\":false}");
	put(f, "backend", "nameless", "{\"url\":\"https://nameless.example/\",\"verifyName\":false}");
	put(f, "environment", "sandbox", "{\"name\":\"Sandbox\",\"kind\":\"sandbox\",\"pathPrefix\":\"sandbox\"}");
	put(f, "api", "good", "{\"name\":\"Good\",\"description\":\"D\",\"path\":\"good\",\"backendUrl\":\"https://b.example/\"}");
	put(f, "operation", "good/get", "{\"name\":\"Get\",\"method\":\"GET\",\"uriTemplate\":\"/order-items/{id}\"}");
	put(f, "api-description", "good", "{\"document\":\"" GOOD "\"}");
	put(f, "policy", "api:good", POLICY("<base />" LIMIT));
	put(f, "network-rule", "api:good", "{\"httpsOnly\":true}");
	put(f, "product", "gold", "{\"name\":\"Gold\",\"apis\":[\"good\"]}");
	put(f, "api", "bad", "{\"name\":\"Bad\",\"path\":\"Bad\",\"backendUrl\":\"http://b.example/\",\"subscriptionRequired\":false,\"tags\":[\"odd\"]}");
	put(f, "operation", "bad/get", "{\"name\":\"Get\",\"method\":\"GET\",\"uriTemplate\":\"/orderItems\"}");
	put(f, "api-description", "bad", "{\"document\":\"" BAD "\"}");
	put(f, "policy", "api:bad", POLICY("<base /><cors allow-credentials=\\\"true\\\"><allowed-origins><origin>*</origin></allowed-origins></cors>"
					   "<authentication-basic username=\\\"u\\\" password=\\\"hush-hush\\\" />"));
	put(f, "api", "old", "{\"name\":\"Old\",\"path\":\"old\",\"backend\":\"loose\",\"state\":\"deprecated\",\"environment\":\"sandbox\"}");
	put(f, "policy", "api:old", POLICY("<base /><choose><when condition=\\\"@(true)\\\">" JWT "</when></choose>"
					   "<set-backend-service backend-id=\\\"nameless\\\" />"));
}

static void report(struct fixture *f, const char *api, int64_t now_us, struct governance_report *r)
{
	const struct governance_query q = { .api = str_of(api), .now_us = now_us };

	CHECK_OK(f, governance_report(f->s, f->a, &q, r, &f->err));
}

static bool found(struct fixture *f, const struct governance_report *r, const char *api, const char *rule, bool excepted)
{
	for (size_t i = 0; i < r->n_findings; i++)
		if ((!api || str_eq(r->findings[i].api_id, str_of(api))) && str_eq(governance_finding_rule(f->a, &r->findings[i]), str_of(rule))
		    && excepted == (r->findings[i].exception != NULL))
			return true;
	return false;
}

static void built_in(void **state)
{
	struct fixture *f = *state;
	struct governance_report r;

	fill(f);
	report(f, NULL, 0, &r);
	CHECK_INT("all APIs", r.n_apis, 3);
	CHECK_INT("one is clean", r.clean, 1);
	for (size_t i = 0; i < r.n_findings; i++)
		if (str_eq(r.findings[i].api_id, STR("good")))
			CHECK_STR("good", governance_finding_rule(f->a, &r.findings[i]), STR("nothing"));
	for (size_t i = 0; i < r.n_sets; i++) {
		CHECK_STR("can be read", r.sets[i].problem, STR_NULL);
		for (size_t k = 0; k < r.sets[i].ruleset.n; k++) {
			const struct governance_rule *rule = &r.sets[i].ruleset.rules[k];
			struct governance_finding one = { .set = &r.sets[i], .rule = rule };
			const char *name = arena_cstr(f->a, governance_finding_rule(f->a, &one));

			CHECK(name, rule->description.n && rule->mend.n && rule->message.n);
			CHECK(name, found(f, &r, NULL, name, false));
		}
	}
	for (size_t i = 0; i < r.n_findings; i++)
		CHECK("no secret is told", str_find(r.findings[i].message, STR("hush")) == SIZE_MAX && str_find(r.findings[i].place, STR("hush")) == SIZE_MAX);
	check_done();
}

/* docs/governance.md has each built-in rule, with its severity and what it asks. */
static void documented(void **state)
{
	struct arena *a = arena_new(64 << 20);
	struct gh_err err = { 0 };
	struct str page;

	if (file_read(a, "docs/governance.md", 1 << 20, &page, &err).code)
		CHECK_STR("page", str_of(err.message), STR(""));
	for (const struct governance_shipped *s = governance_shipped; s->id; s++) {
		struct governance_ruleset set;
		struct text_where where;

		CHECK_INT(s->id, governance_ruleset_read(a, str_of(s->id), str_of(s->text), &set, &where, &err).code, GH_OK);
		for (size_t i = 0; i < set.n; i++) {
			const struct governance_rule *r = &set.rules[i];
			struct str row = arena_printf(a, "\n| `%s/%.*s` | %s | %.*s |\n", s->id, STR_ARG(r->id), governance_severity_names[r->severity],
						      STR_ARG(r->description));

			CHECK(row.p, str_find(page, row) != SIZE_MAX);
		}
	}
	for (const char *const *f = governance_function_names; *f; f++)
		CHECK(*f, str_find(page, arena_printf(a, "`%s`", *f)) != SIZE_MAX);
	arena_free(a);
	(void)state;
	check_done();
}

/* What opens a door, and what closes it again. */
static void doors(void **state)
{
	static const struct {
		const char *label, *kind, *id, *doc;
		bool open, endless;
	} steps[] = {
		{ "no key", "api", "a", "{\"name\":\"A\",\"path\":\"a\",\"subscriptionRequired\":false}", true, true },
		{ "an access rule", "access-rule", "api:a", "{\"rule\":{\"anyOf\":[{\"method\":\"key\"}]}}", false, true },
		{ "that lets anybody in", "access-rule", "api:a", "{\"rule\":{\"anyOf\":[{\"method\":\"key\"},{\"method\":\"anonymous\"}]}}", true, true },
		{ "a token for all calls", "policy", "global", POLICY(JWT LIMIT), false, false },
		{ "an API that leaves it out", "policy", "api:a", POLICY(""), true, true },
		{ "an operation that asks", "policy", "operation:a/get", POLICY("<base />" JWT), false, true },
		{ "an environment that limits", "policy", "environment:default", POLICY("<base />" LIMIT), false, false },
		{ "an operation that asks no more", "policy", "operation:a/get", POLICY("<base />"), true, false },
		{ "a fragment", "policy-fragment", "guard", "{\"policy\":\"<fragment>" JWT "</fragment>\"}", true, false },
		{ "that is included", "policy", "api:a", POLICY("<include-fragment fragment-id=\\\"guard\\\" />"), false, false },
		{ "without it", "policy", "api:a", POLICY(""), true, false },
		{ "a rule that asks again", "access-rule", "api:a", "{\"rule\":{\"anyOf\":[{\"method\":\"key\"}]}}", false, false },
		{ "open for one operation", "access-rule", "api:a",
		  "{\"rule\":{\"anyOf\":[{\"method\":\"key\"}],\"operations\":{\"get\":{\"anyOf\":[{\"method\":\"anonymous\"}]}}}}", true, false },
	};
	struct fixture *f = *state;
	struct governance_report r;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		put(f, steps[i].kind, steps[i].id, steps[i].doc);
		if (i == 0)
			put(f, "operation", "a/get", "{\"name\":\"Get\",\"method\":\"GET\",\"uriTemplate\":\"/x\"}");
		report(f, "a", 0, &r);
		CHECK_INT(steps[i].label, found(f, &r, "a", "security/authentication", false), steps[i].open);
		CHECK_INT(steps[i].label, found(f, &r, "a", "security/limit", false), steps[i].endless);
	}
	check_done();
}

static void products(void **state)
{
	static const struct {
		const char *label, *kind, *id, *doc;
		bool open, endless;
	} steps[] = {
		{ "a key", "api", "a", "{\"name\":\"A\",\"path\":\"a\"}", false, true },
		{ "a product without keys", "product", "p", "{\"name\":\"P\",\"apis\":[\"a\"],\"subscriptionRequired\":false}", true, true },
		{ "that nobody sees", "product", "p", "{\"name\":\"P\",\"apis\":[\"a\"],\"subscriptionRequired\":false,\"state\":\"draft\"}", false, true },
		{ "that has a rule", "access-rule", "product:p", "{\"rule\":{\"anyOf\":[{\"method\":\"key\"}]}}", false, true },
		{ "with keys", "product", "p", "{\"name\":\"P\",\"apis\":[\"a\"]}", false, true },
		{ "a tier that limits", "tier", "t", "{\"product\":\"p\",\"name\":\"T\",\"limits\":[{\"kind\":\"rate\",\"calls\":5,\"seconds\":1}]}", false, false },
		{ "and one that does not", "tier", "u", "{\"product\":\"p\",\"name\":\"U\"}", false, true },
		{ "the product's policy limits", "policy", "product:p", POLICY("<base />" LIMIT), false, false },
		{ "another product without", "product", "q", "{\"name\":\"Q\",\"apis\":[\"a\"]}", false, true },
	};
	struct fixture *f = *state;
	struct governance_report r;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		put(f, steps[i].kind, steps[i].id, steps[i].doc);
		if (i == 0)
			put(f, "operation", "a/get", "{\"name\":\"Get\",\"method\":\"GET\",\"uriTemplate\":\"/x\"}");
		report(f, "a", 0, &r);
		CHECK_INT(steps[i].label, found(f, &r, "a", "security/authentication", false), steps[i].open);
		CHECK_INT(steps[i].label, found(f, &r, "a", "security/limit", false), steps[i].endless);
	}
	check_done();
}

static void exceptions(void **state)
{
	struct fixture *f = *state;
	struct governance_report r;
	int64_t ends;
	size_t errors;

	fill(f);
	report(f, "bad", 0, &r);
	errors = r.counts[GOVERNANCE_ERROR];
	CHECK("errors fail", governance_report_fails(&r, GOVERNANCE_ERROR));
	put(f, "governance-exception", "e1", "{\"api\":\"bad\",\"rule\":\"security/authentication\",\"reason\":\"open data\",\"owner\":\"ann\","
					      "\"ends\":\"2040-01-01T00:00:00Z\"}");
	put(f, "governance-exception", "e2", "{\"rule\":\"security/backend-tls\",\"reason\":\"old host\",\"owner\":\"ann\",\"ends\":\"2041-01-01T00:00:00Z\"}");
	report(f, "bad", 0, &r);
	CHECK_INT("two fewer", r.counts[GOVERNANCE_ERROR], errors - 2);
	CHECK_INT("two excepted", r.excepted, 2);
	CHECK("it is still there", found(f, &r, "bad", "security/authentication", true));
	ends = r.exceptions[0].row.ends_us;
	report(f, "bad", ends - 1, &r);
	CHECK_INT("to the last moment", r.excepted, 2);
	report(f, "bad", ends, &r);
	CHECK_INT("then it counts again", r.excepted, 1);
	CHECK("over", r.exceptions[0].over && !r.exceptions[1].over);
	report(f, "old", 0, &r);
	CHECK("not for another API", !found(f, &r, "old", "security/authentication", true));
	check_done();
}

static void own_rulesets(void **state)
{
	struct fixture *f = *state;
	struct governance_report r;

	fill(f);
	put(f, "governance-ruleset", "security", "{\"severities\":{\"authentication\":\"information\",\"backend-tls\":\"off\"}}");
	put(f, "governance-ruleset", "naming", "{\"enabled\":false}");
	put(f, "governance-ruleset", "documentation", "{\"environments\":[\"sandbox\"]}");
	put(f, "governance-ruleset", "house", "{\"name\":\"House\",\"tags\":[\"odd\"],\"rules\":\"rules:\\n  group:\\n    document: configuration\\n"
					      "    severity: error\\n    given: $.environment\\n    then: {field: host, function: truthy}\\n    message: no host\\n\"}");
	report(f, NULL, 0, &r);
	CHECK("milder", found(f, &r, "bad", "security/authentication", false));
	for (size_t i = 0; i < r.n_findings; i++)
		if (r.findings[i].rule && str_eq(r.findings[i].rule->id, STR("authentication")))
			CHECK_INT("severity", r.findings[i].severity, GOVERNANCE_INFORMATION);
	CHECK("off", !found(f, &r, "bad", "security/backend-tls", false));
	CHECK("switched off", !found(f, &r, "bad", "naming/api-path", false));
	CHECK("another environment", !found(f, &r, "bad", "documentation/api-description", false));
	CHECK("its environment", found(f, &r, "old", "documentation/api-description", false));
	CHECK("with the tag", found(f, &r, "bad", "house/group", false));
	CHECK("without the tag", !found(f, &r, "good", "house/group", false));
	check_done();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions), cmocka_unit_test(wrong_rulesets), cmocka_unit_test(bounds), cmocka_unit_test(documented), store_test(built_in), store_test(doors),
		store_test(products), store_test(exceptions), store_test(own_rulesets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
