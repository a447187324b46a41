/* link.h - a class after its signatures have been parsed: what the compiler searches. See class.h for the tables. */
#pragma once

#include "core/map.h"
#include "policy/expr/type.h"

enum member_kind {
	MEMBER_METHOD, MEMBER_CONSTRUCTOR, MEMBER_PROPERTY, MEMBER_INDEXER, MEMBER_OPERATOR, MEMBER_CONVERSION, MEMBER_CONSTANT
};

struct parameter {
	struct str name;
	const struct type *type;
	bool out, by_ref, params, optional;  /* by_ref: out too */
	struct value initial;                /* optional: null also stands for default(T) */
};

enum { PARAMETERS_MAX = 16 };

struct member {
	enum member_kind kind;
	struct str name;                     /* operators: "+"; conversions: "implicit", "explicit" */
	const struct value_class *owner;
	bool is_static, extension, has_set;
	const struct type *type;             /* result */
	unsigned n, n_types;                 /* parameters, type parameters */
	struct parameter *params;
	vm_fn fn, set;
	struct value constant;
	struct member *next;                 /* overload, in the order of the table */
	struct member *next_extension;       /* of the same name in all classes */
};

struct enum_object {
	struct object head;
	int64_t number;
};

struct enum_row {
	struct str name;
	struct enum_object object;
};

struct class_link {
	struct str name;                     /* simple */
	struct str error;                    /* of the first signature that did not parse; STR_NULL */
	const struct type *self;             /* with its own parameters as arguments */
	const struct type *base;             /* NULL: none */
	const struct type **interfaces;
	size_t n_interfaces;
	struct map by_name;                  /* first of the overloads: struct member */
	struct member **properties;          /* readable instance properties, in order */
	size_t n_properties;
	struct enum_row *rows;
	size_t n_rows;
};

/* Arrays with several dimensions, int[,]: a class for each number of them (lib_grid.c). NULL: too many. */
enum { GRID_RANK_MAX = 4 };
const struct value_class *grid_class(unsigned rank);
unsigned grid_rank(const struct value_class *cls);           /* 0: none of them */

const struct class_link *class_link(const struct value_class *cls);
struct member *class_member(const struct value_class *cls, struct str name);          /* own ones only */
/* By simple or full name and number of type parameters; NULL: unknown. */
const struct value_class *class_find(struct str name, size_t n_parameters);
bool class_is_namespace(struct str name);
struct member *class_extensions(struct str name);                                      /* linked by next_extension */
/* All registered classes in turn; NULL after the last. */
const struct value_class *class_each(size_t i);
/* Names for "did you mean": of types; of members (with bases; static or not); NULL-terminated, in a. */
const char *class_suggest(struct arena *a, struct str wrong);
const char *member_suggest(struct arena *a, const struct type *t, struct str wrong, bool is_static);

/* signature.c: parses one row. False: *what says why. */
bool signature_parse(struct arena *a, const struct value_class *cls, const struct class_member *row, struct member *m,
		     const char **what);
const struct type *signature_self(struct arena *a, const struct value_class *cls);     /* with its own parameters */
/* A comma-separated list of types. */
bool signature_types(struct arena *a, const struct value_class *cls, const char *text, const struct type **out, size_t max,
		     size_t *n);
