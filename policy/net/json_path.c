/* json_path.c - SelectToken(s): Newtonsoft's JSONPath.
 *
 *     $.a.b   a['b c']   [0]   [-1:]   [1:4:2]   [0,2]   ['a','b']   .*   [*]   ..name   [?(@.price < 10 && @.x)]
 *
 * A path is read step by step, each step turning one list of tokens into the next, so nothing is compiled or kept. A filter
 * is evaluated while it is read, once for each candidate; `skip` lets the parser run over what need not be evaluated. */
#include "core/str.h"
#include "policy/net/json.h"
#include "policy/net/number.h"
#include "policy/net/unicode.h"

enum { FILTER_DEPTH_MAX = 16, NO_BOUND = INT32_MAX };

struct path {
	struct arena *a;
	struct str s;
	size_t at;
	struct jtoken *root;
	uint64_t *steps;
	unsigned depth;              /* of filters */
	struct gh_err *err;
};

static bool fail(struct path *p, const char *what)
{
	gh_err_set(p->err, GH_E_INVALID, __FILE__, __LINE__, "%s", what);
	return false;
}

static bool unexpected(struct path *p, const char *where)
{
	char text[5] = { 0 };
	unsigned n = p->at < p->s.n ? utf8_decode(str_from(p->s, p->at), NULL) : 0;

	memcpy(text, p->s.p + (p->at < p->s.n ? p->at : 0), n);
	gh_err_set(p->err, GH_E_INVALID, __FILE__, __LINE__, "Unexpected character %s: %s", where, text);
	return false;
}

static bool found_add(struct path *p, struct jt_found *f, struct jtoken *t)
{
	if (*p->steps == 0)
		return fail(p, "The path needs too much work.");
	--*p->steps;
	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 8;
		struct jtoken **v = arena_alloc(p->a, cap, sizeof(*v));

		if (!v)
			return fail(p, "Insufficient memory to continue the execution of the program.");
		if (f->n)
			memcpy(v, f->v, f->n * sizeof(*v));
		f->v = v;
		f->cap = cap;
	}
	f->v[f->n++] = t;
	return true;
}

static char look(const struct path *p)
{
	return p->at < p->s.n ? p->s.p[p->at] : '\0';
}

static void blanks(struct path *p)
{
	while (look(p) == ' ')
		p->at++;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------ */

static struct jtoken *token_value(struct jtoken *t)
{
	return t->type == JT_PROPERTY ? (t->n ? t->v[0] : NULL) : t;
}

/* name NULL: every member */
static bool step_name(struct path *p, const struct jt_found *from, struct str name, struct jt_found *to)
{
	for (size_t i = 0; i < from->n; i++) {
		struct jtoken *t = from->v[i], *child;

		if (name.p && t->type == JT_OBJECT) {
			child = jt_get(t, name);
			if (child && !found_add(p, to, child))
				return false;
		}
		for (size_t j = 0; !name.p && jt_is_container(t) && j < t->n; j++) {
			child = token_value(t->v[j]);
			if (child && !found_add(p, to, child))
				return false;
		}
	}
	return true;
}

/* Every token below t in document order, t itself first. */
static bool each_below(struct path *p, struct jtoken *top, struct jt_found *to)
{
	struct jtoken *t = top;

	for (;;) {
		if (t->type != JT_PROPERTY && !found_add(p, to, t))
			return false;
		if (jt_is_container(t) && t->n) {
			t = t->v[0];
			continue;
		}
		for (; t != top; t = t->parent) {
			size_t at = jt_position(t);

			if (at + 1 < t->parent->n) {
				t = t->parent->v[at + 1];
				break;
			}
		}
		if (t == top)
			return true;
	}
}

static bool step_scan(struct path *p, const struct jt_found *from, struct str name, struct jt_found *to)
{
	for (size_t i = 0; i < from->n; i++) {
		struct jt_found all = { 0 };

		if (!each_below(p, from->v[i], &all))
			return false;
		for (size_t j = 0; j < all.n; j++) {
			struct jtoken *t = all.v[j], *holder = t->parent;
			bool same = holder && t != from->v[i] && holder->type == JT_PROPERTY && name.p && str_eq(holder->name, name);

			if ((same || (!name.p && t != from->v[i])) && !found_add(p, to, t))
				return false;
		}
	}
	return true;
}

static bool add_index(struct path *p, struct jtoken *t, int64_t at, struct jt_found *to)
{
	if (at < 0 || at >= (int64_t)t->n)
		return true;
	return found_add(p, to, t->v[at]);
}

static bool is_list(const struct jtoken *t)
{
	return t->type == JT_ARRAY || t->type == JT_CONSTRUCTOR;
}

static bool slice(struct path *p, struct jtoken *t, int64_t from, int64_t end, int64_t by, struct jt_found *to)
{
	int64_t n = (int64_t)t->n;

	from = from == NO_BOUND ? (by > 0 ? 0 : n - 1) : from < 0 ? n + from : from;
	end = end == NO_BOUND ? (by > 0 ? n : -1) : end < 0 ? n + end : end;
	from = by > 0 && from < 0 ? 0 : by < 0 && from > n - 1 ? n - 1 : from;
	end = by > 0 && end > n ? n : by < 0 && end < -1 ? -1 : end;
	for (int64_t i = from; by > 0 ? i < end : i > end; i += by)
		if (!add_index(p, t, i, to))
			return false;
	return true;
}

/* ---- reading parts ------------------------------------------------------------------------------------------------------------ */

static bool read_int(struct path *p, int64_t *out)
{
	bool minus = look(p) == '-';
	size_t begin = p->at += minus;

	for (*out = 0; ascii_is_digit(look(p)) && *out < 100000000; p->at++)
		*out = *out * 10 + (look(p) - '0');
	if (minus)
		*out = -*out;
	return p->at > begin;
}

static bool read_quoted(struct path *p, struct str *out)
{
	char quote = look(p);
	struct out o = out_in(p->a);

	for (p->at++; look(p) != quote; p->at++) {
		if (p->at >= p->s.n)
			return fail(p, "Path ended with an open string.");
		if (look(p) == '\\' && p->at + 1 < p->s.n) {
			static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
			const char *known = strchr(from, p->s.p[++p->at]);

			out_char(&o, known ? to[known - from] : look(p));
			continue;
		}
		out_char(&o, look(p));
	}
	p->at++;
	*out = out_str(&o);
	return out->p != NULL;
}

static bool read_name(struct path *p, struct str *out)
{
	size_t begin = p->at;

	while (p->at < p->s.n && !strchr(".[]() ", look(p)) && !(p->depth && strchr("=<>!&|,)", look(p))))
		p->at++;
	*out = (struct str){ p->s.p + begin, p->at - begin };
	return p->at > begin;
}

static bool filter(struct path *p, struct jtoken *t, bool skip, bool *truth);

static bool step_filter(struct path *p, const struct jt_found *from, struct jt_found *to)
{
	size_t begin = p->at;
	bool truth;

	if (++p->depth > FILTER_DEPTH_MAX)
		return fail(p, "The path is nested too deeply.");
	if (!filter(p, p->root, true, &truth))           /* finds the end, also when there is no candidate */
		return false;
	blanks(p);
	if (look(p) != ')')
		return unexpected(p, "while parsing path query");
	for (size_t i = 0; i < from->n; i++)
		for (size_t j = 0; jt_is_container(from->v[i]) && j < from->v[i]->n; j++) {
			struct jtoken *child = token_value(from->v[i]->v[j]);

			p->at = begin;
			if (!child)
				continue;
			if (!filter(p, child, false, &truth) || (truth && !found_add(p, to, child)))
				return false;
		}
	blanks(p);
	p->depth--;
	p->at++;
	return true;
}

static bool step_numbers(struct path *p, const struct jt_found *from, struct jt_found *to)
{
	int64_t part[3] = { NO_BOUND, NO_BOUND, 1 }, list[64];
	size_t n = 0, colons = 0;

	for (;;) {
		blanks(p);
		if (look(p) == ':') {
			if (n || ++colons > 2)
				return unexpected(p, "while parsing path indexer");
			p->at++;
		} else if (look(p) == ',') {
			if (colons || n == ARRAY_LEN(list) || part[0] == NO_BOUND)
				return unexpected(p, "while parsing path indexer");
			list[n++] = part[0];
			part[0] = NO_BOUND;
			p->at++;
		} else if (look(p) == ']') {
			break;
		} else if (!read_int(p, &part[colons])) {
			return p->at >= p->s.n ? fail(p, "Path ended with open indexer.") :
						 unexpected(p, "while parsing path indexer");
		}
	}
	if (!colons && part[0] == NO_BOUND)
		return fail(p, "Array index expected.");
	if (colons && part[2] == 0)
		return fail(p, "Step cannot be zero.");
	if (!colons && n < ARRAY_LEN(list))
		list[n++] = part[0];
	for (size_t i = 0; i < from->n; i++) {
		struct jtoken *t = from->v[i];

		if (!is_list(t))
			continue;
		if (colons && !slice(p, t, part[0], part[1], part[2], to))
			return false;
		for (size_t j = 0; !colons && j < n; j++)
			if (!add_index(p, t, list[j], to))
				return false;
	}
	return true;
}

static bool step_quoted(struct path *p, const struct jt_found *from, bool scan, struct jt_found *to)
{
	for (;;) {
		struct str name;

		if (!read_quoted(p, &name) ||
		    !(scan ? step_scan(p, from, name, to) : step_name(p, from, name, to)))
			return false;
		blanks(p);
		if (look(p) != ',')
			return true;
		p->at++;
		blanks(p);
		if (look(p) != '\'' && look(p) != '"')
			return unexpected(p, "while parsing path indexer");
	}
}

/* After "[". */
static bool step_bracket(struct path *p, const struct jt_found *from, bool scan, struct jt_found *to)
{
	struct jt_found all = { 0 };
	bool ok;

	blanks(p);
	if (scan && look(p) != '\'' && look(p) != '"') {
		for (size_t i = 0; i < from->n; i++)
			if (!each_below(p, from->v[i], &all))
				return false;
		from = &all;
	}
	if (look(p) == '\'' || look(p) == '"') {
		ok = step_quoted(p, from, scan, to);
	} else if (look(p) == '*') {
		p->at++;
		ok = step_name(p, from, STR_NULL, to);
	} else if (look(p) == '?') {
		p->at++;
		if (look(p) != '(')
			return unexpected(p, "while parsing path indexer");
		p->at++;
		ok = step_filter(p, from, to);
	} else {
		ok = step_numbers(p, from, to);
	}
	if (!ok)
		return false;
	blanks(p);
	if (look(p) != ']')
		return p->at >= p->s.n ? fail(p, "Path ended with open indexer.") : unexpected(p, "while parsing path indexer");
	p->at++;
	return true;
}

/* Runs over steps until the path (or, in a filter, the operand) ends. */
static bool walk(struct path *p, struct jt_found *now)
{
	bool first = true;

	for (;; first = false) {
		struct jt_found next = { 0 };
		struct str name = STR_NULL;
		bool scan = false, dot = look(p) == '.';

		if (p->at >= p->s.n || (p->depth && strchr(" =<>!&|)", look(p))))
			return true;
		if (dot) {
			p->at++;
			scan = look(p) == '.';
			p->at += scan;
		}
		if (look(p) == '[') {
			p->at++;
			if (!step_bracket(p, now, scan, &next))
				return false;
		} else if (!dot && !first) {
			return unexpected(p, "following indexer");
		} else {
			if (look(p) == '*')
				p->at++;
			else if (!read_name(p, &name))
				return p->at >= p->s.n ? fail(p, "Unexpected end while parsing path.") :
							 unexpected(p, "while parsing path");
			if (!(scan ? step_scan(p, now, name, &next) : step_name(p, now, name, &next)))
				return false;
		}
		*now = next;
	}
}

/* ---- filters ------------------------------------------------------------------------------------------------------------------- */

struct operand {
	struct jt_found found;
	bool is_path;
};

static bool constant(struct path *p, struct jtoken **out)
{
	struct value v;
	struct str text;
	size_t begin = p->at;

	if (look(p) == '\'' || look(p) == '"') {
		if (!read_quoted(p, &text))
			return false;
		*out = jt_string(p->a, text);
		return *out != NULL;
	}
	while (p->at < p->s.n && !strchr(" =<>!&|)", look(p)))
		p->at++;
	text = (struct str){ p->s.p + begin, p->at - begin };
	if (str_eq(text, STR("true")) || str_eq(text, STR("false")))
		*out = jt_leaf(p->a, JT_BOOLEAN, value_bool(text.p[0] == 't'));
	else if (str_eq(text, STR("null")))
		*out = jt_leaf(p->a, JT_NULL, VALUE_NULL_INIT);
	else if (number_parse(p->a, text, VALUE_LONG, STYLE_LEADING_SIGN, &v) == PARSE_OK)
		*out = jt_leaf(p->a, JT_INTEGER, v);
	else if (number_parse(p->a, text, VALUE_DOUBLE, STYLE_FLOAT, &v) == PARSE_OK)
		*out = jt_leaf(p->a, JT_FLOAT, v);
	else
		return fail(p, "Could not read query operator.");
	return *out != NULL;
}

static bool operand(struct path *p, struct jtoken *t, bool skip, struct operand *o)
{
	struct jtoken *start;

	*o = (struct operand){ .is_path = look(p) == '@' || look(p) == '$' };
	start = look(p) == '$' ? p->root : t;
	if (!o->is_path)
		return constant(p, &start) && found_add(p, &o->found, start);
	p->at++;
	if (!skip && !found_add(p, &o->found, start))
		return false;
	return walk(p, &o->found);
}

static bool is_number(const struct jtoken *t)
{
	return t->type == JT_INTEGER || t->type == JT_FLOAT;
}

static double number_of(const struct jtoken *t)
{
	switch (t->value.kind) {
	case VALUE_DOUBLE:
	case VALUE_FLOAT:
		return t->value.d;
	case VALUE_DECIMAL:
		return decimal_to_double(*value_decimal(t->value));
	case VALUE_ULONG:
		return (double)t->value.u;
	default:
		return (double)t->value.i;
	}
}

/* Order of two leaves; false: they cannot be compared. Texts also compare with dates and the like by their text. */
static bool order(struct path *p, const struct jtoken *l, const struct jtoken *r, int *out)
{
	struct str a, b;

	if (is_number(l) && is_number(r)) {
		double x = number_of(l), y = number_of(r);

		*out = x < y ? -1 : x > y;
		return true;
	}
	if (l->type == JT_NULL || r->type == JT_NULL) {
		*out = (l->type != JT_NULL) - (r->type != JT_NULL);
		return true;
	}
	if (l->type != r->type && (r->type != JT_STRING || is_number(l) || l->type == JT_BOOLEAN))
		return false;
	a = value_to_text(p->a, l->value);
	b = value_to_text(p->a, r->value);
	*out = str_cmp(a, b);
	return true;
}

static bool holds(struct path *p, const char *op, const struct jtoken *l, const struct jtoken *r)
{
	int sign = 0;
	bool comparable;

	if (jt_is_container(l) || jt_is_container(r))
		return op[0] == '!' ? !jt_equal(l, r) : op[0] == '=' && jt_equal(l, r);
	if (strlen(op) == 3 && l->type != r->type && !(is_number(l) && is_number(r)))
		return op[0] == '!';
	comparable = order(p, l, r, &sign);
	switch (op[0]) {
	case '=':
		return comparable && sign == 0;
	case '!':
		return !comparable || sign != 0;
	case '<':
		return comparable && (op[1] == '>' ? sign != 0 : op[1] ? sign <= 0 : sign < 0);
	default:
		return comparable && (op[1] ? sign >= 0 : sign > 0);
	}
}

static const char *operator(struct path *p)
{
	static const char *const operators[] = { "===", "!==", "==", "!=", "<>", "<=", ">=", "=", "<", ">" };

	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		if (str_starts(str_from(p->s, p->at), str_of(operators[i]))) {
			p->at += strlen(operators[i]);
			return operators[i];
		}
	return NULL;
}

static bool comparison(struct path *p, struct jtoken *t, bool skip, bool *truth)
{
	struct operand l, r;
	const char *op;

	blanks(p);
	if (look(p) == '(') {
		p->at++;
		if (++p->depth > FILTER_DEPTH_MAX || !filter(p, t, skip, truth))
			return fail(p, "The path is nested too deeply.");
		p->depth--;
		blanks(p);
		return look(p) == ')' ? p->at++ < SIZE_MAX : unexpected(p, "while parsing path query");
	}
	if (!operand(p, t, skip, &l))
		return false;
	blanks(p);
	op = operator(p);
	*truth = l.found.n > 0;
	if (!op)
		return l.is_path || unexpected(p, "while parsing path query");
	blanks(p);
	if (!operand(p, t, skip, &r))
		return false;
	*truth = false;
	for (size_t i = 0; i < l.found.n && !*truth; i++)
		for (size_t j = 0; j < r.found.n && !*truth; j++)
			*truth = holds(p, op, l.found.v[i], r.found.v[j]);
	return true;
}

static bool both(struct path *p, struct jtoken *t, bool skip, bool *truth)
{
	bool right;

	if (!comparison(p, t, skip, truth))
		return false;
	for (blanks(p); str_starts(str_from(p->s, p->at), STR("&&")); blanks(p)) {
		p->at += 2;
		if (!comparison(p, t, skip || !*truth, &right))
			return false;
		*truth = *truth && right;
	}
	return true;
}

static bool filter(struct path *p, struct jtoken *t, bool skip, bool *truth)
{
	bool right;

	if (!both(p, t, skip, truth))
		return false;
	for (blanks(p); str_starts(str_from(p->s, p->at), STR("||")); blanks(p)) {
		p->at += 2;
		if (!both(p, t, skip || *truth, &right))
			return false;
		*truth = *truth || right;
	}
	return true;
}

bool jt_select(struct arena *a, struct jtoken *root, struct str path, uint64_t *steps, struct jt_found *found,
		 struct gh_err *err)
{
	struct path p = { .a = a, .s = path, .root = root, .steps = steps, .err = err };

	*found = (struct jt_found){ 0 };
	if (!found_add(&p, found, root))
		return false;
	if (look(&p) == '$')
		p.at++;
	return walk(&p, found);
}
