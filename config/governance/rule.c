/* rule.c - a ruleset out of its YAML. The first thing that is wrong ends the reading, with its place. */
#include "config/governance/function.h"

#include "core/str.h"
#include "core/suggest.h"
#include "core/yaml.h"

enum { NODES_MAX = 200000, DEPTH_MAX = 64, MESSAGE_MAX = 1000 };

const char *const governance_severity_names[] = { "off", "information", "warning", "error", NULL };

bool governance_severity_find(struct str name, enum governance_severity *out)
{
	static const struct {
		const char *name;
		enum governance_severity severity;
	} names[] = {
		{ "off", GOVERNANCE_OFF }, { "information", GOVERNANCE_INFORMATION }, { "warning", GOVERNANCE_WARNING }, { "error", GOVERNANCE_ERROR },
		{ "info", GOVERNANCE_INFORMATION }, { "hint", GOVERNANCE_INFORMATION }, { "warn", GOVERNANCE_WARNING },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(name, str_of(names[i].name))) {
			*out = names[i].severity;
			return true;
		}
	return false;
}

struct reader {
	struct arena *a;
	struct str text;
	struct text_where *where;
	const json_t *root, *aliases;
	struct gh_err *err;
};

/* Says that what stands at the pointer is wrong: err has the message. */
static gh_rc at(struct reader *r, struct str pointer, gh_rc rc)
{
	struct str up = pointer;

	*r->where = yaml_locate(r->text, up);
	while (!r->where->line && up.n) {                /* what is missing is told where it should stand */
		up = str_first(up, str_rfind_char(up, '/'));
		*r->where = yaml_locate(r->text, up);
	}
	return rc;
}

#define WRONG(r, pointer, ...) return at((r), (pointer), gh_err_set((r)->err, GH_E_INVALID, __FILE__, __LINE__, __VA_ARGS__))

static struct str below(struct reader *r, struct str pointer, const char *name)
{
	struct buf b;
	struct str out;

	buf_init(&b, 4096);
	buf_str(&b, pointer);
	jsn_pointer_add(&b, str_of(name));
	out = arena_dup(r->a, buf_view(&b));
	buf_release(&b);
	return out;
}

static GH_RC only(struct reader *r, const json_t *v, struct str pointer, const char *const *names)
{
	const char *name;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)v, name, member) {
		const char *meant;
		size_t i = 0;

		while (names[i] && strcmp(names[i], name) != 0)
			i++;
		if (names[i] || strncmp(name, "x-", 2) == 0)
			continue;
		meant = suggest(str_of(name), names);
		WRONG(r, below(r, pointer, name), "there is no '%.60s' here%s%s%s", name, meant ? "; did you mean '" : "", meant ? meant : "",
		      meant ? "'?" : "");
	}
	return GH_RC_OK;
}

/* A text that may be left out. */
static GH_RC text_at(struct reader *r, const json_t *v, struct str pointer, const char *name, struct str *out)
{
	const json_t *m = jsn_get(v, name);

	*out = STR_NULL;
	if (!m || json_is_null(m))
		return GH_RC_OK;
	if (!json_is_string(m) || jsn_string(m).n > MESSAGE_MAX)
		WRONG(r, below(r, pointer, name), "%s must be a text of at most %d bytes", name, MESSAGE_MAX);
	*out = arena_dup(r->a, str_trim(jsn_string(m)));
	return GH_RC_OK;
}

/* ---- given --------------------------------------------------------------------------------------------------------------------- */

/* What descriptions have by nature; aliases of the ruleset come first. */
static const struct {
	const char *name, *path;
} shipped_aliases[] = {
	{ "PathItem", "$.paths[*]" },
	{ "Operation", "$.paths[*]['get','put','post','delete','options','head','patch','trace']" },
	{ "Parameter", "$.paths..parameters[*]" },
	{ "Response", "$.paths[*]['get','put','post','delete','options','head','patch','trace'].responses[*]" },
	{ "Schema", "$.components.schemas[*]" },
};

static struct str alias_of(struct reader *r, struct str name)
{
	struct str own = jsn_string(jsn_get_n(r->aliases, name));

	if (own.n)
		return own;
	for (size_t i = 0; i < ARRAY_LEN(shipped_aliases); i++)
		if (str_eq(name, str_of(shipped_aliases[i].name)))
			return str_of(shipped_aliases[i].path);
	return STR_NULL;
}

static GH_RC path_at(struct reader *r, const json_t *v, struct str pointer, struct str *out)
{
	struct str path = str_trim(jsn_string(v));
	uint64_t steps = 1000;
	struct jt_found found;
	struct jtoken *empty;
	struct gh_err why;

	for (unsigned depth = 0; path.n && *path.p == '#'; depth++) {
		size_t n = 1;

		while (n < path.n && path.p[n] != '.' && path.p[n] != '[')
			n++;
		if (depth > 8 || !alias_of(r, (struct str){ path.p + 1, n - 1 }).p)
			WRONG(r, pointer, "there is no alias '%.*s'", STR_ARG(str_first(path, n)));
		path = arena_printf(r->a, "%.*s%.*s", STR_ARG(alias_of(r, (struct str){ path.p + 1, n - 1 })), STR_ARG(str_from(path, n)));
	}
	if (!path.n || *path.p != '$')
		WRONG(r, pointer, "given must be a JSONPath that begins with $, or an alias that begins with #");
	empty = jt_container(r->a, JT_OBJECT);
	if (!empty)
		FAIL(r->err, NOMEM, "rule");
	if (!jt_select(r->a, empty, path, &steps, &found, &why))
		WRONG(r, pointer, "the JSONPath %.*s cannot be read: %s", STR_ARG(path), why.message);
	*out = arena_dup(r->a, path);
	return GH_RC_OK;
}

static GH_RC given_at(struct reader *r, const json_t *rule, struct str pointer, struct governance_rule *out)
{
	const json_t *v = jsn_get(rule, "given");
	size_t n = json_is_array(v) ? json_array_size(v) : 1;

	pointer = below(r, pointer, "given");
	if (!v || !n || n > GOVERNANCE_PATHS_MAX)
		WRONG(r, pointer, "given is required: a JSONPath, or up to %d of them", GOVERNANCE_PATHS_MAX);
	out->given = arena_alloc(r->a, n, sizeof(*out->given));
	if (!out->given)
		FAIL(r->err, NOMEM, "rule");
	for (size_t i = 0; i < n; i++) {
		char number[24];

		snprintf(number, sizeof(number), "%zu", i);
		TRY(path_at(r, json_is_array(v) ? json_array_get(v, i) : v, json_is_array(v) ? below(r, pointer, number) : pointer, &out->given[i]));
	}
	out->n_given = n;
	return GH_RC_OK;
}

/* ---- then ---------------------------------------------------------------------------------------------------------------------- */

static GH_RC one_then(struct reader *r, const json_t *v, struct str pointer, struct governance_then *out)
{
	static const char *const names[] = { "field", "function", "functionOptions", NULL };
	struct str name = jsn_str(v, "function");
	const char *inside = "", *meant;
	struct gh_err why;
	gh_rc rc;

	if (!json_is_object(v))
		WRONG(r, pointer, "then must be an object with field and function, not %s", jsn_type_name(v));
	TRY(only(r, v, pointer, names));
	TRY(text_at(r, v, pointer, "field", &out->field));
	out->function = governance_function_find(name);
	if (!out->function) {
		meant = name.n ? suggest(name, governance_function_names) : NULL;
		WRONG(r, below(r, pointer, "function"), name.n ? "there is no function '%.*s'%s%s%s" : "function is required%.*s%s%s%s", STR_ARG(name),
		      meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
	}
	rc = governance_options(r->a, out, jsn_get(v, "functionOptions"), &inside, &why);
	if (!rc.code)
		return GH_RC_OK;
	pointer = below(r, pointer, "functionOptions");
	return at(r, arena_printf(r->a, "%.*s%s", STR_ARG(pointer), inside),
		  gh_err_set(r->err, rc.code == GH_E_NOMEM ? GH_E_NOMEM : GH_E_INVALID, __FILE__, __LINE__, "%s%s%s", *inside ? inside + 1 : "",
			     *inside ? " " : "", why.message));
}

static GH_RC then_at(struct reader *r, const json_t *rule, struct str pointer, struct governance_rule *out)
{
	const json_t *v = jsn_get(rule, "then");
	size_t n = json_is_array(v) ? json_array_size(v) : 1;

	pointer = below(r, pointer, "then");
	if (!v || !n || n > GOVERNANCE_THEN_MAX)
		WRONG(r, pointer, "then is required: an object with field and function, or up to %d of them", GOVERNANCE_THEN_MAX);
	out->then = arena_alloc(r->a, n, sizeof(*out->then));
	if (!out->then)
		FAIL(r->err, NOMEM, "rule");
	for (size_t i = 0; i < n; i++) {
		char number[24];

		snprintf(number, sizeof(number), "%zu", i);
		TRY(one_then(r, json_is_array(v) ? json_array_get(v, i) : v, json_is_array(v) ? below(r, pointer, number) : pointer, &out->then[i]));
	}
	out->n_then = n;
	return GH_RC_OK;
}

/* ---- rules --------------------------------------------------------------------------------------------------------------------- */

static GH_RC severity_at(struct reader *r, const json_t *rule, struct str pointer, struct governance_rule *out)
{
	const json_t *v = jsn_get(rule, "severity");

	out->severity = GOVERNANCE_WARNING;
	if (v && !governance_severity_find(jsn_string(v), &out->severity))
		WRONG(r, below(r, pointer, "severity"), "severity must be one of error, warning, information, off");
	if (jsn_get(rule, "recommended") && !jsn_bool(rule, "recommended", true))
		out->severity = GOVERNANCE_OFF;
	return GH_RC_OK;
}

static GH_RC formats_at(struct reader *r, const json_t *rule, struct str pointer, struct governance_rule *out)
{
	static const struct {
		const char *name;
		unsigned bits;
	} formats[] = { { "oas2", GOVERNANCE_OAS2 }, { "oas3", GOVERNANCE_OAS3_0 | GOVERNANCE_OAS3_1 }, { "oas3_0", GOVERNANCE_OAS3_0 },
			{ "oas3.0", GOVERNANCE_OAS3_0 }, { "oas3_1", GOVERNANCE_OAS3_1 }, { "oas3.1", GOVERNANCE_OAS3_1 } };
	const json_t *v = jsn_get(rule, "formats");
	struct str document = jsn_str(rule, "document");
	size_t i;
	json_t *one;

	if (v && !json_array_size(v))
		WRONG(r, below(r, pointer, "formats"), "formats must be a list of oas2, oas3, oas3_0, oas3_1");
	json_array_foreach(v, i, one) {
		unsigned bits = 0;

		for (size_t f = 0; f < ARRAY_LEN(formats); f++)
			if (str_eq(jsn_string(one), str_of(formats[f].name)))
				bits = formats[f].bits;
		if (!bits)
			WRONG(r, below(r, pointer, "formats"), "formats knows oas2, oas3, oas3_0 and oas3_1 only");
		out->formats |= bits;
	}
	out->document = str_eq(document, STR("configuration")) ? GOVERNANCE_CONFIGURATION : GOVERNANCE_OPENAPI;
	if (jsn_get(rule, "document") && out->document == GOVERNANCE_OPENAPI && !str_eq(document, STR("openapi")))
		WRONG(r, below(r, pointer, "document"), "document must be openapi or configuration");
	return GH_RC_OK;
}

static bool is_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && !strchr("-_.", s.p[i]))
			return false;
	return s.n > 0 && s.n <= GOVERNANCE_ID_MAX;
}

static GH_RC one_rule(struct reader *r, const char *name, const json_t *v, struct governance_rule *out)
{
	static const char *const names[] = { "description", "message", "severity", "document", "formats", "given", "then", "mend", "recommended",
					     "documentationUrl", "resolved", "type", "tags", NULL };
	struct str pointer = below(r, STR("/rules"), name);

	if (!is_id(str_of(name)))
		WRONG(r, pointer, "the name of a rule has 1 to %d letters, digits, '-', '_' and '.'", GOVERNANCE_ID_MAX);
	if (!json_is_object(v))
		WRONG(r, pointer, "a rule must be an object with given and then, not %s", jsn_type_name(v));
	out->id = arena_dup(r->a, str_of(name));
	TRY(only(r, v, pointer, names));
	TRY(text_at(r, v, pointer, "description", &out->description));
	TRY(text_at(r, v, pointer, "message", &out->message));
	TRY(text_at(r, v, pointer, "mend", &out->mend));
	TRY(text_at(r, v, pointer, "documentationUrl", &out->url));
	TRY(severity_at(r, v, pointer, out));
	TRY(formats_at(r, v, pointer, out));
	TRY(given_at(r, v, pointer, out));
	return then_at(r, v, pointer, out);
}

static GH_RC aliases_at(struct reader *r)
{
	const char *name;
	json_t *v;

	r->aliases = jsn_get(r->root, "aliases");
	if (r->aliases && !json_is_object(r->aliases))
		WRONG(r, STR("/aliases"), "aliases must be an object of JSONPaths");
	json_object_foreach((json_t *)(uintptr_t)r->aliases, name, v)
		if (!jsn_string(v).n)
			WRONG(r, below(r, STR("/aliases"), name), "an alias is a JSONPath");
	return GH_RC_OK;
}

static GH_RC read_all(struct reader *r, struct governance_ruleset *out)
{
	static const char *const names[] = { "name", "description", "documentationUrl", "aliases", "formats", "rules", NULL };
	const json_t *rules = jsn_get(r->root, "rules");
	const char *name;
	json_t *v;

	if (!json_is_object(r->root))
		WRONG(r, STR(""), "a ruleset is an object with rules, not %s", jsn_type_name(r->root));
	if (jsn_get(r->root, "extends"))
		WRONG(r, STR("/extends"), "rulesets do not extend one another here: all that are enabled count; leave extends out");
	TRY(only(r, r->root, STR(""), names));
	TRY(text_at(r, r->root, STR(""), "name", &out->name));
	TRY(text_at(r, r->root, STR(""), "description", &out->description));
	TRY(aliases_at(r));
	if (!json_is_object(rules) || !json_object_size(rules) || json_object_size(rules) > GOVERNANCE_RULES_MAX)
		WRONG(r, STR("/rules"), "rules is required: an object of 1 to %d rules by their names", GOVERNANCE_RULES_MAX);
	out->rules = arena_alloc(r->a, json_object_size(rules), sizeof(*out->rules));
	if (!out->rules)
		FAIL(r->err, NOMEM, "ruleset");
	json_object_foreach((json_t *)(uintptr_t)rules, name, v)
		TRY(one_rule(r, name, v, &out->rules[out->n++]));
	return GH_RC_OK;
}

GH_RC governance_ruleset_read(struct arena *a, struct str id, struct str text, struct governance_ruleset *out, struct text_where *where,
			      struct gh_err *err)
{
	static const struct yaml_limits limits = { GOVERNANCE_RULESET_BYTES, NODES_MAX, DEPTH_MAX };
	struct reader r = { .a = a, .text = text, .where = where, .err = err };
	json_t *root;

	*out = (struct governance_ruleset){ .id = arena_dup(a, id) };
	*where = (struct text_where){ 0, 0 };
	TRY(yaml_parse(text, &limits, &root, where, err));
	r.root = jsn_keep(a, root);
	if (!r.root)
		FAIL(err, NOMEM, "ruleset");
	return read_all(&r, out);
}

const struct governance_rule *governance_rule_find(const struct governance_ruleset *s, struct str id)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->rules[i].id, id))
			return &s->rules[i];
	return NULL;
}
