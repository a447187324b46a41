/* expr.c - compile and run: source → syntax → nodes → code (parse*.c, bind*.c, gen*.c), then vm.c. */
#include "policy/expr/expr.h"

#include "core/arena_keep.h"
#include "core/str.h"
#include "policy/diag.h"
#include "policy/expr/bind.h"
#include "policy/expr/text.h"
#include "policy/expr/vm.h"
#include "policy/exchange.h"

enum { SOURCE_MAX = 512 * 1024, WORK_MAX = 64 << 20 };

struct expr {
	struct proto *main;
};

#ifdef __SANITIZE_ADDRESS__
enum { CPU_MS = 1500 };              /* everything takes many times as long there */
#else
enum { CPU_MS = 60 };
#endif
const struct expr_limits expr_limits_default = { 5000000, 200, 64 << 20, CPU_MS };

/* Of the request's memory, an expression leaves so much to what comes after it: on-error runs, and answers. */
enum { KEPT_BACK = 512 * 1024 };

static struct expr *compile(struct compilation *c, struct expr_uses *uses)
{
	struct binder b = { .c = c, .arena = c->arena, .uses = uses };
	struct syntax *s = parse_source(c);
	struct function *f = s ? bind_source(&b, s) : NULL;
	struct expr *e = f ? arena_new_of(c->keep, struct expr) : NULL;

	if (!e)
		return NULL;
	e->main = gen_function(c, f);
	return e->main ? e : NULL;
}

struct expr *expr_compile(struct arena *a, struct str source, unsigned line, unsigned column, struct policy_diags *diags,
			  struct expr_uses *uses)
{
	struct compilation c = { .keep = a, .source = source, .line = line, .column = column, .diags = diags };
	struct expr *e;

	if (source.n > SOURCE_MAX) {
		policy_error(diags, line, column, "the expression is longer than %d bytes", SOURCE_MAX);
		return NULL;
	}
	c.arena = arena_new(WORK_MAX);
	e = c.arena ? compile(&c, uses) : NULL;
	arena_free(c.arena);
	if (!e && !c.errors)
		policy_error(diags, line, column, "the expression cannot be compiled");
	return e;
}

/* "Message" of the exception that nothing caught. */
static gh_rc report(struct vm *vm, struct gh_err *err)
{
	struct str text = value_str(vm->exception);

	if (vm->exception.kind == VALUE_OBJECT)
		text = value_str(((const struct exception_object *)(const void *)vm->exception.object)->message);
	if (vm->fatal)
		FAIL(err, LIMIT, "%.*s", STR_ARG(text));
	FAIL(err, INVALID, "%.*s", STR_ARG(text));
}

static void vm_init(struct vm *vm, struct exchange *x, const struct expr_limits *limits)
{
	size_t used = arena_used(x->arena);

	if (!limits)
		limits = &expr_limits_default;
	*vm = (struct vm){ .x = x, .arena = x->arena };
	vm->budget = limits->instructions > INT64_MAX ? INT64_MAX : (int64_t)limits->instructions;
	vm->depth_max = limits->depth;
	vm->cpu_ns = (uint64_t)limits->cpu_ms * 1000000;
	vm->memory_top = limits->memory_bytes < SIZE_MAX - used ? used + limits->memory_bytes : SIZE_MAX;
	vm->memory_from = vm->memory_seen = used;
	vm->scratch = (struct vm_call){ .vm = vm, .arena = x->arena, .x = x, .type = &type_object };
}

/* What of the arena the expression must not have: the limit of memory holds inside of library functions too. */
static size_t keep_back(struct arena *a, size_t limit)
{
	size_t left = arena_left(a), kept = left > 2 * KEPT_BACK ? KEPT_BACK : 0;

	if (left > limit && left - limit > kept)
		kept = left - limit;
	return arena_keep_back(a, kept) ? kept : 0;
}

gh_rc expr_run(const struct expr *e, struct exchange *x, const struct expr_limits *limits, struct value *out, struct gh_err *err)
{
	size_t kept = keep_back(x->arena, (limits ? limits : &expr_limits_default)->memory_bytes);
	struct vm vm;
	bool ok;

	vm_init(&vm, x, limits);
	text_remember(true);
	vm_under_way(&vm);
	ok = vm_run(&vm, e->main, NULL, NULL, 0, out);
	vm_under_way(NULL);
	text_remember(false);
	arena_give_back(x->arena, kept);
	return ok ? GH_RC_OK : report(&vm, err);
}

gh_rc expr_json(struct exchange *x, struct value v, const struct expr_limits *limits, struct str *out, struct gh_err *err)
{
	const struct type *convert = type_named("JsonConvert");
	struct value result = VALUE_NULL_INIT;
	struct vm vm;
	bool found = false;

	vm_init(&vm, x, limits);
	if (convert && vm_call_static(&vm, convert, STR("SerializeObject"), &v, 1, &result, &found)) {
		*out = value_str(result);
		return GH_RC_OK;
	}
	if (!found)
		FAIL(err, UNSUPPORTED, "values cannot be written as JSON");
	return report(&vm, err);
}
