/* regex_match.c - what a match gives: Match, Group, Capture, their collections, replacement patterns. */
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/regex_net.h"
#include "policy/net/unicode.h"

enum { FIRST_STEPS = REGEX_MATCH_LIMIT / 40 };

static struct value_class class_capture;
static struct value_class class_group;
static struct value_class class_match;
static struct value_class class_captures;

static const struct match no_match = { { { &class_match }, &text_empty, { "0", 1 }, false, 0, 0 }, NULL, NULL };

/* A match gets a part of its steps first, nearly always more than enough. When not, the part is done again and timed, and that
 * tells how many of the rest fit into half of the time that the run has left. */
static enum regex_result match_in_time(struct vm *vm, const struct regex_code *code, struct str s, size_t from, size_t *spans)
{
	enum regex_result result;
	uint64_t left, took;

	if (!vm_time_left(vm, NULL))
		return regex_match(code, s, from, REGEX_MATCH_LIMIT, spans);
	result = regex_match(code, s, from, FIRST_STEPS, spans);
	if (result != REGEX_TIMEOUT || !vm_time_left(vm, &took))
		return result;
	regex_match(code, s, from, FIRST_STEPS, spans);
	if (!vm_time_left(vm, &left) || took - left >= left / 2)
		return result;
	took = took - left + 1;
	return regex_match(code, s, from, left / 2 / took >= REGEX_MATCH_LIMIT / FIRST_STEPS ? REGEX_MATCH_LIMIT :
			   (uint32_t)(left / 2 * FIRST_STEPS / took), spans);
}

/* *out NULL: no match. */
bool regex_run(struct vm_call *c, const struct regex_code *code, const struct text *subject, size_t from, struct match **out)
{
	struct match *m = vm_new(c, &class_match, sizeof(*m));
	size_t *spans = m ? vm_alloc(c, code->n_slots * 2, sizeof(*spans)) : NULL;

	*out = NULL;
	if (!spans || !vm_charge(c->vm, 20))
		return false;
	switch (match_in_time(c->vm, code, text_str(subject), from, spans)) {
	case REGEX_NO_MATCH:
		return vm_charge(c->vm, subject->n / 8);
	case REGEX_TIMEOUT:
		return vm_charge(c->vm, REGEX_MATCH_LIMIT) && vm_throw(c, EX_REGEX_TIMEOUT, TIMED_OUT);
	case REGEX_MEMORY:
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	default:
		break;
	}
	m->whole = (struct capture){ { &class_match }, subject, STR("0"), true, spans[0], spans[1] };
	m->code = code;
	m->spans = spans;
	*out = m;
	return vm_charge(c->vm, (code->options & REGEX_RIGHT_TO_LEFT ? subject->n * 2 : spans[1] > from ? spans[1] - from : 0) / 8);
}

/* Where to look after m: one character on after an empty match. SIZE_MAX: nowhere. */
size_t regex_after(const struct match *m)
{
	size_t at = m->whole.to;

	if (m->code->options & REGEX_RIGHT_TO_LEFT) {
		at = m->whole.from;
		if (m->whole.to > at)
			return at;
		if (at == 0)
			return SIZE_MAX;
		utf8_before(text_str(m->whole.subject), at, &at);
		return at;
	}
	if (m->whole.to > m->whole.from)
		return at;
	if (at >= m->whole.subject->n)
		return SIZE_MAX;
	utf8_next(text_str(m->whole.subject), &at);
	return at;
}

struct str regex_span(const struct match *m, unsigned group)
{
	const struct regex_group *g = &m->code->groups[group];

	for (unsigned i = g->n; i-- > 0;) {
		size_t from = m->spans[2 * g->slots[i]], to = m->spans[2 * g->slots[i] + 1];

		if (from != SIZE_MAX && to >= from)
			return (struct str){ m->whole.subject->p + from, to - from };
	}
	return STR_NULL;
}

static int group_number(const struct regex_code *code, struct str name)
{
	for (unsigned i = 0; i < code->n_groups; i++)
		if (str_eq(code->groups[i].name, name))
			return (int)i;
	return -1;
}

static bool give_slice(struct vm_call *c, struct str s)
{
	return vm_return_str(c, s.n ? s : STR(""));
}

bool regex_list_add(struct vm_call *c, struct group_list *l, size_t *cap, struct value v)
{
	if (l->n == *cap) {
		size_t more = *cap ? *cap * 2 : 8;
		struct value *to = vm_alloc(c, more, sizeof(*to));

		if (!to)
			return false;
		if (l->n)
			memcpy(to, l->v, l->n * sizeof(*to));
		l->v = to;
		*cap = more;
	}
	l->v[l->n++] = v;
	return true;
}

bool give_match(struct vm_call *c, const struct match *m)
{
	return vm_return(c, value_object(m ? m : &no_match));
}

/* ---- replacement patterns ------------------------------------------------------------------------------------------------ */

static size_t put_braced(struct out *o, const struct match *m, struct str p, size_t at)
{
	size_t close = str_find_char(str_from(p, at), '}');
	struct str name;
	int group;

	if (close == SIZE_MAX)
		return 0;
	name = (struct str){ p.p + at + 2, close - 2 };
	group = group_number(m->code, name);
	if (group < 0)
		return 0;
	out_put(o, regex_span(m, (unsigned)group));
	return close + 1;
}

/* $n takes all digits that follow; a number without a group leaves them as they are. */
static size_t put_numbered(struct out *o, const struct match *m, struct str p, size_t at)
{
	unsigned n = 0;
	size_t end = at + 1;

	while (end < p.n && ascii_is_digit(p.p[end]) && n < m->code->n_groups)
		n = n * 10 + (unsigned)(p.p[end++] - '0');
	if (end == at + 1 || n >= m->code->n_groups)
		return 0;
	out_put(o, regex_span(m, n));
	return end - at;
}

/* One $-item at `at`; bytes it took, 0: it is plain text. */
static size_t put_item(struct out *o, const struct match *m, struct str p, size_t at)
{
	struct str s = text_str(m->whole.subject);
	char c = at + 1 < p.n ? p.p[at + 1] : '\0';

	switch (c) {
	case '$':
		out_char(o, '$');
		return 2;
	case '&':
		out_put(o, regex_span(m, 0));
		return 2;
	case '`':
		out_put(o, str_first(s, m->whole.from));
		return 2;
	case '\'':
		out_put(o, str_from(s, m->whole.to));
		return 2;
	case '_':
		out_put(o, s);
		return 2;
	case '+':
		out_put(o, regex_span(m, m->code->n_groups - 1));
		return 2;
	case '{':
		return put_braced(o, m, p, at);
	default:
		return put_numbered(o, m, p, at);
	}
}

void regex_expand(struct out *o, const struct match *m, struct str replacement)
{
	for (size_t at = 0; at < replacement.n;) {
		size_t n = replacement.p[at] == '$' ? put_item(o, m, replacement, at) : 0;

		if (n == 0)
			out_char(o, replacement.p[at++]);
		at += n;
	}
}

/* ---- Capture, Group, Match ------------------------------------------------------------------------------------------------------------ */

static const struct capture *capture_of(const struct vm_call *c)
{
	return SELF(c, const struct capture);
}

static struct str captured(const struct capture *k)
{
	return k->to > k->from ? (struct str){ k->subject->p + k->from, k->to - k->from } : STR("");
}

static bool get_value(struct vm_call *c)
{
	return give_slice(c, captured(capture_of(c)));
}

static struct str capture_text(struct arena *a UNUSED, struct value v)
{
	return captured((const struct capture *)(void *)v.object);
}

static bool get_index(struct vm_call *c)
{
	return charge_text(c, capture_of(c)->subject) &&
	       give_int(c, text_index(capture_of(c)->subject, capture_of(c)->from));
}

static bool get_length(struct vm_call *c)
{
	struct str s = captured(capture_of(c));
	struct text t = { s.n, str_is_ascii(s), s.p };

	return give_int(c, text_length(&t));
}

static bool get_success(struct vm_call *c)
{
	return give_bool(c, capture_of(c)->success);
}

static bool get_name(struct vm_call *c)
{
	return vm_return_copy(c, capture_of(c)->name);
}

/* Puts the pair where it belongs in the order of the match. */
static bool pair_add(struct vm_call *c, size_t **pairs, size_t *n, const size_t *pair, bool right_to_left)
{
	size_t at = *n, *v = *pairs;

	if ((*n & (*n - 1)) == 0) {             /* full: 0, 1, 2, 4 … */
		v = vm_alloc(c, (*n ? *n * 2 : 1) * 2, sizeof(*v));
		if (!v)
			return false;
		if (*n)
			memcpy(v, *pairs, *n * 2 * sizeof(*v));
		*pairs = v;
	}
	for (; at && (right_to_left ? v[2 * at - 2] < pair[0] : v[2 * at - 2] > pair[0]); at--)
		memcpy(v + 2 * at, v + 2 * at - 2, 2 * sizeof(*v));
	memcpy(v + 2 * at, pair, 2 * sizeof(*v));
	++*n;
	return true;
}

/* What the group captured before it captured what it holds. A name that stands twice in the pattern has several slots. */
static bool add_earlier(struct vm_call *c, struct group_list *l, size_t *cap, const struct capture *g)
{
	const struct match *m = g->match;
	const struct regex_group *group = &m->code->groups[g->group];
	bool right_to_left = m->code->options & REGEX_RIGHT_TO_LEFT;
	size_t *spans, *pairs = NULL, n, n_pairs = 0;

	for (unsigned k = 0; k < group->n; k++) {
		if (!regex_captures(m->code, c->arena, text_str(g->subject), right_to_left ? m->whole.to : m->whole.from,
				    group->slots[k], &spans, &n))
			return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
		for (size_t i = 0; i < n; i++)
			if ((spans[2 * i] != g->from || spans[2 * i + 1] != g->to) &&
			    !pair_add(c, &pairs, &n_pairs, spans + 2 * i, right_to_left))
				return false;
	}
	for (size_t i = 0; i < n_pairs; i++) {
		struct capture *one = vm_new(c, &class_capture, sizeof(*one));

		if (!one)
			return false;
		*one = (struct capture){ { &class_capture }, g->subject, g->name, true, pairs[2 * i], pairs[2 * i + 1], NULL, 0 };
		if (!regex_list_add(c, l, cap, value_object(one)))
			return false;
	}
	return true;
}

static bool get_captures(struct vm_call *c)
{
	struct group_list *l = vm_new(c, &class_captures, sizeof(*l));
	const struct capture *g = capture_of(c);
	size_t cap = 0;

	if (!l || (g->success && g->match && !add_earlier(c, l, &cap, g)))
		return false;
	if (g->success && !regex_list_add(c, l, &cap, c->self))
		return false;
	return vm_return(c, value_object(l));
}

static bool get_groups(struct vm_call *c)
{
	struct group_list *l = vm_new(c, &class_groups, sizeof(*l));

	if (!l)
		return false;
	l->match = SELF(c, const struct match);
	l->n = l->match->code ? l->match->code->n_groups : 1;
	return vm_return(c, value_object(l));
}

static bool next_match(struct vm_call *c)
{
	const struct match *m = SELF(c, const struct match);
	size_t from = m->whole.success ? regex_after(m) : SIZE_MAX;
	struct match *next;

	if (from == SIZE_MAX)
		return give_match(c, NULL);
	return regex_run(c, m->code, m->whole.subject, from, &next) && give_match(c, next);
}

static bool result(struct vm_call *c)
{
	const struct match *m = SELF(c, const struct match);
	struct out o = out_in(c->arena);

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "replacement");
	if (!m->whole.success)
		return vm_throw(c, EX_NOT_SUPPORTED, "Result cannot be called on a failed Match.");
	regex_expand(&o, m, arg_str(c, 0));
	return give_new(c, out_str(&o));
}

static bool get_empty(struct vm_call *c)
{
	return give_match(c, NULL);
}

/* ---- collections ----------------------------------------------------------------------------------------------------------------------- */

static bool group_at(struct vm_call *c, const struct match *m, int64_t i, struct value *out)
{
	struct capture *g;
	struct str s;

	if (i == 0) {
		*out = value_object(m);
		return true;
	}
	g = vm_new(c, &class_group, sizeof(*g));
	if (!g)
		return false;
	*g = (struct capture){ { &class_group }, &text_empty, STR(""), false, 0, 0 };
	if (m->code && i > 0 && i < m->code->n_groups) {
		g->name = m->code->groups[i].name;
		s = regex_span(m, (unsigned)i);
		if (s.p) {
			g->subject = m->whole.subject;
			g->success = true;
			g->from = (size_t)(s.p - g->subject->p);
			g->to = g->from + s.n;
			g->match = m;
			g->group = (unsigned)i;
		}
	}
	*out = value_object(g);
	return true;
}

static bool get_group(struct vm_call *c)
{
	const struct group_list *l = SELF(c, struct group_list);
	struct value v;
	int64_t i = c->args[0].kind == VALUE_INT ? arg_int(c, 0)
		    : l->match->code && !arg_is_null(c, 0) ? group_number(l->match->code, arg_str(c, 0)) : -1;

	return group_at(c, l->match, i, &v) && vm_return(c, v);
}

static bool has_group(struct vm_call *c)
{
	const struct group_list *l = SELF(c, struct group_list);

	return give_bool(c, l->match->code && !arg_is_null(c, 0) && group_number(l->match->code, arg_str(c, 0)) >= 0);
}

static bool get_item(struct vm_call *c)
{
	const struct group_list *l = SELF(c, struct group_list);

	if (arg_int(c, 0) < 0 || arg_int(c, 0) >= (int64_t)l->n)
		return vm_throw_range(c, "i", NULL);
	return vm_return(c, l->v[arg_int(c, 0)]);
}

static bool get_count(struct vm_call *c)
{
	return give_int(c, (int64_t)SELF(c, struct group_list)->n);
}

static bool next_item(struct vm *vm UNUSED, struct iterator *it, struct value *item)
{
	const struct group_list *l = (const struct group_list *)(void *)it->source.object;

	if (it->at >= l->n)
		return false;
	*item = l->v[it->at++];
	return true;
}

static bool next_group(struct vm *vm, struct iterator *it, struct value *item)
{
	const struct group_list *l = (const struct group_list *)(void *)it->source.object;

	if (it->at >= l->n)
		return false;
	return group_at(vm_scratch(vm), l->match, (int64_t)it->at++, item);
}

static struct iterator *iterate(struct vm *vm, struct value v)
{
	return vm_iterator(vm, value_is(v, &class_groups) ? next_group : next_item, v, NULL);
}

static const struct class_member capture_members[] = {
	{ "string Value { get; }", get_value },
	{ "int Index { get; }", get_index },
	{ "int Length { get; }", get_length },
	{ "string ToString()", get_value },
	{ 0 }
};
static const struct class_member group_members[] = {
	{ "bool Success { get; }", get_success },
	{ "string Name { get; }", get_name },
	{ "CaptureCollection Captures { get; }", get_captures },
	{ 0 }
};
static const struct class_member match_members[] = {
	{ "static Match Empty { get; }", get_empty },
	{ "GroupCollection Groups { get; }", get_groups },
	{ "Match NextMatch()", next_match },
	{ "string Result(string replacement)", result },
	{ 0 }
};
static const struct class_member groups_members[] = {
	{ "int Count { get; }", get_count },
	{ "Group this[int groupnum] { get; }", get_group },
	{ "Group this[string groupname] { get; }", get_group },
	{ "bool ContainsKey(string key)", has_group },
	{ 0 }
};
static const struct class_member matches_members[] = {
	{ "int Count { get; }", get_count },
	{ "Match this[int i] { get; }", get_item },
	{ 0 }
};
static const struct class_member captures_members[] = {
	{ "int Count { get; }", get_count },
	{ "Capture this[int i] { get; }", get_item },
	{ 0 }
};
static struct value_class class_capture = {
	.name = NAMESPACE "Capture", .members = capture_members, .to_text = capture_text
};
static struct value_class class_group = {
	.name = NAMESPACE "Group", .base = "Capture", .members = group_members, .to_text = capture_text
};
static struct value_class class_match = {
	.name = NAMESPACE "Match", .base = "Group", .members = match_members, .to_text = capture_text
};
struct value_class class_groups = {
	.name = NAMESPACE "GroupCollection", .interfaces = "IEnumerable<Group>", .members = groups_members, .iterate = iterate
};
struct value_class class_matches = {
	.name = NAMESPACE "MatchCollection", .interfaces = "IEnumerable<Match>", .members = matches_members, .iterate = iterate
};
static struct value_class class_captures = {
	.name = NAMESPACE "CaptureCollection", .interfaces = "IEnumerable<Capture>", .members = captures_members,
	.iterate = iterate
};
static struct value_class *const classes[] = { &class_capture, &class_group, &class_match, &class_groups,
					       &class_matches, &class_captures, NULL };

const struct class_module net_regex_match = { .classes = classes };
