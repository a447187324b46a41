/* uritemplate_set.c - the template of a path among many.
 *
 * A tree by segments. Literal children are not lists but entries of one hash table of the whole set, whose key is parent
 * and text, so a node with a thousand children costs the same as one with two. Each node is visited at most once per
 * search (it has one parent and one depth), which bounds a search that has to go back from a dead end. */
#include "core/uritemplate.h"

#include "core/uri.h"
#include "core/uritemplate_impl.h"

struct leaf {
	struct leaf *next;
	const struct uritemplate *t;
	struct str method;
	void *tag;
};

struct node {
	struct str literal;                  /* of a literal child */
	const struct node *parent;
	struct node *mixed, *next_mixed;     /* children with mixed segments, more literal text first */
	const struct segment *segment;       /* of a mixed child */
	struct node *param;
	struct leaf *ends, *wild;            /* templates that end here; whose wildcard begins here */
};

struct uritemplate_set {
	struct arena *arena;
	struct node *root;
	struct node **slots;                 /* literal children of all nodes; open addressing */
	size_t cap, n;
};

struct uritemplate_set *uritemplate_set_new(struct arena *a)
{
	struct uritemplate_set *s = arena_new_of(a, struct uritemplate_set);

	if (!s || !(s->root = arena_new_of(a, struct node)))
		return NULL;
	s->arena = a;
	return s;
}

/* FNV-1a over the decoded, lower-case segment and its parent's address. */
static uint64_t hash_of(const struct node *parent, struct str raw)
{
	uint64_t h = 1469598103934665603u ^ (uint64_t)(uintptr_t)parent;

	h *= 1099511628211u;
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];

		if (c == '%' && raw.n - i >= 3) {
			char one[3];

			if (uri_decode_to(one, (struct str){ raw.p + i, 3 }, false) == 1) {
				c = one[0];
				i += 2;
			}
		}
		h = (h ^ (unsigned char)ascii_lower(c)) * 1099511628211u;
	}
	return h ^ h >> 29;
}

static struct node *child(const struct uritemplate_set *s, const struct node *parent, struct str raw)
{
	if (!s->cap)
		return NULL;
	for (size_t i = hash_of(parent, raw) & (s->cap - 1);; i = (i + 1) & (s->cap - 1)) {
		struct node *n = s->slots[i];

		if (!n)
			return NULL;
		if (n->parent == parent && uri_eq_decoded_ci(raw, n->literal))
			return n;
	}
}

/* n->literal is decoded already: a "%" in it stands for itself, so it is hashed byte by byte. */
static uint64_t hash_of_node(const struct node *n)
{
	uint64_t h = 1469598103934665603u ^ (uint64_t)(uintptr_t)n->parent;

	h *= 1099511628211u;
	for (size_t i = 0; i < n->literal.n; i++)
		h = (h ^ (unsigned char)n->literal.p[i]) * 1099511628211u;
	return h ^ h >> 29;
}

static bool grow(struct uritemplate_set *s)
{
	size_t cap = s->cap ? 2 * s->cap : 8;
	struct node **slots;

	if (10 * (s->n + 1) <= 7 * s->cap)
		return true;
	slots = arena_alloc(s->arena, cap, sizeof(struct node *));
	if (!slots)
		return false;
	for (size_t i = 0; i < s->cap; i++) {
		size_t at;

		if (!s->slots[i])
			continue;
		at = hash_of_node(s->slots[i]) & (cap - 1);
		while (slots[at])
			at = (at + 1) & (cap - 1);
		slots[at] = s->slots[i];
	}
	s->slots = slots;
	s->cap = cap;
	return true;
}

static struct node *add_literal(struct uritemplate_set *s, struct node *parent, struct str literal)
{
	struct node key = { .parent = parent, .literal = literal }, *n;
	size_t at;

	if (!grow(s))
		return NULL;
	at = hash_of_node(&key) & (s->cap - 1);
	for (; (n = s->slots[at]); at = (at + 1) & (s->cap - 1))
		if (n->parent == parent && str_eq(n->literal, literal))
			return n;
	n = arena_new_of(s->arena, struct node);
	if (!n)
		return NULL;
	n->parent = parent;
	n->literal = literal;
	s->slots[at] = n;
	s->n++;
	return n;
}

static struct node *add_mixed(struct uritemplate_set *s, struct node *parent, const struct segment *segment)
{
	struct node **at = &parent->mixed, *n;

	for (; *at && (*at)->segment->literal.n >= segment->literal.n; at = &(*at)->next_mixed)
		if (str_eq((*at)->segment->literal, segment->literal))
			return *at;
	n = arena_new_of(s->arena, struct node);
	if (!n)
		return NULL;
	n->segment = segment;
	n->next_mixed = *at;
	*at = n;
	return n;
}

static struct node *add_child(struct uritemplate_set *s, struct node *parent, const struct segment *segment)
{
	switch (segment->kind) {
	case SEGMENT_LITERAL:
		return add_literal(s, parent, segment->literal);
	case SEGMENT_MIXED:
		return add_mixed(s, parent, segment);
	default:
		if (!parent->param)
			parent->param = arena_new_of(s->arena, struct node);
		return parent->param;
	}
}

static bool same_query(const struct uritemplate *a, const struct uritemplate *b)
{
	if (a->n_query != b->n_query)
		return false;
	for (size_t i = 0; i < a->n_query; i++) {
		bool found = false;

		for (size_t k = 0; k < b->n_query && !found; k++)
			found = str_eq_ci(a->query[i].key, b->query[k].key)
				&& str_is_null(a->query[i].literal) == str_is_null(b->query[k].literal)
				&& str_is_null(a->query[i].fallback) == str_is_null(b->query[k].fallback)
				&& str_eq_ci(a->query[i].literal, b->query[k].literal);
		if (!found)
			return false;
	}
	return true;
}

static bool add_leaf(struct uritemplate_set *s, struct leaf **list, const struct leaf *leaf, bool *shadowed)
{
	struct leaf *n;

	for (; *list; list = &(*list)->next) {
		if (str_eq((*list)->method, leaf->method) && (*list)->t->slash == leaf->t->slash && same_query((*list)->t, leaf->t)) {
			if (shadowed)
				*shadowed = true;
			return true;
		}
	}
	n = arena_new_of(s->arena, struct leaf);
	if (!n)
		return false;
	*n = *leaf;
	*list = n;
	return true;
}

gh_rc uritemplate_set_add(struct uritemplate_set *s, const struct uritemplate *t, struct str method, void *tag, bool *shadowed,
			  struct gh_err *err)
{
	struct leaf leaf = { .t = t, .method = method, .tag = tag };
	struct node *n = s->root;

	if (shadowed)
		*shadowed = false;
	for (size_t i = 0; i < t->n_segments; i++) {
		if (t->segments[i].kind == SEGMENT_WILD) {
			if (!add_leaf(s, &n->wild, &leaf, shadowed))
				FAIL(err, NOMEM, "URL template: no memory");
			return GH_RC_OK;
		}
		if (i >= t->least_segments && !add_leaf(s, &n->ends, &leaf, shadowed))
			FAIL(err, NOMEM, "URL template: no memory");
		n = add_child(s, n, &t->segments[i]);
		if (!n)
			FAIL(err, NOMEM, "URL template: no memory");
	}
	if (!add_leaf(s, &n->ends, &leaf, shadowed))
		FAIL(err, NOMEM, "URL template: no memory");
	return GH_RC_OK;
}

/* ---- searching -------------------------------------------------------------------------------------------------------- */

struct search {
	const struct uritemplate_set *set;
	struct arena *arena;
	struct str method, query;
	struct path_cut cut;
	bool other_method;
};

static const struct leaf *best_leaf(struct search *f, const struct leaf *list)
{
	const struct leaf *best = NULL;
	size_t best_score = 0;

	for (; list; list = list->next) {
		bool exact = str_eq(list->method, f->method), any = str_eq(list->method, STR("*"));
		size_t score = 1 + (size_t)(list->t->slash == f->cut.slash) + 2 * list->t->n_query + (exact ? 1000 : 0);

		if (score <= best_score || !uritemplate_query_fits(list->t, f->query))
			continue;
		if (!exact && !any) {
			f->other_method = true;
			continue;
		}
		best = list;
		best_score = score;
	}
	return best;
}

static const struct leaf *descend(struct search *f, const struct node *n, size_t depth)
{
	const struct leaf *found;
	const struct node *next;

	if (depth == f->cut.n) {
		if (!f->cut.more && (found = best_leaf(f, n->ends)))
			return found;
		return best_leaf(f, n->wild);
	}
	next = child(f->set, n, f->cut.v[depth]);
	if (next && (found = descend(f, next, depth + 1)))
		return found;
	for (next = n->mixed; next; next = next->next_mixed)
		if (uritemplate_segment_fits(next->segment, f->arena, f->cut.v[depth], NULL)
		    && (found = descend(f, next, depth + 1)))
			return found;
	if (n->param && f->cut.v[depth].n && (found = descend(f, n->param, depth + 1)))
		return found;
	return best_leaf(f, n->wild);
}

void *uritemplate_set_find(const struct uritemplate_set *s, struct arena *a, struct str method, struct str path,
			   struct str query, struct uritemplate_values *values, bool *other_method)
{
	struct search f = { .set = s, .arena = a, .method = method, .query = query };
	struct uritemplate_values none;
	const struct leaf *leaf;

	path_cut(path, &f.cut);
	leaf = descend(&f, s->root, 0);
	if (other_method)
		*other_method = !leaf && f.other_method;
	if (!leaf || !uritemplate_values_of(leaf->t, a, &f.cut, query, values ? values : &none))
		return NULL;
	return leaf->tag;
}
