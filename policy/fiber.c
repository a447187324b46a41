/* fiber.c - the interpreter: one table of operations, one loop. See program.h for the picture. */
#include "policy/program.h"

#include "core/str.h"

const struct instruction *fiber_instruction(const struct fiber *f)
{
	const struct frame *top = f->n_frames ? &f->frames[f->n_frames - 1] : NULL;

	return top ? &top->code->v[top->pc] : NULL;
}

const struct policy_document *document_from(const struct exchange *x, int from, enum scope *scope)
{
	for (int s = from; s >= 0; s--)
		if (x->documents[s]) {
			*scope = (enum scope)s;
			return x->documents[s];
		}
	*scope = SCOPE_GLOBAL;
	return from >= 0 ? policy_default() : NULL;
}

static bool push_frame(struct exchange *x, struct fiber *f, const struct policy_document *doc, enum section s,
		       enum scope scope)
{
	if (f->n_frames == FRAMES_MAX) {
		exchange_fail(x, 500, STR_NULL, "policy documents are nested too deep");
		return false;
	}
	f->frames[f->n_frames++] = (struct frame){ doc, &doc->sections[doc->fragment ? 0 : s], 0, scope };
	return true;
}

bool fiber_start(struct exchange *x, struct fiber *f, const struct policy_document *doc, enum section s,
		 enum scope scope)
{
	f->n_frames = f->bottom = f->n_blocks = 0;
	f->state = NULL;
	f->waiting = f->over = false;
	return push_frame(x, f, doc, s, scope);
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

static enum step op_policy(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	if (!f->waiting)
		return i->type->run(x, i->config);
	return i->type->resume ? i->type->resume(x, i->config) : STEP_NEXT;
}

static enum step op_unless(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	bool yes;

	if (!arg_get_bool(x, i->config, &yes))
		return STEP_FAIL;
	exchange_trace(x, "condition is %s", yes ? "true" : "false");
	if (yes)
		return STEP_NEXT;
	f->frames[f->n_frames - 1].pc = i->target;
	return STEP_JUMP;
}

static enum step op_jump(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	(void)x;
	f->frames[f->n_frames - 1].pc = i->target;
	return STEP_JUMP;
}

/* The frame is entered with this instruction still current, so that it is known how the new one was reached; END steps
 * over it. */
static enum step op_base(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	enum scope scope;
	const struct policy_document *outer = document_from(x, (int)f->frames[f->n_frames - 1].scope - 1, &scope);

	(void)i;
	if (!outer)
		return STEP_NEXT;
	return push_frame(x, f, outer, x->section, scope) ? STEP_JUMP : STEP_FAIL;
}

static enum step op_fragment(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	if (!i->config)
		return exchange_fail(x, 500, STR_NULL, "the fragment is not there");
	return push_frame(x, f, i->config, 0, f->frames[f->n_frames - 1].scope) ? STEP_JUMP : STEP_FAIL;
}

static enum step op_end(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	(void)x;
	(void)i;
	if (--f->n_frames == f->bottom)
		f->over = true;
	else
		f->frames[f->n_frames - 1].pc++;
	return STEP_JUMP;
}

static enum step (*const operations[OP__COUNT])(struct exchange *, struct fiber *, const struct instruction *) = {
	[OP_POLICY] = op_policy, [OP_UNLESS] = op_unless, [OP_JUMP] = op_jump, [OP_BASE] = op_base,
	[OP_FRAGMENT] = op_fragment, [OP_RETRY] = op_retry, [OP_AGAIN] = op_again, [OP_ENTER] = op_enter,
	[OP_LEAVE] = op_leave, [OP_FORK] = op_fork, [OP_END] = op_end,
};

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

/* Outbound of a response out of the cache: what stands before its cache-store has been done to it already, so conditions
 * only say where to go on. One that needs what a skipped policy would have left counts as false. */
static enum step skip(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	enum step s;

	switch (i->op) {
	case OP_POLICY:
		x->program->skipping = i->type != &cache_store_type;
		exchange_trace(x, x->program->skipping ? "skipped: done before the response was kept" : "out of the cache: goes on");
		return STEP_NEXT;
	case OP_FORK:
		return STEP_NEXT;
	case OP_UNLESS:
		s = op_unless(x, f, i);
		if (s != STEP_FAIL)
			return s;
		x->error = (struct last_error){ 0 };
		return op_jump(x, f, i);
	default:
		return operations[i->op](x, f, i);
	}
}

static enum step one_step(struct exchange *x, struct fiber *f)
{
	const struct instruction *i = fiber_instruction(f);
	enum step s;

	if (!f->waiting) {
		if (++x->program->steps > STEPS_MAX)
			return exchange_fail(x, 500, STR("StepLimitExceeded"),
					     "the policies of one request may take %d steps", STEPS_MAX);
		f->state = NULL;
		trace_begin(x, f, i);
	}
	s = x->program->skipping ? skip(x, f, i) : operations[i->op](x, f, i);
	f->waiting = s == STEP_WAIT;
	if (!f->waiting)
		trace_end(x, f);
	if (s == STEP_NEXT)
		f->frames[f->n_frames - 1].pc++;
	return s;
}

enum fiber_outcome fiber_run(struct exchange *x, struct fiber *f)
{
	struct fiber *before = x->program->now;
	enum step s = STEP_NEXT;

	x->program->now = f;
	while (!f->over && s != STEP_WAIT && s != STEP_RESPOND && s != STEP_FAIL) {
		s = one_step(x, f);
		if (s == STEP_FAIL && fiber_recover(x, f))
			s = STEP_JUMP;
	}
	x->program->now = before;
	switch (s) {
	case STEP_WAIT:
		return FIBER_WAITS;
	case STEP_RESPOND:
		return FIBER_RESPONDS;
	case STEP_FAIL:
		return FIBER_FAILED;
	default:
		return FIBER_DONE;
	}
}
