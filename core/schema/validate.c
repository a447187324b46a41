/* validate.c - running nodes over values, with the errors, limits and book-keeping of what has been evaluated.
 *
 * Nothing is allocated for a valid value unless some schema asks what has been evaluated (unevaluated…, or a caller that
 * wants closed objects). The way to the value at hand is a chain of frames on the stack and becomes text only in an error. */
#include "core/schema/schema.h"

#include "core/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SCRATCH_MAX ((size_t)64 << 20)

/* ---- limits ---------------------------------------------------------------------------------------------------------------- */

bool give_up(struct check *k)
{
	k->result->gave_up = true;
	return false;
}

bool spend(struct check *k, size_t steps)
{
	k->steps += steps;
	return k->steps <= JSONSCHEMA_MAX_STEPS && !k->result->gave_up ? true : give_up(k);
}

bool pattern_matches(struct check *k, const struct pattern *p, struct str text)
{
	pcre2_match_data *md = pcre2_match_data_create(1, NULL);
	int rc;

	if (!md)
		return give_up(k);
	rc = pcre2_match(p->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0, PCRE2_NO_UTF_CHECK, md, k->s->match);
	pcre2_match_data_free(md);
	if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
		return give_up(k);
	return rc >= 0;
}

bool has_member(const struct check *k, const json_t *obj, struct str name)
{
	const char *at;
	json_t *member;

	if (jsn_get_n(obj, name))
		return true;
	if (!k->s->options.ignore_case)
		return false;
	json_object_foreach((json_t *)(uintptr_t)obj, at, member) {
		if (str_eq_ci(str_of(at), name))
			return true;
	}
	return false;
}

/* ---- errors ---------------------------------------------------------------------------------------------------------------- */

static void put_frames(struct buf *pointer, struct buf *path, const struct frame *f)
{
	char index[24];

	if (!f)
		return;
	put_frames(pointer, path, f->up);
	if (!f->name) {
		snprintf(index, sizeof(index), "%zu", f->index);
		jsn_pointer_add(pointer, str_of(index));
		buf_fmt(path, "[%s]", index);
		return;
	}
	jsn_pointer_add(pointer, str_of(f->name));
	if (strpbrk(f->name, ".[]'\" ") || !f->name[0])
		buf_fmt(path, "['%s']", f->name);
	else
		buf_fmt(path, "%s%s", path->n > 0 ? "." : "", f->name);
}

static void record(struct check *k, const struct node *n, const struct rule *r, const char *name, const char *fmt, va_list ap)
{
	struct jsonschema_error *e = &k->result->errors[k->result->n_errors];
	struct frame last = { k->at, name, 0 };
	struct buf pointer, path, schema;
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	buf_init(&pointer, 1 << 20);
	buf_init(&path, 1 << 20);
	buf_init(&schema, 1 << 20);
	put_frames(&pointer, &path, name ? &last : k->at);
	buf_str(&schema, n->pointer);
	if (r)
		jsn_pointer_add(&schema, str_of(r->keyword->name));
	e->instance = arena_dup(k->out, buf_view(&pointer));
	e->path = arena_dup(k->out, buf_view(&path));
	e->schema = arena_dup(k->out, buf_view(&schema));
	e->keyword = r ? str_of(r->keyword->name) : STR("");
	e->message = arena_dup(k->out, str_of(text));
	if (!e->instance.p || !e->path.p || !e->schema.p || !e->message.p)
		k->no_memory = true;
	k->result->n_errors++;
	buf_release(&pointer);
	buf_release(&path);
	buf_release(&schema);
}

bool wrong(struct check *k, const struct node *n, const struct rule *r, const char *fmt, ...)
{
	va_list ap;

	if (k->quiet > 0 || k->result->n_errors >= k->max_errors)
		return false;
	va_start(ap, fmt);
	record(k, n, r, NULL, fmt, ap);
	va_end(ap);
	return false;
}

bool wrong_at(struct check *k, const struct node *n, const struct rule *r, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (k->quiet > 0 || k->result->n_errors >= k->max_errors)
		return false;
	va_start(ap, fmt);
	record(k, n, r, name, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- what has been evaluated ------------------------------------------------------------------------------------------------ */

static int by_address(const void *l, const void *r)
{
	uintptr_t a = (uintptr_t)*(const char *const *)l, b = (uintptr_t)*(const char *const *)r;

	return a < b ? -1 : a > b;
}

void seen_name(struct check *k, const json_t *obj UNUSED, const char *name)
{
	struct seen *s = k->seen;

	if (!s || s->all_names)
		return;
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;
		const char **grown = arena_alloc(k->scratch, cap, sizeof(*grown));

		if (!grown) {
			give_up(k);
			return;
		}
		if (s->n)
			memcpy(grown, s->names, s->n * sizeof(*grown));
		s->names = grown;
		s->cap = cap;
	}
	s->names[s->n++] = name;
}

void seen_sort(struct seen *s)
{
	if (s->n > 1)
		qsort(s->names, s->n, sizeof(*s->names), by_address);
}

bool seen_has(const struct seen *s, const char *name)
{
	return s->all_names || (s->n > 0 && bsearch(&name, s->names, s->n, sizeof(*s->names), by_address));
}

static void seen_add(struct check *k, struct seen *to, const struct seen *from)
{
	struct seen *before = k->seen;

	to->described |= from->described;
	to->all_names |= from->all_names;
	to->all_items |= from->all_items;
	if (from->items > to->items)
		to->items = from->items;
	k->seen = to;
	for (size_t i = 0; i < from->n; i++)
		seen_name(k, NULL, from->names[i]);
	k->seen = before;
	if (!from->more_items)
		return;
	if (!to->more_items) {
		to->more_items = from->more_items;
		to->n_more = from->n_more;
		return;
	}
	for (size_t i = 0; i < from->n_more && i < to->n_more; i++)
		to->more_items[i] |= from->more_items[i];
}

/* ---- running ---------------------------------------------------------------------------------------------------------------- */

static bool concerns(enum applies_to to, const json_t *value)
{
	switch (to) {
	case TO_OBJECT:
		return json_is_object(value);
	case TO_ARRAY:
		return json_is_array(value);
	case TO_STRING:
		return json_is_string(value);
	case TO_NUMBER:
		return json_is_number(value);
	default:
		return true;
	}
}

static bool nullable(const struct node *n, const json_t *value)
{
	return json_is_null(value) && n->dialect == JSONSCHEMA_OPENAPI_3_0 &&
	       (jsn_bool(n->schema, "nullable", false) || jsn_bool(n->schema, "x-nullable", false));
}

static bool run_rules(struct check *k, const struct node *n, const json_t *value)
{
	bool ok = true;

	if (nullable(n, value))
		return true;
	for (size_t i = 0; i < n->n_rules; i++) {
		const struct rule *r = &n->rules[i];

		if (!concerns(r->keyword->to, value))
			continue;
		if (!spend(k, 1))
			return false;
		if (!r->keyword->check(k, n, r, value)) {
			ok = false;
			/* once it is known that the value is wrong, only further messages are of interest */
			if (k->quiet > 0 || k->result->n_errors >= k->max_errors || k->result->gave_up)
				return false;
		}
	}
	return ok;
}

bool check_node(struct check *k, const struct node *n, const json_t *value)
{
	struct scope scope = { k->scope, n->resource };
	struct seen mine = { 0 }, *outer = k->seen;
	const struct scope *before = k->scope;
	bool ok;

	if (n->always)
		return true;
	if (n->never)
		return wrong(k, n, NULL, "Schema always fails validation.");
	if (k->depth == JSONSCHEMA_MAX_DEPTH)
		return give_up(k);
	k->depth++;
	if (!before || before->resource != n->resource)
		k->scope = &scope;
	if (outer)
		k->seen = &mine;
	ok = run_rules(k, n, value);
	k->seen = outer;
	if (ok && outer)
		seen_add(k, outer, &mine);
	k->scope = before;
	k->depth--;
	return ok;
}

bool check_quietly(struct check *k, const struct node *n, const json_t *value)
{
	bool ok;

	k->quiet++;
	ok = check_node(k, n, value);
	k->quiet--;
	return ok;
}

/* With closed objects: members that no schema on the way has spoken of. */
static bool check_closed(struct check *k, const struct node *n, const json_t *value, struct seen *seen)
{
	const char *name;
	json_t *member;
	bool ok = true;

	if (!json_is_object(value) || !seen->described || seen->all_names)
		return true;
	seen_sort(seen);
	json_object_foreach((json_t *)(uintptr_t)value, name, member) {
		if (!seen_has(seen, name))
			ok = wrong_at(k, n, NULL, name, "Property '%.100s' has not been defined and the schema does not allow "
				      "additional properties.", name);
	}
	return ok;
}

/* A value of its own: what was evaluated of the value around it says nothing about it. */
static bool check_value(struct check *k, const struct node *n, const json_t *value)
{
	struct seen *outer = k->seen, mine = { 0 };
	bool ok;

	k->seen = k->s->tracks ? &mine : NULL;
	ok = check_node(k, n, value);
	if (ok && k->s->options.closed)
		ok = check_closed(k, n, value, &mine);
	k->seen = outer;
	return ok;
}

bool check_member(struct check *k, const struct node *n, const json_t *value, const char *name, size_t index)
{
	struct frame f = { k->at, name, index };
	bool ok;

	k->at = &f;
	ok = check_value(k, n, value);
	k->at = f.up;
	return ok;
}

GH_RC jsonschema_validate(const struct jsonschema *s, const json_t *value, struct arena *a, size_t max_errors,
			  struct jsonschema_result *out, struct gh_err *err)
{
	struct check k = { .s = s, .out = a, .result = out, .max_errors = max_errors };

	*out = (struct jsonschema_result){ 0 };
	if (max_errors > 0) {
		out->errors = arena_alloc(a, max_errors, sizeof(*out->errors));
		if (!out->errors)
			FAIL(err, LIMIT, "no room for validation errors");
	}
	k.scratch = arena_new(SCRATCH_MAX);
	if (!k.scratch)
		FAIL(err, NOMEM, "validation");
	out->valid = check_value(&k, s->root, value) && !out->gave_up;
	arena_free(k.scratch);
	if (k.no_memory)
		FAIL(err, LIMIT, "no room for validation errors");
	return GH_RC_OK;
}
