/* schema.h - what may stand in a policy element, as data.
 *
 * One table per element says which attributes, texts and children it takes, of what kind, with what default, and where
 * the compiled value goes in the element's configuration struct. From it come the checks on save with their messages,
 * the values at run time, the documentation (`gatehouse policy docs`) and completion in the editor.
 *
 *     struct check_header { struct arg name, code, message, ignore_case; struct children values; };
 *     static const struct arg_schema args[] = {
 *     	{ .name = "name", .kind = ARG_TEXT, .flags = ARG_REQUIRED | ARG_EXPR, .offset = offsetof(struct check_header,
 * name), .help = "header to look for" },  … */
#pragma once

#include "policy/expr/expr.h"
#include "policy/document.h"

struct compiler;                     /* policy/element.h */

enum arg_kind {
	ARG_TEXT,
	ARG_INT,                     /* .number; range least .. most unless both are 0 */
	ARG_BOOL,                    /* true or false, any case; .number */
	ARG_ENUM,                    /* one of choices, any case; .number is its index */
	ARG_REAL,                    /* .real */
};

enum {
	ARG_REQUIRED = 1 << 0,
	ARG_EXPR = 1 << 1,           /* may be a policy expression */
	ARG_EMPTY = 1 << 2,          /* an empty text is allowed (it is an error otherwise) */
	ARG_SECRET = 1 << 3,         /* never shown in traces */
	ARG_VERBATIM = 1 << 4,       /* of a text: white space around it is kept */
	ARG_TEMPLATE = 1 << 5,       /* of a text: with template="liquid" it is a Liquid template */
};

struct arg_schema {
	const char *name;            /* attribute; for an element's text the name under which messages speak of it */
	enum arg_kind kind;
	unsigned flags;
	size_t offset;               /* of a struct arg in the configuration */
	int64_t least, most;
	const char *choices;         /* ENUM: "override|skip|append|delete" */
	const char *def;             /* as it would be written; NULL: none */
	const char *help;            /* one line for the documentation, with the unit */
};

/* A compiled attribute or text: a literal, or an expression that gives it for each request. */
struct arg {
	const struct expr *expr;     /* NULL: literal */
	struct str text;             /* of a literal: as written, named values put in; the default when not given */
	int64_t number;              /* of a literal INT, BOOL, ENUM */
	double real;                 /* of a literal REAL */
	bool given;                  /* stands in the document */
	bool unknown;                /* holds a named value that is not known (checks without a store) */
	const struct arg_schema *schema;
};

struct element_schema;

struct child {
	const struct element_schema *schema;
	void *config;
	unsigned line;
};
struct children {                    /* in document order */
	struct child *v;
	size_t n;
};

struct child_schema {
	const struct element_schema *element;
	unsigned min, max;           /* max 0: any number */
	size_t offset; /* of a struct children in the parent's configuration; several rows may share one */
};

enum content {
	CONTENT_ELEMENTS,            /* the listed children, and text when .text is set */
	CONTENT_POLICIES,            /* policies; the type's emit compiles them */
	CONTENT_MARKUP,              /* foreign markup is allowed: the compiler takes it as text (node.inner) */
};

struct element_schema {
	const char *name;
	const char *help;            /* one or two sentences for the documentation */
	size_t config_size;
	const struct arg_schema *args;
	size_t n_args;
	const struct arg_schema *text;       /* NULL: the element holds no text */
	const struct child_schema *children;
	size_t n_children;
	enum content content;
	/* Rules that go over several attributes; prepares what run needs. False when it has reported an error. */
	bool (*check)(struct compiler *c, const struct doc_node *n, void *config);
};

/* Index of the choice, or -1. */
int64_t arg_choice(const struct arg_schema *s, struct str text);
/* Reads a literal into *out (text, number, real). False with a sentence in *why (arena) that says what is wanted. */
bool arg_literal(struct arena *a, const struct arg_schema *s, struct str text, struct arg *out, struct str *why);
