/* run.c - rules over a document: paths to values, values before functions, hits with their places. */
#include "config/governance/function.h"

#include "core/str.h"
#include "core/yaml.h"
#include "policy/net/out.h"

enum { DESCRIPTION_NODES_MAX = 2000000, TOKEN_DEPTH_MAX = 256, REFS_MAX = 16, SHOWN_MAX = 120, PATH_SEGMENTS_MAX = 600 };

/* ---- values to tokens and back ------------------------------------------------------------------------------------------------ */

static struct jtoken *token_of(struct arena *a, const json_t *v, unsigned depth);

static struct jtoken *container_of(struct arena *a, const json_t *v, unsigned depth)
{
	struct jtoken *t = jt_container(a, json_is_object(v) ? JT_OBJECT : JT_ARRAY), *child;
	const char *name;
	size_t i;
	json_t *m;

	if (!t || depth >= TOKEN_DEPTH_MAX)
		return NULL;
	if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, name, m) {
			child = token_of(a, m, depth + 1);
			if (!child || !jt_set(a, t, arena_dup(a, str_of(name)), child))
				return NULL;
		}
		return t;
	}
	json_array_foreach(v, i, m) {
		child = token_of(a, m, depth + 1);
		if (!child || !jt_insert(a, t, t->n, child, NULL))
			return NULL;
	}
	return t;
}

static struct jtoken *token_of(struct arena *a, const json_t *v, unsigned depth)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		return container_of(a, v, depth);
	case JSON_STRING:
		return jt_string(a, arena_dup(a, jsn_string(v)));
	case JSON_INTEGER:
		return jt_leaf(a, JT_INTEGER, (struct value){ .kind = VALUE_LONG, .i = json_integer_value(v) });
	case JSON_REAL:
		return jt_leaf(a, JT_FLOAT, (struct value){ .kind = VALUE_DOUBLE, .d = json_real_value(v) });
	case JSON_TRUE:
	case JSON_FALSE:
		return jt_leaf(a, JT_BOOLEAN, value_bool(json_is_true(v)));
	default:
		return jt_leaf(a, JT_NULL, VALUE_NULL_INIT);
	}
}

struct jtoken *governance_token(struct arena *a, const json_t *v)
{
	return token_of(a, v, 0);
}

static json_t *json_of(const struct jtoken *t, unsigned depth)
{
	json_t *v;

	if (depth > TOKEN_DEPTH_MAX)
		return NULL;
	if (t->type == JT_OBJECT || t->type == JT_ARRAY || t->type == JT_CONSTRUCTOR) {
		v = t->type == JT_OBJECT ? json_object() : json_array();
		for (size_t i = 0; v && i < t->n; i++) {
			const struct jtoken *c = t->v[i];
			json_t *m = json_of(c->type == JT_PROPERTY && c->n ? c->v[0] : c, depth + 1);

			if (!m || (c->type == JT_PROPERTY ? json_object_setn_new(v, c->name.p, c->name.n, m) : json_array_append_new(v, m)) != 0) {
				json_decref(v);
				return NULL;
			}
		}
		return v;
	}
	switch (t->value.kind) {
	case VALUE_STRING:
		return json_stringn(value_str(t->value).p, value_str(t->value).n);
	case VALUE_BOOL:
		return json_boolean(t->value.b);
	case VALUE_DOUBLE:
		return json_real(t->value.d);
	case VALUE_NULL:
	case VALUE_OBJECT:
		return json_null();
	default:
		return json_integer(t->value.i);
	}
}

json_t *governance_json(const struct jtoken *t)
{
	return json_of(t, 0);
}

/* ---- the description ----------------------------------------------------------------------------------------------------------- */

static unsigned format_of(struct jtoken *root)
{
	struct jtoken *v = root->type == JT_OBJECT ? jt_get(root, STR("openapi")) : NULL;
	struct str version = v && !jt_is_container(v) ? value_str(v->value) : STR_NULL;

	if (str_starts(version, STR("3.0")))
		return GOVERNANCE_OAS3_0;
	if (version.n)
		return GOVERNANCE_OAS3_1;
	return root->type == JT_OBJECT && jt_get(root, STR("swagger")) ? GOVERNANCE_OAS2 : 0;
}

GH_RC governance_description(struct arena *a, struct str text, struct governance_subject *out, struct gh_err *err)
{
	const struct yaml_limits limits = { 0, DESCRIPTION_NODES_MAX, TOKEN_DEPTH_MAX };
	struct str start = str_trim(str_starts(text, STR("\xef\xbb\xbf")) ? str_from(text, 3) : text);
	struct text_where where;
	json_t *v;

	*out = (struct governance_subject){ .document = GOVERNANCE_OPENAPI };
	if (start.n && *start.p == '{' && !jt_read(a, start, JT_READ_PLAIN_DATES, &out->root, err).code) {
		out->format = format_of(out->root);
		return GH_RC_OK;
	}
	TRY(yaml_parse(text, &limits, &v, &where, err));
	out->root = governance_token(a, v);
	json_decref(v);
	if (!out->root)
		FAIL(err, LIMIT, "the description is too large to be looked at");
	if (out->root->type != JT_OBJECT)
		FAIL(err, INVALID, "the description is no object");
	out->format = format_of(out->root);
	return GH_RC_OK;
}

/* ---- places -------------------------------------------------------------------------------------------------------------------- */

/* The way from the root: tokens whose parent is an object's property or a list, innermost last. */
static size_t way_to(struct jtoken *t, struct jtoken *way[PATH_SEGMENTS_MAX])
{
	size_t n = 0;

	for (; t && t->parent && n < PATH_SEGMENTS_MAX; t = t->parent)
		if (t->parent->type != JT_OBJECT)        /* a property stands for its value */
			way[n++] = t;
	return n;
}

static struct str pointer_to(struct arena *a, struct jtoken *t)
{
	struct jtoken *way[PATH_SEGMENTS_MAX];
	size_t n = way_to(t, way);
	struct str out;
	struct buf b;

	buf_init(&b, 64 * 1024);
	while (n-- > 0) {
		char number[24];

		snprintf(number, sizeof(number), "%zu", jt_position(way[n]));
		jsn_pointer_add(&b, way[n]->parent->type == JT_PROPERTY ? way[n]->parent->name : str_of(number));
	}
	out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

/* What the facts say themselves ("policy api:orders, line 5"), else the names on the way with dots between them. */
static struct str place_of(struct arena *a, struct jtoken *t, enum governance_document document)
{
	struct jtoken *way[PATH_SEGMENTS_MAX];
	struct out o = out_in(a);
	size_t n;

	for (struct jtoken *up = t; up && document == GOVERNANCE_CONFIGURATION; up = up->parent) {
		struct jtoken *place = up->type == JT_OBJECT ? jt_get(up, STR("place")) : NULL;

		if (place && value_is_string(place->value))
			return value_str(place->value);
	}
	for (n = way_to(t, way); n-- > 0;) {
		if (way[n]->parent->type == JT_PROPERTY)
			out_put(&o, way[n]->parent->name);
		else
			out_fmt(&o, "%zu", jt_position(way[n]));
		out_add(&o, ".", n ? 1 : 0);
	}
	return o.n ? out_str(&o) : STR("");
}

/* ---- one value ----------------------------------------------------------------------------------------------------------------- */

struct run {
	struct arena *a;
	const struct governance_rule *rule;
	const struct governance_subject *d;
	struct governance_hit *v;
	size_t n, cap;
	bool more, failed;
};

/* {"$ref": "#/components/..."} stands for what it names. */
static struct jtoken *follow(const struct run *r, struct jtoken *t)
{
	for (unsigned i = 0; i < REFS_MAX && t && t->type == JT_OBJECT; i++) {
		struct jtoken *ref = jt_get(t, STR("$ref")), *to = r->d->root;
		struct str path = ref && !jt_is_container(ref) ? value_str(ref->value) : STR_NULL, token;

		if (r->d->document != GOVERNANCE_OPENAPI || !str_starts(path, STR("#/")))
			return t;
		path = arena_dup(r->a, str_from(path, 2));
		while (to && str_split(&path, '/', &token)) {
			size_t n = jsn_pointer_unescape((char *)(uintptr_t)token.p, token.n, true);
			uint64_t index;

			token.n = n == SIZE_MAX ? 0 : n;
			if (to->type == JT_ARRAY)
				to = str_to_u64(token, to->n, &index) && index < to->n ? to->v[index] : NULL;
			else
				to = to->type == JT_OBJECT ? jt_get(to, token) : NULL;
		}
		if (!to)
			return t;
		t = to;
	}
	return t;
}

static struct str shown(struct arena *a, struct jtoken *v)
{
	struct out o = out_in(a);
	struct str s;
	bool first = true;

	if (!v)
		return STR("");
	if (v->type == JT_ARRAY) {               /* names with commas between them read best */
		for (size_t i = 0; i < v->n && o.n < SHOWN_MAX && !jt_is_container(v->v[i]); i++, first = false) {
			out_add(&o, ", ", first ? 0 : 2);
			jt_text(a, &o, v->v[i]);
		}
	}
	if (first)
		jt_text(a, &o, v);
	s = out_str(&o);
	if (s.n <= SHOWN_MAX)
		return s;
	s.n = SHOWN_MAX;
	while (s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	return arena_printf(a, "%.*s…", STR_ARG(s));
}

/* The message with {{error}}, {{description}}, {{property}}, {{value}} and {{path}} put in. */
static struct str message_of(struct run *r, struct str error, struct str property, struct jtoken *value, struct str place)
{
	struct str rest = r->rule->message, plain = arena_printf(r->a, "%.*s%s%.*s", STR_ARG(property), property.n ? " " : "", STR_ARG(error));
	struct out o = out_in(r->a);
	size_t at;

	if (!rest.n)
		return r->rule->description.n ? arena_printf(r->a, "%.*s: %.*s", STR_ARG(r->rule->description), STR_ARG(plain)) : plain;
	while ((at = str_find(rest, STR("{{"))) != SIZE_MAX) {
		struct str inside = str_from(rest, at + 2), name;
		size_t end = str_find(inside, STR("}}"));

		if (end == SIZE_MAX)
			break;
		out_put(&o, str_first(rest, at));
		name = str_trim(str_first(inside, end));
		out_put(&o, str_eq(name, STR("error")) ? plain : str_eq(name, STR("description")) ? r->rule->description
			    : str_eq(name, STR("property")) ? property : str_eq(name, STR("value")) ? shown(r->a, value)
			    : str_eq(name, STR("path")) ? place : str_first(str_from(rest, at), end + 4));
		rest = str_from(inside, end + 2);
	}
	out_put(&o, rest);
	return out_str(&o);
}

static void add_hit(struct run *r, struct governance_hit hit)
{
	if (r->n == GOVERNANCE_OF_RULE_MAX) {
		r->more = true;
		return;
	}
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 4;
		struct governance_hit *v = arena_alloc(r->a, cap, sizeof(*v));

		if (!v) {
			r->failed = true;
			return;
		}
		if (r->n)
			memcpy(v, r->v, r->n * sizeof(*v));
		r->v = v;
		r->cap = cap;
	}
	r->failed = r->failed || !hit.pointer.p || !hit.place.p || !hit.message.p;
	r->v[r->n++] = hit;
}

/* `where` is shown; `value` is judged. */
static void judge(struct run *r, const struct governance_then *t, struct jtoken *where, struct jtoken *value, struct str property)
{
	struct governance_judge j = { .arena = r->a };
	struct governance_hit hit;

	if (r->more || t->function->run(&j, t, value))
		return;
	hit.pointer = pointer_to(r->a, where);
	hit.place = place_of(r->a, where, r->d->document);
	hit.message = message_of(r, j.error, property, value, hit.place);
	add_hit(r, hit);
}

static struct str name_of(const struct jtoken *t)
{
	return t->parent && t->parent->type == JT_PROPERTY ? t->parent->name : STR("");
}

/* "a.b": a member of that name, else member by member. */
static struct jtoken *member(const struct run *r, struct jtoken *t, struct str field)
{
	struct jtoken *v = t->type == JT_OBJECT ? jt_get(t, field) : NULL;
	struct str part;

	if (v || str_find_char(field, '.') == SIZE_MAX)
		return v;
	if (str_starts(field, STR("$.")))
		field = str_from(field, 2);
	for (v = t; v && str_split(&field, '.', &part);) {
		v = follow(r, v);
		v = v->type == JT_OBJECT ? jt_get(v, part) : NULL;
	}
	return v;
}

static void look_at(struct run *r, struct jtoken *where)
{
	struct jtoken *t = follow(r, where);

	for (size_t i = 0; i < r->rule->n_then; i++) {
		const struct governance_then *then = &r->rule->then[i];

		if (!then->field.n) {
			judge(r, then, where, t, name_of(where));
		} else if (str_eq(then->field, STR("@key"))) {
			for (size_t k = 0; t->type == JT_OBJECT && k < t->n; k++) {
				struct jtoken *key = jt_string(r->a, t->v[k]->name);

				if (key && t->v[k]->n)
					judge(r, then, t->v[k]->v[0], key, t->v[k]->name);
			}
		} else if (t->type == JT_OBJECT) {
			struct jtoken *v = member(r, t, then->field);

			judge(r, then, v && t == where ? v : where, v ? follow(r, v) : NULL, then->field);
		}
	}
}

GH_RC governance_run(struct arena *a, const struct governance_rule *rule, const struct governance_subject *d, struct governance_hit **out,
		     size_t *n, bool *more, struct gh_err *err)
{
	struct run r = { .a = a, .rule = rule, .d = d };

	if (rule->document == d->document && (!rule->formats || (rule->formats & d->format)))
		for (size_t i = 0; i < rule->n_given; i++) {
			uint64_t steps = GOVERNANCE_STEPS_MAX;
			struct jt_found found;
			struct gh_err why;

			if (!jt_select(a, d->root, rule->given[i], &steps, &found, &why)) {
				add_hit(&r, (struct governance_hit){ STR(""), STR(""), arena_printf(a, "the rule cannot be run here: %s", why.message) });
				continue;
			}
			for (size_t k = 0; k < found.n; k++)
				look_at(&r, found.v[k]);
		}
	if (r.failed)
		FAIL(err, NOMEM, "governance");
	*out = r.v;
	*n = r.n;
	*more = r.more;
	return GH_RC_OK;
}
