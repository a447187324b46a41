#include "portal/admin/scim_path.h"

#include "core/str.h"

#include <math.h>

/* filter  = and *( "or" and )          and = not *( "and" not )          not = "not" "(" filter ")" | "(" filter ")" | test
 * test    = path "pr" | path op value  | path "[" filter "]"             path = [urn ":"] name [ "." name ]                 */

enum kind { K_AND, K_OR, K_NOT, K_TEST, K_WITHIN };
enum op { OP_EQ, OP_NE, OP_CO, OP_SW, OP_EW, OP_GT, OP_GE, OP_LT, OP_LE, OP_PR, OP__COUNT };

static const char *const op_names[] = { "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr" };

struct scim_filter {
	enum kind kind;
	const struct scim_filter *left, *right;          /* AND, OR; left: NOT, WITHIN */
	struct str path;
	enum op op;
	json_t *value;
};

struct reader {
	struct arena *a;
	struct str text, rest;
	size_t depth, nodes;
	struct gh_err *err;
};

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static gh_rc wrong(struct reader *r, const char *what)
{
	FAIL(r->err, SYNTAX, "character %zu of the filter: %s", r->text.n - r->rest.n + 1, what);
}

static void blanks(struct reader *r)
{
	while (r->rest.n && r->rest.p[0] == ' ')
		r->rest = str_from(r->rest, 1);
}

static bool is_name(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '-' || c == '$' || c == '.' || c == ':';
}

static struct str word(struct reader *r)
{
	struct str w;
	size_t n = 0;

	blanks(r);
	while (n < r->rest.n && is_name(r->rest.p[n]))
		n++;
	w = str_first(r->rest, n);
	r->rest = str_from(r->rest, n);
	return w;
}

static bool take_char(struct reader *r, char c)
{
	blanks(r);
	if (!r->rest.n || r->rest.p[0] != c)
		return false;
	r->rest = str_from(r->rest, 1);
	return true;
}

/* The word stands here and ends here. */
static bool take_word(struct reader *r, const char *w)
{
	struct reader at = *r;

	if (!str_eq_ci(word(&at), str_of(w)))
		return false;
	*r = at;
	return true;
}

static gh_rc node(struct reader *r, enum kind kind, struct scim_filter **out)
{
	if (++r->nodes > SCIM_FILTER_NODES)
		FAIL(r->err, LIMIT, "the filter has more than %d parts", SCIM_FILTER_NODES);
	*out = arena_new_of(r->a, struct scim_filter);
	if (!*out)
		FAIL(r->err, NOMEM, "filter");
	(*out)->kind = kind;
	return GH_RC_OK;
}

static gh_rc read_filter(struct reader *r, const struct scim_filter **out);

/* A JSON text, number, true, false or null. */
static gh_rc read_value(struct reader *r, json_t **out)
{
	const struct jsn_limits limits = { .flags = JSN_ANY };
	size_t n = 0;

	blanks(r);
	if (r->rest.n && r->rest.p[0] == '"') {
		for (n = 1; n < r->rest.n && r->rest.p[n] != '"'; n++)
			n += r->rest.p[n] == '\\';
		n = n < r->rest.n ? n + 1 : 0;
	} else {
		while (n < r->rest.n && r->rest.p[n] != ' ' && r->rest.p[n] != ')' && r->rest.p[n] != ']')
			n++;
	}
	if (!n || jsn_parse_in(r->a, str_first(r->rest, n), &limits, out, NULL, NULL).code || json_is_object(*out) || json_is_array(*out))
		return wrong(r, "a value is expected: a text in quotes, a number, true, false or null");
	r->rest = str_from(r->rest, n);
	return GH_RC_OK;
}

static gh_rc read_test(struct reader *r, const struct scim_filter **out)
{
	struct scim_filter *f;
	struct str path = word(r), op;

	if (!path.n || !ascii_is_alpha(path.p[0]))
		return wrong(r, "the name of an attribute is expected");
	if (r->rest.n && r->rest.p[0] == '[') {
		r->rest = str_from(r->rest, 1);
		TRY(node(r, K_WITHIN, &f));
		f->path = path;
		TRY(read_filter(r, &f->left));
		*out = f;
		return take_char(r, ']') ? GH_RC_OK : wrong(r, "']' is expected");
	}
	TRY(node(r, K_TEST, &f));
	f->path = path;
	op = word(r);
	for (f->op = 0; f->op < OP__COUNT && !str_eq_ci(op, str_of(op_names[f->op])); f->op++)
		;
	if (f->op == OP__COUNT)
		return wrong(r, "an operator is expected: eq, ne, co, sw, ew, gt, ge, lt, le or pr");
	*out = f;
	return f->op == OP_PR ? GH_RC_OK : read_value(r, &f->value);
}

static gh_rc read_not(struct reader *r, const struct scim_filter **out)
{
	bool negated = take_word(r, "not");
	struct scim_filter *f;

	if (!take_char(r, '('))
		return negated ? wrong(r, "'(' is expected behind not") : read_test(r, out);
	TRY(read_filter(r, out));
	if (!take_char(r, ')'))
		return wrong(r, "')' is expected");
	if (!negated)
		return GH_RC_OK;
	TRY(node(r, K_NOT, &f));
	f->left = *out;
	*out = f;
	return GH_RC_OK;
}

static gh_rc read_and(struct reader *r, const struct scim_filter **out)
{
	TRY(read_not(r, out));
	while (take_word(r, "and")) {
		struct scim_filter *f;

		TRY(node(r, K_AND, &f));
		f->left = *out;
		TRY(read_not(r, &f->right));
		*out = f;
	}
	return GH_RC_OK;
}

static gh_rc read_filter(struct reader *r, const struct scim_filter **out)
{
	if (++r->depth > SCIM_FILTER_DEPTH)
		FAIL(r->err, LIMIT, "the filter is nested deeper than %d", SCIM_FILTER_DEPTH);
	TRY(read_and(r, out));
	while (take_word(r, "or")) {
		struct scim_filter *f;

		TRY(node(r, K_OR, &f));
		f->left = *out;
		TRY(read_and(r, &f->right));
		*out = f;
	}
	r->depth--;
	return GH_RC_OK;
}

GH_RC scim_filter_parse(struct arena *a, struct str text, const struct scim_filter **out, struct gh_err *err)
{
	struct reader r = { .a = a, .text = text, .rest = text, .err = err };

	if (text.n > SCIM_FILTER_MAX)
		FAIL(err, LIMIT, "the filter is longer than %d bytes", SCIM_FILTER_MAX);
	TRY(read_filter(&r, out));
	blanks(&r);
	return r.rest.n ? wrong(&r, "nothing more is expected here") : GH_RC_OK;
}

bool scim_filter_is_eq(const struct scim_filter *f, struct str *attribute, struct str *value)
{
	if (f->kind != K_TEST || f->op != OP_EQ || !json_is_string(f->value))
		return false;
	*attribute = f->path;
	*value = jsn_string(f->value);
	return true;
}

/* ---- names ------------------------------------------------------------------------------------------------------------- */

/* "urn:…:2.0:User:name.givenName" is name.givenName of the User schema; of an extension only its own object is meant. */
static struct str without_schema(struct str name)
{
	static const struct str core[] = { STR_INIT("urn:ietf:params:scim:schemas:core:2.0:User:"),
					   STR_INIT("urn:ietf:params:scim:schemas:core:2.0:Group:") };

	for (size_t i = 0; i < ARRAY_LEN(core); i++)
		if (str_starts_ci(name, core[i]))
			return str_from(name, core[i].n);
	return name;
}

static const char *key_of(const json_t *object, struct str name)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)object, key, v)
		if (str_eq_ci(str_of(key), name))
			return key;
	return NULL;
}

json_t *scim_get(const json_t *resource, struct str name)
{
	const char *key = key_of(resource, without_schema(name));

	return key ? json_object_get(resource, key) : NULL;
}

bool scim_set(json_t *resource, struct str name, json_t *v)
{
	const char *key = key_of(resource, name);
	char plain[256];

	if (!key && name.n < sizeof(plain)) {
		memcpy(plain, name.p, name.n);
		plain[name.n] = '\0';
		key = plain;
	}
	if (key && json_object_set_new(resource, key, v) == 0)
		return true;
	if (!key)
		json_decref(v);
	return false;
}

/* ---- evaluating -------------------------------------------------------------------------------------------------------- */

static bool is_exact(struct str name)
{
	return str_eq_ci(name, STR("id")) || str_eq_ci(name, STR("externalId")) || str_eq_ci(name, STR("value"));
}

static bool holds(struct str text, struct str part, bool exact)
{
	for (; text.n >= part.n; text = str_from(text, 1)) {
		if (exact ? str_starts(text, part) : str_starts_ci(text, part))
			return true;
		if (!text.n)
			break;
	}
	return false;
}

static bool compare_texts(enum op op, struct str a, struct str b, bool exact)
{
	int c = exact ? str_cmp(a, b) : str_cmp_ci(a, b);

	switch (op) {
	case OP_EQ:
		return c == 0;
	case OP_CO:
		return holds(a, b, exact);
	case OP_SW:
		return exact ? str_starts(a, b) : str_starts_ci(a, b);
	case OP_EW:
		return a.n >= b.n && (exact ? str_eq(str_from(a, a.n - b.n), b) : str_eq_ci(str_from(a, a.n - b.n), b));
	case OP_GT:
		return c > 0;
	case OP_GE:
		return c >= 0;
	case OP_LT:
		return c < 0;
	case OP_LE:
		return c <= 0;
	default:
		return false;
	}
}

static bool compare_numbers(enum op op, double a, double b)
{
	return op == OP_EQ ? a >= b && a <= b : op == OP_GT ? a > b : op == OP_GE ? a >= b : op == OP_LT ? a < b : op == OP_LE && a <= b;
}

static bool compare(enum op op, const json_t *have, const json_t *want, bool exact)
{
	if (op == OP_PR)
		return have && !json_is_null(have) && !(json_is_string(have) && !json_string_length(have))
		       && !(json_is_array(have) && !json_array_size(have)) && !(json_is_object(have) && !json_object_size(have));
	if (op == OP_NE)
		return !compare(OP_EQ, have, want, exact);
	if (json_is_string(have) && json_is_string(want))
		return compare_texts(op, jsn_string(have), jsn_string(want), exact);
	if (json_is_number(have) && json_is_number(want))
		return compare_numbers(op, json_number_value(have), json_number_value(want));
	if (json_is_boolean(have) && json_is_string(want))       /* active eq "true" */
		return op == OP_EQ && str_eq_ci(jsn_string(want), json_is_true(have) ? STR("true") : STR("false"));
	if (json_is_boolean(have) && json_is_boolean(want))
		return op == OP_EQ && json_is_true(have) == json_is_true(want);
	return op == OP_EQ && json_is_null(want) && (!have || json_is_null(have));
}

/* Of a list any element counts; a complex one stands for its "value". */
static bool test(const json_t *v, struct str sub, struct str name, enum op op, const json_t *want)
{
	if (json_is_array(v)) {
		/* "ne" of a list: no element is equal (RFC 7644 leaves it open; this is what people mean) */
		if (op == OP_NE)
			return !test(v, sub, name, OP_EQ, want);
		if (op == OP_PR && !sub.n)
			return json_array_size(v) > 0;
		for (size_t i = 0; i < json_array_size(v); i++)
			if (test(json_array_get(v, i), sub, name, op, want))
				return true;
		return false;
	}
	if (sub.n)
		return test(scim_get(v, sub), STR_NULL, sub, op, want);
	if (json_is_object(v) && op != OP_PR)
		return test(scim_get(v, STR("value")), STR_NULL, STR("value"), op, want);
	return compare(op, v, want, is_exact(name));
}

/* "name.givenName" -> "name", "givenName"; the dots of a schema's name are not meant. */
static void split_path(struct str path, struct str *name, struct str *sub)
{
	struct str rest = without_schema(path);
	size_t colon = str_rfind_char(rest, ':'), dot;

	dot = str_find_char(colon == SIZE_MAX ? rest : str_from(rest, colon), '.');
	if (dot != SIZE_MAX && colon != SIZE_MAX)
		dot += colon;
	*name = str_first(rest, dot);
	*sub = dot == SIZE_MAX ? STR_NULL : str_from(rest, dot + 1);
}

/* An extension is an object under its schema's name: "urn:…:enterprise:2.0:User:department". */
static const json_t *find(const json_t *resource, struct str name)
{
	size_t colon = str_rfind_char(name, ':');
	const json_t *v = scim_get(resource, name);

	return v || colon == SIZE_MAX ? v : scim_get(scim_get(resource, str_first(name, colon)), str_from(name, colon + 1));
}

static bool within(const struct scim_filter *f, const json_t *v)
{
	if (json_is_object(v))
		return scim_filter_matches(f->left, v);
	for (size_t i = 0; i < json_array_size(v); i++)
		if (scim_filter_matches(f->left, json_array_get(v, i)))
			return true;
	return false;
}

bool scim_filter_matches(const struct scim_filter *f, const json_t *resource)
{
	struct str name, sub;

	switch (f->kind) {
	case K_AND:
		return scim_filter_matches(f->left, resource) && scim_filter_matches(f->right, resource);
	case K_OR:
		return scim_filter_matches(f->left, resource) || scim_filter_matches(f->right, resource);
	case K_NOT:
		return !scim_filter_matches(f->left, resource);
	case K_WITHIN:
		return within(f, find(resource, f->path));
	case K_TEST:
		split_path(f->path, &name, &sub);
		return test(find(resource, name), sub, name, f->op, f->value);
	}
	return false;
}
