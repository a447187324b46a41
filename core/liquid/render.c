#include "core/liquid/internal.h"

#include "core/clock.h"

#include <stdio.h>

enum { DEFAULT_MAX_STEPS = 1000000 };

struct var *var_find(struct var *list, struct str name)
{
	for (; list; list = list->next)
		if (str_eq(list->name, name))
			return list;
	return NULL;
}

gh_rc var_set(struct run *r, struct var **list, struct str name, struct liquid_value v)
{
	struct var *var = var_find(*list, name);

	if (!var) {
		var = arena_new_of(r->a, struct var);
		if (!var)
			NO_MEMORY(r->err);
		var->name = name;
		var->next = *list;
		*list = var;
	}
	var->value = v;
	return GH_RC_OK;
}

gh_rc assign_name(struct run *r, struct str name, struct liquid_value v)
{
	struct frame *f = r->frame;

	while (!f->base)
		f = f->up;
	return var_set(r, &f->vars, name, v);
}

gh_rc run_step(struct run *r, struct place at)
{
	uint64_t max = r->env->max_steps ? r->env->max_steps : DEFAULT_MAX_STEPS;

	if (++r->steps > max)
		return fail_at(r->err, GH_E_LIMIT, r->t->name, at, "the template does more than %llu steps",
			       (unsigned long long)max);
	if (r->out->failed)
		return fail_at(r->err, GH_E_LIMIT, r->t->name, at, "the output is larger than %zu bytes", r->out->max);
	return GH_RC_OK;
}

gh_rc run_block(struct run *r, const struct block *b)
{
	for (const struct node *n = b->first; n && r->flow == FLOW_ON; n = n->next) {
		TRY(run_step(r, n->at));
		TRY(n->run(r, n));
	}
	return GH_RC_OK;
}

gh_rc write_value(struct run *r, struct liquid_value v, bool escape)
{
	struct str text;

	if (!liquid_value_text(r->a, r->t->options.dialect, v, &text))
		NO_MEMORY(r->err);
	if (escape)
		liquid_escape_html(r->out, text);
	else
		buf_str(r->out, text);
	return GH_RC_OK;
}

/* ---- expressions --------------------------------------------------------------------------------------------------- */

static bool find_name(struct run *r, struct str name, struct liquid_value *out)
{
	struct var *v = NULL;

	for (struct frame *f = r->frame; f && !v; f = f->sealed ? NULL : f->up)
		v = var_find(f->vars, name);
	if (!v)
		v = var_find(r->counters, name);
	if (v) {
		*out = v->value;
		return true;
	}
	return value_member(r->env->globals, name, r->a, out);
}

static GH_RC eval_path(struct run *r, const struct expr *e, struct liquid_value *out, bool *found)
{
	struct liquid_value v = LIQUID_NIL_VALUE, key;
	struct str name = e->root;

	if (e->root_expr) {
		TRY(eval_expr(r, e->root_expr, &key));
		name = value_is_text(key) ? key.text : STR("");
	}
	*found = find_name(r, name, &v);
	for (const struct path_step *s = e->steps; s && *found; s = s->next) {
		struct liquid_value next = LIQUID_NIL_VALUE;

		if (s->index) {
			TRY(eval_expr(r, s->index, &key));
			if (value_is_text(key))
				*found = value_member(v, key.text, r->a, &next);
			else
				*found = key.kind == LIQUID_INT && value_index(v, key.i, r->a, &next);
		} else {
			*found = value_member(v, s->name, r->a, &next);
		}
		v = next;
	}
	if (value_failed(v))
		NO_MEMORY(r->err);
	*out = *found ? v : LIQUID_NIL_VALUE;
	return GH_RC_OK;
}

static GH_RC eval_range(struct run *r, const struct expr *e, struct liquid_value *out)
{
	struct liquid_value from, to;

	TRY(eval_expr(r, e->from, &from));
	TRY(eval_expr(r, e->to, &to));
	*out = (struct liquid_value){ .kind = LIQUID_RANGE, .range = { liquid_value_int(from), liquid_value_int(to) } };
	if (out->range.to > out->range.from
	    && (uint64_t)out->range.to - (uint64_t)out->range.from >= LIQUID_MAX_LIST)
		return fail_at(r->err, GH_E_LIMIT, r->t->name, e->at, "a range of more than %d numbers", LIQUID_MAX_LIST);
	return GH_RC_OK;
}

static GH_RC eval_found(struct run *r, const struct expr *e, struct liquid_value *out, bool *found)
{
	*found = true;
	if (e->kind == EXPR_PATH)
		return eval_path(r, e, out, found);
	if (e->kind == EXPR_RANGE)
		return eval_range(r, e, out);
	*out = e->literal;
	return GH_RC_OK;
}

gh_rc eval_expr(struct run *r, const struct expr *e, struct liquid_value *out)
{
	bool found;

	return eval_found(r, e, out, &found);
}

static GH_RC call_filter(struct run *r, const struct filter_call *c, struct liquid_value in, struct liquid_value *out)
{
	struct args args = { .n = c->n, .at = c->at };

	for (unsigned i = 0; i < c->n; i++)
		TRY(eval_expr(r, c->args[i], &args.v[i]));
	if (c->named) {
		args.has_named = true;
		TRY(eval_expr(r, c->named, &args.named));
	}
	*out = LIQUID_NIL_VALUE;
	TRY(c->filter->fn(r, in, &args, out));
	if (value_failed(*out))
		NO_MEMORY(r->err);
	return GH_RC_OK;
}

gh_rc eval_filtered(struct run *r, const struct filtered *f, struct liquid_value *out)
{
	bool found;

	*out = LIQUID_NIL_VALUE;
	if (!f->base)
		return GH_RC_OK;
	TRY(eval_found(r, f->base, out, &found));
	if (!found && r->t->options.strict_names && !(f->calls && strcmp(f->calls->filter->name, "default") == 0))
		FAIL_RUN(r, f->base->at, "there is no '%.*s'", STR_ARG(str_first(f->base->source, 80)));
	for (const struct filter_call *c = f->calls; c; c = c->next)
		TRY(call_filter(r, c, *out, out));
	return GH_RC_OK;
}

/* ---- conditions ---------------------------------------------------------------------------------------------------- */

static GH_RC contains(struct run *r, struct liquid_value a, struct liquid_value b, bool *out)
{
	struct liquid_value found;
	struct seq s;
	struct str part;

	*out = false;
	if (b.kind == LIQUID_NIL || (b.kind == LIQUID_BOOL && !b.b))
		return GH_RC_OK;
	if (value_is_text(a)) {
		if (!liquid_value_text(r->a, r->t->options.dialect, b, &part))
			NO_MEMORY(r->err);
		*out = str_find(a.text, part) != SIZE_MAX;
		return GH_RC_OK;
	}
	if (a.kind == LIQUID_RECORD || a.kind == LIQUID_OBJECT || a.kind == LIQUID_JSON)
		*out = value_is_text(b) && value_member(a, b.text, r->a, &found);
	if (*out || a.kind == LIQUID_RECORD || !value_seq(a, r->a, &s))
		return GH_RC_OK;
	for (size_t i = 0; i < s.n && !*out; i++)
		*out = value_equal(seq_at(&s, i), b);
	return GH_RC_OK;
}

static const char *kind_name(struct liquid_value v)
{
	static const char *const names[] = {
		[LIQUID_NIL] = "nothing",     [LIQUID_BOOL] = "true or false", [LIQUID_INT] = "a number",
		[LIQUID_FLOAT] = "a number",  [LIQUID_TEXT] = "text",	       [LIQUID_MARKUP] = "markup",
		[LIQUID_LIST] = "a list",     [LIQUID_RECORD] = "an object",   [LIQUID_JSON] = "an object or a list",
		[LIQUID_OBJECT] = "an object", [LIQUID_RANGE] = "a range",     [LIQUID_EMPTY] = "empty",
		[LIQUID_BLANK] = "blank",
	};

	return names[v.kind];
}

static bool is_number(struct liquid_value v)
{
	return v.kind == LIQUID_INT || v.kind == LIQUID_FLOAT;
}

/* DotLiquid turns the right side into the type of the left before it compares. */
static struct liquid_value convert_right(struct liquid_value a, struct liquid_value b, struct arena *mem)
{
	struct liquid_value n;
	struct str text;

	if (is_number(a) && value_is_text(b) && value_parse_number(str_trim(b.text), &n))
		return n;
	if (value_is_text(a) && (is_number(b) || b.kind == LIQUID_BOOL) && liquid_value_text(mem, LIQUID_DOTLIQUID, b, &text))
		return liquid_of_text(b.kind != LIQUID_BOOL ? text : b.b ? STR("True") : STR("False"));
	if (is_number(a) && b.kind == LIQUID_BOOL)
		return liquid_of_int(b.b);
	return b;
}

static int order(struct liquid_value a, struct liquid_value b)
{
	if (a.kind == LIQUID_INT && b.kind == LIQUID_INT)
		return (a.i > b.i) - (a.i < b.i);
	if (is_number(a))
		return (value_float(a) > value_float(b)) - (value_float(a) < value_float(b));
	return str_cmp(a.text, b.text);
}

gh_rc compare(struct run *r, struct liquid_value a, enum compare_op op, struct liquid_value b, struct place at, bool *out)
{
	int c;

	*out = false;
	if (op == OP_CONTAINS)
		return contains(r, a, b, out);
	if (r->t->options.dialect == LIQUID_DOTLIQUID)
		b = convert_right(a, b, r->a);
	if (op == OP_EQ || op == OP_NE) {
		*out = value_equal(a, b) == (op == OP_EQ);
		return GH_RC_OK;
	}
	if (!(is_number(a) && is_number(b)) && !(value_is_text(a) && value_is_text(b))) {
		bool silent = !(is_number(a) || value_is_text(a)) || !(is_number(b) || value_is_text(b));

		if (silent)
			return GH_RC_OK;
		FAIL_RUN(r, at, "%s cannot be ordered against %s", kind_name(a), kind_name(b));
	}
	c = order(a, b);
	*out = op == OP_LT ? c < 0 : op == OP_LE ? c <= 0 : op == OP_GT ? c > 0 : c >= 0;
	return GH_RC_OK;
}

gh_rc eval_condition(struct run *r, const struct condition *c, bool *out)
{
	struct liquid_value a, b;

	for (;; c = c->rest) {
		TRY(eval_expr(r, c->left, &a));
		if (c->op == OP_NONE) {
			*out = value_truthy(a);
		} else {
			TRY(eval_expr(r, c->right, &b));
			TRY(compare(r, a, c->op, b, c->left->at, out));
		}
		if (c->logic == LOGIC_END || *out == (c->logic == LOGIC_OR))
			return GH_RC_OK;
	}
}

gh_rc liquid_render(const struct liquid_template *t, const struct liquid_env *env, struct arena *a, struct buf *out,
		    struct gh_err *err)
{
	struct frame base = { .base = true };
	struct run r = { .env = env, .t = t, .a = a, .out = out, .err = err, .frame = &base };

	if (value_failed(env->globals))
		NO_MEMORY(err);
	TRY(run_block(&r, &t->body));
	return run_step(&r, (struct place){ 1, 1 });
}
