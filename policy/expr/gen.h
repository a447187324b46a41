/* gen.h - private to the code generator. */
#pragma once

#include "policy/expr/bind.h"
#include "policy/expr/code.h"
#include "policy/expr/lex.h"

enum { ANY = 0xFFFF, JUMPS_MAX = 256 };

/* A try that is being laid out. While a finally runs inline on the way out, the ranges of the tries that are left are
 * closed, so that what it throws goes to the tries further out. */
struct try_context {
	struct try_context *outer;
	struct node *finally;        /* NULL: catches */
	uint32_t from;
	size_t handlers[JUMPS_MAX];
	size_t n;
	uint16_t reg;
};

struct jump_list {
	uint32_t at[JUMPS_MAX];
	size_t n;
};

struct loop {
	struct loop *outer;
	struct jump_list breaks, continues;
	struct try_context *tries;
	bool is_switch;
};

struct gen {
	struct compilation *c;
	struct arena *arena;
	struct proto *p;
	struct function *f;
	struct gen *outer;
	struct loop *loop;
	struct try_context *tries;
	uint16_t next, caught;       /* free register; the exception of the catch around */
	size_t caps[8];
	bool failed;
};

uint16_t gen_value(struct gen *g, struct node *n, uint16_t dest);    /* the register that holds it */
void gen_statement(struct gen *g, struct node *n);
void gen_scope(struct gen *g, struct var_scope *s);                      /* registers and cells for its variables */
void gen_set_local(struct gen *g, struct local *l, uint16_t from);

uint32_t emit_insn(struct gen *g, enum op op, uint16_t a, uint16_t b, uint16_t c);        /* its place */
uint32_t emit_jump(struct gen *g, enum op op, uint16_t a);
void patch_to(struct gen *g, uint32_t jump, uint32_t target);
static inline uint32_t here(const struct gen *g)
{
	return (uint32_t)g->p->n_code;
}
uint16_t reg_new(struct gen *g);
uint16_t add_constant(struct gen *g, struct value v);
uint16_t add_type(struct gen *g, const struct type *t);
void *gen_fail(struct gen *g, size_t at, const char *what);
uint16_t gen_capture_index(struct gen *g, const struct local *l);
uint16_t gen_lambda(struct gen *g, struct node *n, uint16_t dest);
/* Room for one more in a list of the proto: which counts its capacities. */
void *grow(struct gen *g, void *list, size_t n, size_t which, size_t size);

#define APPEND(g, list, count, which, item)                                                                  \
	do {                                                                                                 \
		void *grown_ = grow((g), (g)->p->list, (g)->p->count, (which), sizeof(*(g)->p->list));        \
		if (grown_) {                                                                                \
			(g)->p->list = grown_;                                                               \
			(g)->p->list[(g)->p->count++] = (item);                                              \
		}                                                                                            \
	} while (0)
