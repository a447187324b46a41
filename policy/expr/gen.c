/* gen.c - typed nodes to instructions: values.
 *
 * gen_value puts a value into the register that is asked for, or says in which it stands. Registers are a stack: what a
 * statement takes it gives back. A variable's own register is used directly as an operand unless something that is
 * evaluated later may assign to it (node.assigns). */
#include "policy/expr/decimal.h"
#include "policy/expr/gen.h"

void *gen_fail(struct gen *g, size_t at, const char *what)
{
	if (!g->failed)
		expr_error(g->c, at, "%s", what);
	g->failed = true;
	return NULL;
}

void *grow(struct gen *g, void *list, size_t n, size_t which, size_t size)
{
	size_t cap = g->caps[which];
	void *bigger;

	if (n < cap)
		return list;
	cap = cap ? cap * 2 : 8;
	bigger = arena_alloc(g->arena, cap, size);
	if (!bigger)
		return gen_fail(g, 0, "out of memory");
	if (n)
		memcpy(bigger, list, n * size);
	g->caps[which] = cap;
	return bigger;
}

uint32_t emit_insn(struct gen *g, enum op op, uint16_t a, uint16_t b, uint16_t c)
{
	struct insn i = { (uint16_t)op, a, b, c };

	if (g->p->n_code >= CODE_MAX)
		gen_fail(g, 0, "the expression is too long");
	if (!g->failed)
		APPEND(g, code, n_code, 0, i);
	return (uint32_t)g->p->n_code - 1;
}

uint32_t emit_jump(struct gen *g, enum op op, uint16_t a)
{
	return emit_insn(g, op, a, 0, 0);
}

void patch_to(struct gen *g, uint32_t jump, uint32_t target)
{
	int32_t distance = (int32_t)target - (int32_t)jump - 1;

	if (g->failed)
		return;
	g->p->code[jump].b = (uint16_t)(uint32_t)distance;
	g->p->code[jump].c = (uint16_t)((uint32_t)distance >> 16);
}

static void patch_here(struct gen *g, uint32_t jump)
{
	patch_to(g, jump, here(g));
}

uint16_t reg_new(struct gen *g)
{
	if (g->next >= REGISTERS_MAX) {
		gen_fail(g, 0, "too many variables and values at once; split the expression");
		return 0;
	}
	if (++g->next > g->p->n_regs)
		g->p->n_regs = g->next;
	return (uint16_t)(g->next - 1);
}

static struct value kept_enum(struct arena *a, struct value v)
{
	struct enum_object *o = arena_new_of(a, struct enum_object);

	if (!o)
		return VALUE_NULL_INIT;
	*o = *(const struct enum_object *)(const void *)v.object;
	return value_object(o);
}

/* The text or number behind a constant moves to where the code stays. */
static struct value kept_value(struct gen *g, struct value v)
{
	struct value copy = v;

	if (v.kind == VALUE_STRING)
		copy = value_string(g->c->keep, value_str(v), true);
	else if (v.kind == VALUE_DECIMAL)
		copy = decimal_value(g->c->keep, *value_decimal(v));
	else if (v.kind == VALUE_OBJECT && v.object->cls->kind == CLASS_ENUM)
		copy = kept_enum(g->c->keep, v);
	if (copy.kind != v.kind)
		gen_fail(g, 0, "out of memory");
	return copy;
}

uint16_t add_constant(struct gen *g, struct value v)
{
	v = kept_value(g, v);
	if (g->p->n_constants >= UINT16_MAX) {
		gen_fail(g, 0, "too many constants in one expression");
		return 0;
	}
	APPEND(g, constants, n_constants, 1, v);
	return (uint16_t)(g->p->n_constants - 1);
}

uint16_t add_type(struct gen *g, const struct type *t)
{
	if (g->p->n_types >= UINT16_MAX) {
		gen_fail(g, 0, "too many types in one expression");
		return 0;
	}
	t = type_copy(g->c->keep, t);
	APPEND(g, types, n_types, 2, t);
	return (uint16_t)(g->p->n_types - 1);
}

/* ---- variables ------------------------------------------------------------------------------------------------------------ */

static bool is_param(const struct function *f, const struct local *l)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->params[i] == l)
			return true;
	return false;
}

/* Read before it is set, by a function that is called early: the zero of its type, never what the register held. */
static void set_zero(struct gen *g, struct local *l)
{
	uint16_t mark = g->next, from = l->captured ? reg_new(g) : l->reg;

	emit_insn(g, OP_CONST, from, add_constant(g, type_default(l->type)), 0);
	if (l->captured)
		emit_insn(g, OP_CELL_SET, l->reg, from, 0);
	g->next = mark;
}

void gen_scope(struct gen *g, struct var_scope *s)
{
	for (struct local *l = s->locals; l; l = l->next) {
		if (l->owner != g->f || is_param(g->f, l) || l->is_const || l->range)
			continue;
		l->reg = reg_new(g);
		if (l->by_ref)
			continue;
		if (l->captured)
			emit_insn(g, OP_NEW_CELL, l->reg, 0, 0);
		if (l->tracked || (l->captured && type_is_value(l->type)))
			set_zero(g, l);
	}
}

uint16_t gen_capture_index(struct gen *g, const struct local *l)
{
	for (size_t i = 0; i < g->f->n_captures; i++)
		if (g->f->captures[i] == l)
			return (uint16_t)i;
	gen_fail(g, 0, "internal error: a variable is not in reach");
	return 0;
}

void gen_set_local(struct gen *g, struct local *l, uint16_t from)
{
	if (l->owner != g->f)
		emit_insn(g, OP_UP_SET, gen_capture_index(g, l), from, 0);
	else if (l->captured)
		emit_insn(g, OP_CELL_SET, l->reg, from, 0);
	else if (l->reg != from)
		emit_insn(g, OP_MOVE, l->reg, from, 0);
}

static bool is_register(const struct gen *g, const struct node *n)
{
	return n->kind == N_LOCAL && n->local->owner == g->f && !n->local->captured;
}

static uint16_t local(struct gen *g, struct node *n, uint16_t dest)
{
	struct local *l = n->local;

	if (l->owner != g->f)
		emit_insn(g, OP_UP_GET, dest, gen_capture_index(g, l), 0);
	else if (l->captured)
		emit_insn(g, OP_CELL_GET, dest, l->reg, 0);
	else if (l->reg != dest)
		emit_insn(g, OP_MOVE, dest, l->reg, 0);
	return dest;
}

static uint16_t assign(struct gen *g, struct node *n, uint16_t dest)
{
	struct local *l = n->local;
	bool direct = l->owner == g->f && !l->captured && !n->a->assigns;
	uint16_t from = gen_value(g, n->a, direct ? l->reg : ANY);

	gen_set_local(g, l, from);
	if (dest != from)
		emit_insn(g, OP_MOVE, dest, from, 0);
	return dest;
}

/* ---- operators ------------------------------------------------------------------------------------------------------------ */

/* The left operand, safe from what the right one does. */
static uint16_t left_operand(struct gen *g, struct node *l, const struct node *r)
{
	uint16_t reg = gen_value(g, l, ANY);

	if (is_register(g, l) && r->assigns) {
		uint16_t copy = reg_new(g);

		emit_insn(g, OP_MOVE, copy, reg, 0);
		return copy;
	}
	return reg;
}

static enum op fast_int(const struct node *n)
{
	bool ints = type_is(n->a->type, &class_int) && type_is(n->b->type, &class_int) && !n->flag;

	if (!ints)
		return OP_BINARY;
	switch (n->op) {
	case '+': return OP_ADD_INT;
	case '-': return OP_SUB_INT;
	case '*': return OP_MUL_INT;
	case '<': return OP_LT_INT;
	case '>': return OP_GT_INT;
	case P2('<', '='): return OP_LE_INT;
	case P2('>', '='): return OP_GE_INT;
	case P2('=', '='): return OP_EQ_INT;
	case P2('!', '='): return OP_NE_INT;
	default: return OP_BINARY;
	}
}

static uint16_t binary(struct gen *g, struct node *n, uint16_t dest)
{
	enum op op = fast_int(n);
	uint16_t l = left_operand(g, n->a, n->b), r = gen_value(g, n->b, ANY);

	emit_insn(g, op, dest, l, r);
	if (op == OP_BINARY)
		emit_insn(g, OP_WORD, n->flag, (uint16_t)n->op, 0);
	return dest;
}

static uint16_t unary(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t v = gen_value(g, n->a, ANY);

	if (n->op == '!') {
		emit_insn(g, OP_NOT, dest, v, 0);
		return dest;
	}
	emit_insn(g, OP_UNARY, dest, v, 0);
	emit_insn(g, OP_WORD, n->flag, (uint16_t)n->op, 0);
	return dest;
}

static uint16_t same(struct gen *g, struct node *n, uint16_t dest)
{
	bool text = n->kind == N_TEXT_SAME;
	uint16_t l = left_operand(g, n->a, n->b), r = gen_value(g, n->b, ANY);

	if (text)
		emit_insn(g, n->flag ? OP_TEXT_NOT_SAME : OP_TEXT_SAME, dest, l, r);
	else
		emit_insn(g, n->flag ? OP_NOT_SAME : OP_SAME, dest, l, r);
	return dest;
}

/* dest must not be a variable that the second operand reads. */
static uint16_t logic(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t temp = reg_new(g);
	uint32_t jump;

	gen_value(g, n->a, temp);
	jump = emit_jump(g, n->kind == N_AND ? OP_JUMP_UNLESS : OP_JUMP_IF, temp);
	gen_value(g, n->b, temp);
	patch_here(g, jump);
	emit_insn(g, OP_MOVE, dest, temp, 0);
	return dest;
}

static uint16_t ternary(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t temp = reg_new(g);
	uint32_t otherwise, end;

	gen_value(g, n->a, temp);
	otherwise = emit_jump(g, OP_JUMP_UNLESS, temp);
	gen_value(g, n->b, temp);
	end = emit_jump(g, OP_JUMP, 0);
	patch_here(g, otherwise);
	gen_value(g, n->c, temp);
	patch_here(g, end);
	emit_insn(g, OP_MOVE, dest, temp, 0);
	return dest;
}

static uint16_t coalesce(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t temp = reg_new(g);
	uint32_t end;

	gen_value(g, n->a, temp);
	end = emit_jump(g, OP_JUMP_NOT_NULL, temp);
	gen_value(g, n->b, temp);
	patch_here(g, end);
	emit_insn(g, OP_MOVE, dest, temp, 0);
	return dest;
}

static uint16_t conditional(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t temp = reg_new(g);
	uint32_t end;

	gen_value(g, n->a, temp);
	end = emit_jump(g, OP_JUMP_NULL, temp);
	gen_set_local(g, n->local, temp);
	gen_value(g, n->b, temp);
	patch_here(g, end);
	emit_insn(g, OP_MOVE, dest, temp, 0);
	return dest;
}

static uint16_t convert_number(struct gen *g, struct node *n, uint16_t dest)
{
	emit_insn(g, OP_CONVERT, dest, gen_value(g, n->a, ANY), (uint16_t)(n->op | (unsigned)n->flag << 8));
	return dest;
}

static uint16_t with_type(struct gen *g, struct node *n, uint16_t dest)
{
	enum op op = n->kind == N_CAST ? OP_CAST : n->kind == N_IS ? OP_IS : n->kind == N_AS ? OP_AS : OP_TO_ENUM;

	emit_insn(g, op, dest, gen_value(g, n->a, ANY), add_type(g, n->tested));
	return dest;
}

static uint16_t nullable(struct gen *g, struct node *n, uint16_t dest)
{
	emit_insn(g, n->kind == N_HAS_VALUE ? OP_HAS_VALUE : OP_GET_VALUE, dest, gen_value(g, n->a, ANY), 0);
	return dest;
}

/* ---- lists of values ------------------------------------------------------------------------------------------------------ */

/* One register after the other; returns the first. */
static uint16_t in_row(struct gen *g, struct node *list, uint16_t *n)
{
	uint16_t first = g->next;

	*n = 0;
	for (; list && !g->failed; list = list->next, ++*n)
		gen_value(g, list, reg_new(g));
	return first;
}

static uint16_t concat(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t count, first = in_row(g, n->b, &count);

	emit_insn(g, OP_CONCAT, dest, first, count);
	return dest;
}

static uint16_t format(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t k = add_constant(g, n->b ? n->b->value : VALUE_NULL_INIT);

	add_constant(g, n->value);
	emit_insn(g, OP_FORMAT, dest, gen_value(g, n->a, ANY), k);
	return dest;
}

static uint16_t array(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t count, first = in_row(g, n->b, &count);

	emit_insn(g, n->kind == N_ARRAY ? OP_ARRAY : OP_ANONYMOUS, dest, 0, add_type(g, n->kind == N_ARRAY ? node_type(n) : n->tested));
	emit_insn(g, OP_WORD, count, first, 0);
	return dest;
}

static uint16_t new_array(struct gen *g, struct node *n, uint16_t dest)
{
	emit_insn(g, OP_NEW_ARRAY, dest, gen_value(g, n->b, ANY), add_type(g, node_type(n)));
	return dest;
}

static uint16_t element(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t a = left_operand(g, n->a, n->b);

	emit_insn(g, OP_ELEMENT, dest, a, gen_value(g, n->b, ANY));
	return dest;
}

static uint16_t set_element(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t count, first;

	n->a->next = n->b;
	n->b->next = n->c;
	n->c->next = NULL;
	first = in_row(g, n->a, &count);
	emit_insn(g, OP_SET_ELEMENT, first, (uint16_t)(first + 1), (uint16_t)(first + 2));
	emit_insn(g, OP_MOVE, dest, (uint16_t)(first + 2), 0);
	return dest;
}

static uint16_t sequence(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t temp = reg_new(g);

	for (struct node *s = n->b; s && !g->failed; s = s->next)
		gen_value(g, s, temp);
	emit_insn(g, OP_MOVE, dest, temp, 0);
	return dest;
}

/* ---- calls ---------------------------------------------------------------------------------------------------------------- */

static const struct type *const *kept_types(struct gen *g, const struct type *const *types, size_t n)
{
	const struct type **copy = n ? arena_alloc(g->c->keep, n, sizeof(*copy)) : NULL;

	for (size_t i = 0; copy && i < n; i++)
		copy[i] = type_copy(g->c->keep, types[i]);
	return n && !copy ? gen_fail(g, 0, "out of memory") : copy;
}

static uint16_t add_site(struct gen *g, struct node *n, uint16_t count)
{
	struct call_site s = {
		.member = n->member, .fn = n->op == 1 ? n->member->set : n->member->fn,
		.type = type_copy(g->c->keep, node_type(n)), .types = kept_types(g, n->types, n->n_types),
		.n = count, .has_self = n->a != NULL, .setter = n->op == 1, .lifted = n->flag,
		.lifted_op = n->flag ? n->op : 0,
	};

	if (g->p->n_sites >= UINT16_MAX) {
		gen_fail(g, n->at, "too many calls in one expression");
		return 0;
	}
	APPEND(g, sites, n_sites, 3, s);
	return (uint16_t)(g->p->n_sites - 1);
}

static uint16_t call(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t count, first = g->next;

	if (n->a)
		gen_value(g, n->a, reg_new(g));
	in_row(g, n->b, &count);
	if (!n->a && !count)
		first = dest;
	emit_insn(g, OP_CALL, dest, first, add_site(g, n, count));
	if (n->op == 1) {       /* the value of an assignment is what was assigned */
		emit_insn(g, OP_MOVE, dest, (uint16_t)(g->next - 1), 0);
		return dest;
	}
	first = (uint16_t)(first + (n->a ? 1 : 0));
	for (struct node *arg = n->b; arg; arg = arg->next, first++)
		if (arg->kind == N_LOCAL && arg->op)
			gen_set_local(g, arg->local, first);
	return dest;
}

static uint16_t invoke(struct gen *g, struct node *n, uint16_t dest)
{
	uint16_t count, first = g->next;

	gen_value(g, n->a, reg_new(g));
	in_row(g, n->b, &count);
	emit_insn(g, OP_INVOKE, dest, first, count);
	return dest;
}

static uint16_t throw(struct gen *g, struct node *n, uint16_t dest)
{
	emit_insn(g, OP_THROW, gen_value(g, n->a, ANY), 0, 0);
	return dest;
}

static uint16_t context(struct gen *g, struct node *n, uint16_t dest)
{
	(void)n;
	emit_insn(g, OP_CONTEXT, dest, 0, 0);
	return dest;
}

static uint16_t reference(struct gen *g, struct node *n, uint16_t dest)
{
	struct node *place = n->a;
	uint16_t array;

	if (place->kind == N_ELEMENT) {
		array = left_operand(g, place->a, place->b);
		emit_insn(g, OP_REF_ELEMENT, dest, array, gen_value(g, place->b, ANY));
	} else if (place->local->owner != g->f) {
		emit_insn(g, OP_UP_CELL, dest, gen_capture_index(g, place->local), 0);
	} else if (place->local->reg != dest) {
		emit_insn(g, OP_MOVE, dest, place->local->reg, 0);
	}
	return dest;
}

static uint16_t constant(struct gen *g, struct node *n, uint16_t dest)
{
	emit_insn(g, OP_CONST, dest, add_constant(g, n->value), 0);
	return dest;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------ */

uint16_t gen_value(struct gen *g, struct node *n, uint16_t dest)
{
	static uint16_t (*const kinds[])(struct gen *, struct node *, uint16_t) = {
		[N_CONST] = constant, [N_LOCAL] = local, [N_ASSIGN] = assign, [N_CALL] = call, [N_INVOKE] = invoke,
		[N_UNARY] = unary, [N_BINARY] = binary, [N_SAME] = same, [N_TEXT_SAME] = same, [N_AND] = logic,
		[N_OR] = logic, [N_TERNARY] = ternary, [N_COALESCE] = coalesce, [N_CONVERT] = convert_number,
		[N_TO_ENUM] = with_type, [N_CAST] = with_type, [N_IS] = with_type, [N_AS] = with_type,
		[N_HAS_VALUE] = nullable, [N_GET_VALUE] = nullable, [N_CONCAT] = concat, [N_FORMAT] = format,
		[N_ELEMENT] = element, [N_SET_ELEMENT] = set_element, [N_NEW_ARRAY] = new_array, [N_ARRAY] = array,
		[N_ANONYMOUS] = array, [N_CONDITIONAL] = conditional, [N_SEQUENCE] = sequence, [N_LAMBDA] = gen_lambda,
		[N_THROW] = throw, [N_CONTEXT] = context, [N_REF] = reference,
	};
	uint16_t mark;

	if (g->failed)
		return 0;
	if (dest == ANY && is_register(g, n))
		return n->local->reg;
	if (n->kind >= ARRAY_LEN(kinds) || !kinds[n->kind]) {
		gen_fail(g, n->at, "this cannot stand where a value is needed");
		return 0;
	}
	if (dest == ANY)
		dest = reg_new(g);
	mark = g->next;
	kinds[n->kind](g, n, dest);
	g->next = mark;
	return dest;
}
