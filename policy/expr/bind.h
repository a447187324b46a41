/* bind.h - from syntax to typed nodes: names, types, conversions and overloads are decided here; gen.c only lays out code.
 *
 * A lambda is bound anew for each delegate type that it is tried against, so binding has no side effect but new nodes,
 * and errors can be silenced (compilation.quiet). Every bind function returns NULL after an error. */
#pragma once

#include "policy/expr/expr.h"
#include "policy/expr/link.h"
#include "policy/expr/syntax.h"

struct function;
struct function_instance;
struct var_scope;

struct local {
	struct local *next;          /* in its scope */
	struct str name;
	const struct type *type;
	struct function *owner;
	struct syntax *declared;     /* SX_FUNCTION of a local function */
	struct function *function;   /* … once bound */
	struct node *origin;         /* what it was first given: to see that it is context.Response */
	struct value constant;
	bool generic;                /* a local function with type parameters: bound for each list of types that it is used with */
	struct function_instance *instances;         /* … or, of such a copy, what it was made for */
	struct node *home;           /* … in the block where it was declared */
	struct var_scope *home_scope;
	struct local *range;         /* of a query: this name means `member` of that parameter, of type `owner_type` */
	const struct member *member;
	const struct type *owner_type;
	bool is_const, captured, read_only, pending;
	bool hidden;                 /* its name is not seen any more: a pattern of another section of the switch */
	bool by_ref;                 /* a ref or out parameter, a ref variable: its register holds the cell of another */
	bool is_out;                 /* an out parameter: its function gives it a value before it ends */
	bool tracked;                /* not every path gives it a value: assigned.c looks, and it starts with its zero */
	uint32_t index;              /* … its place in the sets there */
	uint16_t reg;
};

struct var_scope {
	struct var_scope *parent;
	struct local *locals;
};

struct function {
	struct function *parent;
	struct local *params[PARAMETERS_MAX];
	size_t n;
	const struct type *result;   /* NULL while it is inferred from the returns */
	const struct type *inferred[16];
	struct node *returned[16];
	size_t n_inferred;
	struct var_scope *scope;         /* of the parameters and of what an expression declares */
	struct node *body;           /* a statement, or an expression when .is_expression */
	bool is_expression, checked;
	bool is_local;               /* a local function, which may yield */
	bool generator;              /* … and does: a call gives a sequence */
	bool returns;                /* a return statement was met */
	unsigned tries;              /* open try blocks */
	bool unchecked;              /* written out: constants may overflow too */
	unsigned loops, switches, finallys;
	struct local **captures;     /* of outer functions, in the order of their cells */
	size_t n_captures, cap_captures;
};

enum node_kind {
	/* values */
	N_CONST,                     /* value */
	N_LOCAL,                     /* local */
	N_ASSIGN,                    /* local = a */
	N_CALL,                      /* member; a: self or NULL; b: list of arguments; op: 1 = setter; types; flag: lifted */
	N_INVOKE,                    /* a: delegate, b: arguments */
	N_UNARY,                     /* op, a */
	N_BINARY,                    /* op, a, b; both of one kind; flag: checked */
	N_SAME,                      /* reference equality of a and b; flag: != */
	N_TEXT_SAME,                 /* of strings; flag: != */
	N_AND, N_OR,
	N_TERNARY,                   /* a ? b : c */
	N_COALESCE,                  /* a ?? b */
	N_CONVERT,                   /* a to number kind op; flag: checked */
	N_TO_ENUM,                   /* a to enum type */
	N_CAST, N_IS, N_AS,          /* a, against .tested */
	N_HAS_VALUE, N_GET_VALUE,    /* of a T? */
	N_CONCAT,                    /* list b */
	N_FORMAT,                    /* a with alignment b, value: format string */
	N_ELEMENT,                   /* a[b] of an array */
	N_SET_ELEMENT,               /* a[b] = c */
	N_NEW_ARRAY,                 /* of type, b: length; c: type below when the array is jagged */
	N_ARRAY,                     /* list b */
	N_ANONYMOUS,                 /* list b; tested: the type */
	N_CONDITIONAL,               /* a?.b with local holding a */
	N_SEQUENCE,                  /* list b; the value is that of the last */
	N_LAMBDA,                    /* function */
	N_THROW,                     /* a */
	N_CONTEXT,
	N_REF,                       /* the cell of the variable or element a; flag: out */
	/* not values: they stand left of a dot or a bracket only */
	N_TYPE,                      /* tested */
	N_NAMESPACE,                 /* text */
	N_METHODS,                   /* a: self or NULL, tested: type, text, types given */
	N_OPEN,                      /* syntax: a lambda, default or tuple that waits for its type */
	/* statements */
	N_BLOCK,                     /* list b; c: local functions, set up first; scope: cells to make */
	N_EXPRESSION, N_IF, N_YIELD, /* a: the element */
	N_BIND_REF,                  /* local stands for the N_REF a from here on */
	N_RETURN, N_BREAK, N_CONTINUE, N_RETHROW,
	N_LOOP,                      /* a: condition or NULL, b: step list, d: body; flag: condition after the body */
	N_FOREACH,                   /* local: the item, a: collection, d: body, which begins by setting the variable */
	N_SWITCH,                    /* a: assignment of the value; b: list of N_SECTION */
	N_SECTION,                   /* a: condition or NULL (default), b: statements */
	N_TRY,                       /* a: block, b: list of N_CATCH, c: finally */
	N_CATCH,                     /* tested, local or NULL, a: when, b: block */
	N_NOTHING,
};

struct node {
	enum node_kind kind;
	uint32_t at;
	uint32_t op;
	bool flag, assigns;          /* assigns: running it may change a local */
	const struct type *type, *tested;
	const struct type *real;     /* what is made, when a conversion gave the node another type; NULL: type */
	struct value value;
	struct node *a, *b, *c, *d, *next;
	struct local *local, *local2;
	const struct member *member;
	const struct type *const *types;
	size_t n_types;
	struct function *function;
	struct var_scope *scope;
	struct syntax *syntax;
	struct str text;
};

static inline const struct type *node_type(const struct node *n)
{
	return n->real ? n->real : n->type;
}

struct type_parameter {              /* of a generic local function that is being bound */
	struct type_parameter *next;
	struct str name;
	const struct type *type;
};

struct binder {
	struct compilation *c;
	struct arena *arena;
	struct var_scope *scope;
	struct function *function;
	struct node *receiver[16];   /* of the conditional accesses that are open */
	size_t n_receivers;
	unsigned depth, catches;
	struct expr_uses *uses;
	struct anonymous *anonymous;         /* types made so far */
	struct type_parameter *type_parameters;
	unsigned instances;          /* of generic functions */
	size_t n_tracked;            /* variables that assigned.c looks at */
	unsigned tries;              /* lambdas bound: bounds what nested overloads can cost */
};

enum { BIND_DEPTH_MAX = 2000, LAMBDA_TRIES_MAX = 20000, FUNCTION_INSTANCES_MAX = 64 };

/* bind.c */
struct node *bind_node(struct binder *b, enum node_kind kind, size_t at, const struct type *type);
struct node *node_const(struct binder *b, size_t at, const struct type *type, struct value v);
struct node *node_local(struct binder *b, size_t at, struct local *l);
struct node *node_assign(struct binder *b, size_t at, struct local *l, struct node *v);
struct local *local_new(struct binder *b, size_t at, struct str name, const struct type *type);   /* NULL name: a temporary */
struct local *local_find(struct binder *b, struct str name);
void local_use(struct binder *b, struct local *l);           /* marks a capture */
void local_track(struct binder *b, struct local *l);         /* declared without a value, or where it may get none */
const struct type *bind_type(struct binder *b, const struct syntax *s);
const struct type *type_lookup(struct binder *b, struct str name, const struct syntax *args);  /* NULL: none, no error */
struct str type_name(struct binder *b, const struct type *t);
struct var_scope *scope_enter(struct binder *b);                 /* NULL: out of memory */
void scope_leave(struct binder *b);

/* bind_expr.c */
struct node *bind_expr(struct binder *b, struct syntax *s);          /* may be no value */
struct node *bind_value(struct binder *b, struct syntax *s);         /* is one, or open */
struct node *bind_to(struct binder *b, struct syntax *s, const struct type *to);     /* converted */
struct node *bind_condition(struct binder *b, struct syntax *s);     /* to bool */

/* bind_name.c */
struct node *bind_name(struct binder *b, struct syntax *s);
struct node *bind_member(struct binder *b, struct syntax *s);
struct node *bind_index(struct binder *b, struct syntax *s);
struct node *member_get(struct binder *b, size_t at, struct node *self, const struct type *of, const struct member *m,
			struct node *args);
struct node *member_set(struct binder *b, size_t at, struct node *self, const struct type *of, const struct member *m,
			struct node *args, struct node *value);
/* A property or constant of the type or its bases; NULL: none. */
const struct member *find_property(struct binder *b, const struct type *t, struct str name, bool is_static,
				   const struct type **owner);

/* bind_ops.c */
struct node *bind_unary(struct binder *b, struct syntax *s);
struct node *bind_binary(struct binder *b, struct syntax *s);
struct node *binary_of(struct binder *b, size_t at, uint32_t op, struct node *l, struct node *r);
struct node *equal_of(struct binder *b, size_t at, bool negate, struct node *l, struct node *r);
struct node *fold(struct binder *b, struct node *n);

/* bind_assign.c */
struct node *bind_assign(struct binder *b, struct syntax *s);
struct node *bind_increment(struct binder *b, struct syntax *s);

/* bind_new.c */
struct node *bind_new(struct binder *b, struct syntax *s);
struct node *bind_new_array(struct binder *b, struct syntax *s);
struct node *array_of(struct binder *b, struct syntax *s, const struct type *element);   /* of the initialiser s->c */
struct node *bind_new_grid(struct binder *b, struct syntax *s, const struct type *element);      /* bind_grid.c: T[,] */
struct node *bind_anonymous(struct binder *b, struct syntax *s);

/* bind_tuple.c */
struct node *bind_tuple(struct binder *b, struct syntax *s);         /* open while an element has no type */
bool node_is_tuple(const struct node *n);                            /* a literal: its elements are the list b */
bool tuple_converts(struct binder *b, const struct node *literal, const struct type *to);
bool tuple_type_converts(struct binder *b, const struct type *from, const struct type *to);
struct node *tuple_convert(struct binder *b, struct node *from, const struct type *to);
struct node *tuple_member(struct binder *b, size_t at, struct node *self, struct str name);  /* NULL: no such name, no error */
struct node *tuple_with(struct binder *b, size_t at, struct node *tuple, size_t item, struct node *value);  /* a changed copy */
struct node *tuple_equal(struct binder *b, size_t at, bool differs, struct node *l, struct node *r);
struct node *tuple_take(struct binder *b, struct syntax *targets, size_t at, struct node *from);     /* (x, y) = from */

/* bind_call.c */
struct argument {
	struct argument *next;
	struct syntax *syntax;
	struct str name;
	struct node *node;           /* bound; open ones wait */
	struct local *out;           /* out argument */
	struct syntax *declares;     /* out T x */
	size_t at;
	bool is_out;                 /* out or ref */
	bool is_ref;
	struct node *place;          /* ref or out element of an array */
};
struct node *bind_call(struct binder *b, struct syntax *s);
/* bind_ref.c: by reference */
struct node *ref_node(struct binder *b, size_t at, struct node *place, bool is_out);   /* place: a variable or an element */
struct node *ref_argument(struct binder *b, struct argument *arg, uint32_t mode, const struct type *t);
struct node *stmt_ref_local(struct binder *b, struct syntax *s);
bool ref_parameters(const struct syntax *function);
/* bind_function.c: a call of a function value or local function */
struct node *bind_invoke(struct binder *b, struct syntax *s, struct node *target, struct argument *args, size_t n_args);
bool bind_arguments(struct binder *b, struct syntax *list, struct argument **first, size_t *n);
struct candidate {
	const struct member *member;
	const struct type *owner;    /* instance or static type with its arguments */
	bool expanded, reduced;      /* params spread out; extension called as a method */
	const struct type *types[TYPE_ARGS_MAX];     /* inferred */
	const struct type *params[PARAMETERS_MAX];   /* by argument, with types put in */
	uint8_t slot[PARAMETERS_MAX * 4];            /* parameter of each argument */
	unsigned defaults, depth;    /* depth: classes between the type and the owner */
};
enum { ARGUMENTS_MAX = PARAMETERS_MAX * 4 };
/* The best of the overloads. what: "method `X`" for messages. */
struct node *bind_overload(struct binder *b, size_t at, struct str what, struct candidate *list, size_t n,
			   struct argument *args, size_t n_args, struct node *self);
/* overload.c: the index of the best candidate; SIZE_MAX: none fits, or *ambiguous and the error has been reported. */
size_t overload_choose(struct binder *b, size_t at, struct candidate *list, size_t n, struct argument *args, size_t n_args,
		       bool *ambiguous);
/* Which argument goes to which parameter. False: too many, too few, unknown names. */
bool overload_map(struct candidate *c, struct argument *args, size_t n_args);
/* All methods of that name, in memory of the compiler; *n of them (0: none, or out of memory). */
struct candidate *collect_methods(struct binder *b, const struct type *t, struct str name, enum member_kind kind, bool is_static,
				  size_t *n);
bool has_method(struct binder *b, const struct type *t, struct str name, bool is_static);

/* infer.c: type arguments from arguments. False: cannot be inferred. */
bool infer_types(struct binder *b, struct candidate *c, struct argument *args, size_t n_args, struct node *self);

/* convert.c */
enum conv_kind {
	CONV_NONE, CONV_IDENTITY, CONV_NUMERIC, CONV_CONSTANT, CONV_REFERENCE, CONV_NULLABLE, CONV_USER, CONV_LAMBDA, CONV_OPEN,
	CONV_TUPLE,                  /* element by element */
	CONV_CAST                    /* explicit only: checked when it runs */
};
struct conv {
	enum conv_kind kind;
	const struct member *user;
	const struct type *owner;
};
struct conv conv_implicit(struct binder *b, struct node *from, const struct type *to);
struct conv conv_of_type(struct binder *b, const struct type *from, const struct type *to);   /* of a value of that type */
struct node *convert(struct binder *b, struct node *from, const struct type *to);             /* or an error */
struct node *convert_explicit(struct binder *b, struct node *from, const struct type *to, size_t at);
bool numeric_widens(enum value_kind from, enum value_kind to);
struct node *user_call(struct binder *b, size_t at, const struct member *m, struct node *arg);

/* bind_lambda.c */
bool delegate_signature(struct binder *b, const struct type *t, const struct type **params, size_t *n,
			const struct type **result);
/* A lambda or method group as a delegate of that type. result NULL: inferred, then *inferred is set. */
struct node *bind_lambda(struct binder *b, struct syntax *s, const struct type *const *params, size_t n,
			 const struct type *result, const struct type *delegate, const struct type **inferred);
struct node *bind_open(struct binder *b, struct node *open, const struct type *to);
const struct type *common_type(struct binder *b, struct node *const *list, const struct type *const *types, size_t n);
struct function *function_new(struct binder *b, const struct type *result);

/* bind_stmt.c */
struct node *bind_statement(struct binder *b, struct syntax *s);
struct node *bind_statements(struct binder *b, struct syntax *list, size_t at);     /* an N_BLOCK */
bool bind_function_body(struct binder *b, struct function *f, struct syntax *body, size_t at);
struct local *bind_pattern(struct binder *b, size_t at, struct str name, const struct type *t);
/* True when control can come out at the end (flow.c). */
bool flow_ends(const struct node *n);

/* assigned.c: every variable is given a value before it is read; false: an error has been reported. */
bool assigned_check(struct binder *b, const struct function *f);

/* The whole: a function without parameters. */
struct function *bind_source(struct binder *b, struct syntax *s);
