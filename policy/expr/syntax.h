/* syntax.h - the parsed expression: one kind of node for expressions, statements and types.
 *
 * Which fields a kind uses stands beside it. Lists are linked by .next. */
#pragma once

#include "core/arena.h"
#include "policy/expr/value.h"

struct policy_diags;
struct node;
struct type;

enum syntax_kind {
	/* expressions */
	SX_LITERAL,                  /* value; op: value_kind */
	SX_INTERPOLATED,             /* a: list of SX_LITERAL and SX_HOLE */
	SX_HOLE,                     /* a: expression, b: alignment or NULL, text: format */
	SX_NAME,                     /* text, b: type arguments */
	SX_MEMBER,                   /* a: target, text, b: type arguments */
	SX_CONDITIONAL,              /* a?.b: a: target, b: what follows, built on SX_RECEIVER */
	SX_RECEIVER,                 /* the target of the SX_CONDITIONAL around it */
	SX_CALL,                     /* a: target, b: list of SX_ARGUMENT */
	SX_INDEX,                    /* a: target, b: list of SX_ARGUMENT */
	SX_ARGUMENT,                 /* a: expression, text: name or null; flag: out; b: type of `out T x` (then text2: x); op: KW_ref */
	SX_UNARY,                    /* op, a; flag: postfix */
	SX_BINARY,                   /* op, a, b */
	SX_ASSIGN,                   /* op: '=' or the operator before it, a, b */
	SX_TERNARY,                  /* a ? b : c */
	SX_CAST,                     /* a: type, b */
	SX_AS,                       /* a, b: type */
	SX_IS,                       /* a, b: type, text2: new variable; or c: constant expression */
	SX_NEW,                      /* a: type, b: arguments, c: SX_INITIALISER */
	SX_NEW_ARRAY,                /* a: element type or NULL, b: sizes, c: SX_INITIALISER; op: dimensions of T[,] { … } */
	SX_NEW_ANONYMOUS,            /* a: list of SX_ARGUMENT */
	SX_INITIALISER,              /* a: list of SX_INIT_MEMBER, SX_INIT_INDEX, SX_INITIALISER (Add) or expressions */
	SX_INIT_MEMBER,              /* text, a: value */
	SX_INIT_INDEX,               /* b: arguments, a: value */
	SX_LAMBDA,                   /* a: list of SX_PARAMETER, b: expression or SX_BLOCK; flag: of a local function */
	SX_PARAMETER,                /* text, a: type or NULL, b: default value, op: KW_ref, KW_out, KW_params or 0; c: of a query's lambda: SX_NAMEs that
	                              * mean members of the parameter */
	SX_CHECKED,                  /* a; flag: unchecked */
	SX_TYPEOF,                   /* a: type */
	SX_DEFAULT,                  /* a: type or NULL */
	SX_NAMEOF,                   /* text */
	SX_THROW_EXPR,               /* a */
	SX_TUPLE,                    /* a: list of SX_ARGUMENT */
	SX_TYPE,                     /* text: dotted name or keyword; b: type arguments; op: nullable; n: array ranks; a: T of T?[],
	                              * or of T[,] and then op: dimensions;
	                              * flag: a tuple, its elements in b with their names in text2 */
	/* statements */
	SX_BLOCK,                    /* a: list */
	SX_LOCAL,                    /* a: type (NULL: var), b: list of SX_DECLARATOR, flag: const, op: KW_ref */
	SX_DECLARATOR,               /* text, a: initial value or NULL */
	SX_DECONSTRUCT,              /* (x, y) = a; b: list of SX_TARGET */
	SX_TARGET,                   /* declares text (`_`: nothing) of type a (NULL: var); or b: list of targets; or c: a place */
	SX_EXPRESSION,               /* a */
	SX_IF,                       /* a, b, c: else */
	SX_FOR,                      /* a: initialisers, b: condition, c: iterators, d: body */
	SX_FOREACH,                  /* a: type (NULL: var), text; or c: list of SX_TARGET; b: collection, d: body */
	SX_WHILE,                    /* a, d */
	SX_DO,                       /* d, a */
	SX_SWITCH,                   /* a, b: list of SX_SECTION */
	SX_SECTION,                  /* a: list of SX_LABEL, b: statements */
	SX_LABEL,                    /* a: constant, or b: type and text2, c: when; none: default */
	SX_BREAK, SX_CONTINUE,
	SX_RETURN,                   /* a or NULL */
	SX_THROW,                    /* a or NULL */
	SX_TRY,                      /* a: block, b: list of SX_CATCH, c: finally block */
	SX_CATCH,                    /* a: type or NULL, text, b: when, c: block */
	SX_USING,                    /* a: SX_LOCAL or expression, b: body */
	SX_FUNCTION,                 /* a: result type, text, b: parameters, c: SX_BLOCK or expression; d: type parameters: SX_NAMEs */
	SX_YIELD,                    /* a: the element; NULL: yield break */
	SX_EMPTY,
};

struct syntax {
	enum syntax_kind kind;
	uint32_t at;                 /* byte of the source */
	uint32_t op;
	uint16_t n;
	bool flag;
	struct str text, text2;
	struct value value;
	struct syntax *a, *b, *c, *d, *next;
	struct node *bound;          /* SX_LAMBDA: what it was bound to last */
	const struct type *bound_type;       /* … for this delegate type */
};

enum { SYNTAX_DEPTH_MAX = 200 };     /* nesting of brackets, blocks and operators */

/* One source and where its first byte stands in the document; the first error ends the work. */
struct compilation {
	struct arena *arena;         /* of the work: gone when the compiler is done */
	struct arena *keep;          /* of the result */
	struct str source;
	unsigned line, column;
	struct policy_diags *diags;
	unsigned quiet;              /* > 0: errors are only counted (a lambda is tried against an overload) */
	unsigned errors;
};

/* Reports at a byte of the source; returns NULL so that `return expr_error(...)` reads well. */
void *expr_error(struct compilation *c, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The body of "@(…)" (an expression) or "@{…}" (an SX_BLOCK); NULL after an error. */
struct syntax *parse_source(struct compilation *c);
