#include "core/liquid/internal.h"

#include <stdlib.h>

/* Filters on lists. Most take whatever they get for a list: nothing is an empty one, a single thing a list of one, and
 * lists in lists are one list. Working on many items costs steps, so that a loop of them ends. */

enum { ITEMS_PER_STEP = 4 };

static GH_RC flatten(struct run *r, struct liquid_value v, struct liquid_list *into, unsigned depth)
{
	struct seq s;

	if (v.kind == LIQUID_NIL && depth == 0)
		return GH_RC_OK;
	if (value_seq(v, r->a, &s) && v.kind != LIQUID_RECORD && s.of.kind == v.kind && depth < LIQUID_MAX_TEXT_DEPTH) {
		r->steps += s.n / ITEMS_PER_STEP;
		for (size_t i = 0; i < s.n; i++)
			TRY(flatten(r, seq_at(&s, i), into, depth + 1));
		return GH_RC_OK;
	}
	liquid_push(into, v);
	if (into->failed)
		NO_MEMORY(r->err);
	return GH_RC_OK;
}

static GH_RC input_list(struct run *r, struct liquid_value in, struct liquid_list **out)
{
	*out = liquid_list_new(r->a);
	return flatten(r, in, *out, 0);
}

static bool has_members(struct liquid_value v)
{
	return v.kind == LIQUID_RECORD || v.kind == LIQUID_JSON || v.kind == LIQUID_OBJECT;
}

static struct liquid_value member_or_nil(struct run *r, struct liquid_value v, struct liquid_value key)
{
	struct liquid_value out;

	return value_is_text(key) && value_member(v, key.text, r->a, &out) ? out : LIQUID_NIL_VALUE;
}

/* ---- one item ------------------------------------------------------------------------------------------------------ */

static GH_RC f_first(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	if (!value_is_text(in))
		(void)value_member(in, STR("first"), r->a, out);
	return GH_RC_OK;
}

static GH_RC f_last(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	if (!value_is_text(in))
		(void)value_member(in, STR("last"), r->a, out);
	return GH_RC_OK;
}

static GH_RC f_size(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	struct seq s;

	*out = liquid_of_int(0);
	if (value_is_text(in))
		(void)value_member(in, STR("size"), r->a, out);
	else if (value_seq(in, r->a, &s))
		*out = liquid_of_int((int64_t)s.n);
	return GH_RC_OK;
}

/* ---- whole lists --------------------------------------------------------------------------------------------------- */

static GH_RC f_join(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct str between = STR(" "), one, all;
	struct liquid_list *l;
	struct buf b;

	if (a->n)
		TRY(arg_text(r, a->v[0], &between));
	TRY(input_list(r, in, &l));
	buf_init(&b, text_room(r->a));
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			buf_str(&b, between);
		if (!liquid_value_text(r->a, r->t->options.dialect, l->v[i], &one))
			b.failed = true;
		else
			buf_str(&b, one);
	}
	all = buf_ok(&b) ? arena_dup(r->a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	if (str_is_null(all))
		NO_MEMORY(r->err);
	*out = liquid_of_text(all);
	return GH_RC_OK;
}

static GH_RC f_reverse(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	struct liquid_list *l, *back = liquid_list_new(r->a);

	TRY(input_list(r, in, &l));
	for (size_t i = l->n; i--;)
		liquid_push(back, l->v[i]);
	*out = liquid_of_list(back);
	return GH_RC_OK;
}

static GH_RC f_concat(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_list *l;
	struct seq s;

	if (!value_seq(a->v[0], r->a, &s) || s.of.kind != a->v[0].kind)
		FAIL_RUN(r, a->at, "'concat' needs a list");
	TRY(input_list(r, in, &l));
	for (size_t i = 0; i < s.n; i++)
		liquid_push(l, seq_at(&s, i));
	*out = liquid_of_list(l);
	return GH_RC_OK;
}

static GH_RC f_compact(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_list *l, *kept = liquid_list_new(r->a);

	TRY(input_list(r, in, &l));
	for (size_t i = 0; i < l->n; i++)
		if ((a->n ? member_or_nil(r, l->v[i], a->v[0]) : l->v[i]).kind != LIQUID_NIL)
			liquid_push(kept, l->v[i]);
	*out = liquid_of_list(kept);
	return GH_RC_OK;
}

static GH_RC f_map(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_list *l, *mapped = liquid_list_new(r->a);

	TRY(input_list(r, in, &l));
	for (size_t i = 0; i < l->n; i++) {
		if (!has_members(l->v[i]))
			FAIL_RUN(r, a->at, "'map' needs a list of objects");
		liquid_push(mapped, member_or_nil(r, l->v[i], a->v[0]));
	}
	*out = liquid_of_list(mapped);
	return GH_RC_OK;
}

/* Seen values are found by the hash of their text, so the cost is linear. */
static GH_RC f_uniq(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_list *l, *kept = liquid_list_new(r->a), *keys = liquid_list_new(r->a);
	size_t cap = 16, *table;

	TRY(input_list(r, in, &l));
	while (cap < l->n * 2)
		cap *= 2;
	table = arena_alloc(r->a, cap, sizeof(*table));
	if (!table)
		NO_MEMORY(r->err);
	for (size_t i = 0; i < l->n; i++) {
		struct liquid_value key = a->n ? member_or_nil(r, l->v[i], a->v[0]) : l->v[i];
		struct str text;
		size_t at;

		TRY(arg_text(r, key, &text));
		for (at = str_hash(text) & (cap - 1); table[at]; at = (at + 1) & (cap - 1))
			if (value_equal(keys->v[table[at] - 1], key))
				break;
		if (table[at])
			continue;
		liquid_push(kept, l->v[i]);
		liquid_push(keys, key);
		if (keys->failed)
			NO_MEMORY(r->err);
		table[at] = keys->n;
	}
	*out = liquid_of_list(kept);
	return GH_RC_OK;
}

/* ---- sorting ------------------------------------------------------------------------------------------------------- */

struct sort_item {
	struct liquid_value key, value;
	struct str text;                  /* sort_natural */
	size_t place;                     /* keeps equal ones in order */
};

struct sorting {
	bool natural, mixed;
};

static int compare_keys(struct sorting *s, const struct sort_item *a, const struct sort_item *b)
{
	bool numbers = (a->key.kind == LIQUID_INT || a->key.kind == LIQUID_FLOAT)
		       && (b->key.kind == LIQUID_INT || b->key.kind == LIQUID_FLOAT);
	double x, y;

	if (a->key.kind == LIQUID_NIL || b->key.kind == LIQUID_NIL)
		return (a->key.kind == LIQUID_NIL) - (b->key.kind == LIQUID_NIL);
	if (s->natural)
		return str_cmp_ci(a->text, b->text);
	if (value_is_text(a->key) && value_is_text(b->key))
		return str_cmp(a->key.text, b->key.text);
	if (!numbers) {
		s->mixed = true;
		return 0;
	}
	if (a->key.kind == LIQUID_INT && b->key.kind == LIQUID_INT)
		return (a->key.i > b->key.i) - (a->key.i < b->key.i);
	x = value_float(a->key);
	y = value_float(b->key);
	return (x > y) - (x < y);
}

static int compare_items(const void *a, const void *b, void *sorting)
{
	const struct sort_item *x = a, *y = b;
	int c = compare_keys(sorting, x, y);

	return c ? c : (x->place > y->place) - (x->place < y->place);
}

static GH_RC sort(struct run *r, struct liquid_value in, const struct args *a, bool natural, struct liquid_value *out)
{
	bool by_member = a->n && a->v[0].kind != LIQUID_NIL;
	struct sorting s = { .natural = natural };
	struct liquid_list *l, *sorted = liquid_list_new(r->a);
	struct sort_item *items;

	TRY(input_list(r, in, &l));
	items = arena_alloc(r->a, l->n, sizeof(*items));
	if (!items)
		NO_MEMORY(r->err);
	for (size_t i = 0; i < l->n; i++) {
		items[i].value = l->v[i];
		items[i].key = by_member ? member_or_nil(r, l->v[i], a->v[0]) : l->v[i];
		items[i].place = i;
		TRY(arg_text(r, items[i].key, &items[i].text));
	}
	r->steps += l->n;
	qsort_r(items, l->n, sizeof(*items), compare_items, &s);
	if (s.mixed)
		FAIL_RUN(r, a->at, "values of different kinds cannot be sorted");
	for (size_t i = 0; i < l->n; i++)
		liquid_push(sorted, items[i].value);
	*out = liquid_of_list(sorted);
	return GH_RC_OK;
}

static GH_RC f_sort(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return sort(r, in, a, false, out);
}

static GH_RC f_sort_natural(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return sort(r, in, a, true, out);
}

/* ---- choosing: where, reject, find, find_index, has ---------------------------------------------------------------- */

struct choice {
	struct liquid_list *items;
	bool *yes;
	bool impossible;                  /* an item that is nothing makes the whole answer nothing */
};

static GH_RC item_matches(struct run *r, struct liquid_value item, const struct args *a, bool *yes)
{
	struct liquid_value key = a->v[0], v;

	if (value_is_text(item))
		v = value_is_text(key) && str_find(item.text, key.text) != SIZE_MAX ? key : LIQUID_NIL_VALUE;
	else if (has_members(item))
		v = member_or_nil(r, item, key);
	else
		FAIL_RUN(r, a->at, "a number or truth value has no property to choose by");
	*yes = a->n > 1 && a->v[1].kind != LIQUID_NIL ? value_equal(v, a->v[1]) : value_truthy(v);
	return GH_RC_OK;
}

static GH_RC choose(struct run *r, struct liquid_value in, const struct args *a, struct choice *c)
{
	TRY(input_list(r, in, &c->items));
	c->impossible = false;
	c->yes = arena_alloc(r->a, c->items->n, sizeof(*c->yes));
	if (!c->yes)
		NO_MEMORY(r->err);
	for (size_t i = 0; i < c->items->n && !c->impossible; i++) {
		c->impossible = c->items->v[i].kind == LIQUID_NIL;
		if (!c->impossible)
			TRY(item_matches(r, c->items->v[i], a, &c->yes[i]));
	}
	return GH_RC_OK;
}

static GH_RC keep(struct run *r, struct liquid_value in, const struct args *a, bool wanted, struct liquid_value *out)
{
	struct liquid_list *kept = liquid_list_new(r->a);
	struct choice c;

	if (a->v[0].kind == LIQUID_NIL) {
		*out = liquid_of_list(kept);
		return GH_RC_OK;
	}
	TRY(choose(r, in, a, &c));
	for (size_t i = 0; i < c.items->n && !c.impossible; i++)
		if (c.yes[i] == wanted)
			liquid_push(kept, c.items->v[i]);
	*out = c.impossible ? LIQUID_NIL_VALUE : liquid_of_list(kept);
	return GH_RC_OK;
}

static GH_RC f_where(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return keep(r, in, a, true, out);
}

static GH_RC f_reject(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return keep(r, in, a, false, out);
}

/* Place of the first match, -1 when there is none, -2 when there is no answer. */
static GH_RC first_match(struct run *r, struct liquid_value in, const struct args *a, struct choice *c, int64_t *at)
{
	TRY(choose(r, in, a, c));
	*at = c->impossible ? -2 : -1;
	for (size_t i = 0; i < c->items->n && *at == -1; i++)
		if (c->yes[i])
			*at = (int64_t)i;
	return GH_RC_OK;
}

static GH_RC f_find(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct choice c;
	int64_t at;

	TRY(first_match(r, in, a, &c, &at));
	*out = at >= 0 ? c.items->v[at] : LIQUID_NIL_VALUE;
	return GH_RC_OK;
}

static GH_RC f_find_index(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct choice c;
	int64_t at;

	TRY(first_match(r, in, a, &c, &at));
	*out = at >= 0 ? liquid_of_int(at) : LIQUID_NIL_VALUE;
	return GH_RC_OK;
}

static GH_RC f_has(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct choice c;
	int64_t at;

	TRY(first_match(r, in, a, &c, &at));
	*out = at == -2 ? LIQUID_NIL_VALUE : liquid_of_bool(at >= 0);
	return GH_RC_OK;
}

/* ---- split --------------------------------------------------------------------------------------------------------- */

static void split_space(struct liquid_list *l, struct str s)
{
	while ((s = str_trim(s)).n) {
		size_t n = 0;

		while (n < s.n && !ascii_is_space(s.p[n]))
			n++;
		liquid_push(l, liquid_of_text(str_first(s, n)));
		s = str_from(s, n);
	}
}

static void split_chars(struct liquid_list *l, struct str s)
{
	while (s.n) {
		unsigned n = utf8_decode(s, NULL);

		n = n ? n : 1;
		liquid_push(l, liquid_of_text(str_first(s, n)));
		s = str_from(s, n);
	}
}

static GH_RC f_split(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_list *l = liquid_list_new(r->a);
	struct str s, by;
	size_t at;

	TRY(arg_text(r, in, &s));
	TRY(arg_text(r, a->v[0], &by));
	*out = liquid_of_list(l);
	if (!by.n) {
		split_chars(l, s);
	} else if (str_eq(by, STR(" "))) {
		split_space(l, s);
	} else {
		while ((at = str_find(s, by)) != SIZE_MAX) {
			liquid_push(l, liquid_of_text(str_first(s, at)));
			s = str_from(s, at + by.n);
		}
		liquid_push(l, liquid_of_text(s));
		while (l->n && !l->v[l->n - 1].text.n)    /* empty ones at the end do not count */
			l->n--;
	}
	r->steps += l->n / ITEMS_PER_STEP;
	return GH_RC_OK;
}

enum { EVERYWHERE = FILTER_STANDARD | FILTER_DOTLIQUID };

const struct filter filters_list[] = {
	{ "compact", f_compact, 0, 1, EVERYWHERE, NULL },
	{ "concat", f_concat, 1, 1, EVERYWHERE, NULL },
	{ "find", f_find, 1, 2, FILTER_STANDARD, NULL },
	{ "find_index", f_find_index, 1, 2, FILTER_STANDARD, NULL },
	{ "first", f_first, 0, 0, EVERYWHERE, NULL },
	{ "has", f_has, 1, 2, FILTER_STANDARD, NULL },
	{ "join", f_join, 0, 1, EVERYWHERE, NULL },
	{ "last", f_last, 0, 0, EVERYWHERE, NULL },
	{ "map", f_map, 1, 1, EVERYWHERE, NULL },
	{ "reject", f_reject, 1, 2, FILTER_STANDARD, NULL },
	{ "reverse", f_reverse, 0, 0, EVERYWHERE, NULL },
	{ "size", f_size, 0, 0, EVERYWHERE, NULL },
	{ "sort", f_sort, 0, 1, EVERYWHERE, NULL },
	{ "sort_natural", f_sort_natural, 0, 1, FILTER_STANDARD, NULL },
	{ "split", f_split, 1, 1, EVERYWHERE, NULL },
	{ "uniq", f_uniq, 0, 1, EVERYWHERE, NULL },
	{ "where", f_where, 1, 2, EVERYWHERE, NULL },
	{ NULL, NULL, 0, 0, 0, NULL },
};
