/* code.h - what gen.c writes and vm.c runs: a register machine. Immutable once made, so that threads share it.
 *
 * An instruction is 8 bytes. a is the register of the result unless the comment says otherwise; registers of a frame hold
 * parameters, then variables, then temporaries. A variable that a lambda captures lives in a cell (struct cell) whose
 * address the register holds. */
#pragma once

#include "policy/expr/link.h"

enum op {
	OP_CONST,            /* a = constants[b] */
	OP_MOVE,             /* a = b */
	OP_JUMP,             /* by the signed distance in b, c */
	OP_JUMP_IF, OP_JUMP_UNLESS, OP_JUMP_NULL, OP_JUMP_NOT_NULL,          /* on a */
	OP_ADD_INT, OP_SUB_INT, OP_MUL_INT,                                  /* a = b op c, unchecked int */
	OP_EQ_INT, OP_NE_INT, OP_LT_INT, OP_LE_INT, OP_GT_INT, OP_GE_INT,
	OP_BINARY,           /* a = b op c; the next instruction is OP_WORD with the operator in b, checked in a */
	OP_UNARY,            /* a = op b; OP_WORD follows */
	OP_CONVERT,          /* a = b as number kind c & 255, checked: c >> 8 */
	OP_NOT,              /* a = !b */
	OP_SAME, OP_NOT_SAME,                /* references */
	OP_TEXT_SAME, OP_TEXT_NOT_SAME,
	OP_TO_ENUM,          /* a = b as enum types[c] */
	OP_CAST, OP_IS, OP_AS,               /* a = b against types[c] */
	OP_HAS_VALUE,        /* a = b != null */
	OP_GET_VALUE,        /* a = b, which must not be null */
	OP_CONCAT,           /* a = texts of c registers from b */
	OP_FORMAT,           /* a = b with width constants[c] and format constants[c + 1] */
	OP_CALL,             /* sites[c], arguments from b */
	OP_INVOKE,           /* a = delegate in b with c arguments behind it */
	OP_ELEMENT,          /* a = b[c] */
	OP_SET_ELEMENT,      /* a[b] = c */
	OP_NEW_ARRAY,        /* a = new types[c] with b elements */
	OP_ARRAY,            /* a = array of types[c]; OP_WORD: a elements from b */
	OP_ANONYMOUS,        /* a = of types[c]; OP_WORD */
	OP_CLOSURE,          /* a = protos[b] as delegate types[c] */
	OP_NEW_CELL,         /* a = an empty cell */
	OP_WRAP_CELL,        /* a = a cell that holds a */
	OP_CELL_GET,         /* a = *b */
	OP_CELL_SET,         /* *a = b */
	OP_UP_GET,           /* a = *captures[b] */
	OP_UP_SET,           /* *captures[a] = b */
	OP_UP_CELL,          /* a = captures[b], the cell itself */
	OP_REF_ELEMENT,      /* a = a cell that stands for b[c] */
	OP_YIELD,            /* a is the next element of the sequence */
	OP_ITERATE,          /* a = iterator over b */
	OP_NEXT,             /* a = next of iterator b; skips the following jump when there was one */
	OP_RETURN,           /* a */
	OP_RETURN_NONE,
	OP_THROW,            /* a */
	OP_CONTEXT,
	OP_WORD,             /* operands of the instruction before */
	OP__COUNT
};

struct insn {
	uint16_t op, a, b, c;
};

struct call_site {
	const struct member *member;
	vm_fn fn;                    /* NULL: found by name in the class of the instance */
	const struct type *type;
	const struct type *const *types;
	uint16_t n;
	bool has_self, setter, lifted;
	uint32_t lifted_op;          /* == or != of nullable operands */
	size_t n_outs;
};

struct handler {
	uint32_t from, to, target;   /* instructions; innermost first */
	uint16_t reg;                /* takes the exception */
};

struct capture {
	bool of_parent;              /* a capture of the enclosing function, else one of its registers */
	uint16_t index;
};

struct proto {
	struct insn *code;
	struct value *constants;
	struct call_site *sites;
	const struct type **types;
	struct proto **protos;
	struct handler *handlers;
	struct capture *captures;
	size_t n_code, n_constants, n_sites, n_types, n_protos, n_handlers, n_captures;
	uint16_t n_regs, n_params;
	const struct type *generator;        /* the result when this function yields; NULL: it returns */
};

enum { REGISTERS_MAX = 4000, CODE_MAX = 1 << 20 };

struct compilation;
struct function;
struct proto *gen_function(struct compilation *c, struct function *f);
