/* element.h - how a policy is written: its row in the registry, and what its functions may call.
 *
 * A policy is one file in policy/elements/ (or one of a family) and one row in policy/registry.c:
 *
 *     const struct policy_type set_method_type = {
 *     	.schema = &set_method_schema, .sections = IN_INBOUND | IN_ON_ERROR, .run = set_method_run };
 *
 * Its configuration is filled from the schema when the document is compiled and never written again. run decides; it
 * may wait for the host, and then resume is called when the wait is over, perhaps more than once: it looks whether its
 * own operation is done. What must be remembered in between goes into *step_state(x). */
#pragma once

#include "policy/compiler.h"

enum {
	IN_INBOUND = 1 << SECTION_INBOUND,
	IN_BACKEND = 1 << SECTION_BACKEND,
	IN_OUTBOUND = 1 << SECTION_OUTBOUND,
	IN_ON_ERROR = 1 << SECTION_ON_ERROR,
	IN_ANY = IN_INBOUND | IN_BACKEND | IN_OUTBOUND | IN_ON_ERROR,
};

/* Lists of scopes of the reference's pages that leave one out. */
enum {
	NOT_WORKSPACE = ((1 << SCOPE__COUNT) - 1) & ~(1 << SCOPE_WORKSPACE),
	NOT_OPERATION = ((1 << SCOPE__COUNT) - 1) & ~(1 << SCOPE_OPERATION),
};

struct policy_type {
	const struct element_schema *schema;
	unsigned sections;           /* where its page lists it; elsewhere it works with a warning */
	unsigned scopes;             /* 1 << SCOPE_x; 0: everywhere; elsewhere a warning */
	bool once;                   /* its page lets it stand once in a section; a further one brings a warning */
	const char *not_live;        /* it is checked only; the reason why it is refused on a live scope */
	/* Writes the instructions of a policy that holds other policies. NULL: one instruction with run. */
	bool (*emit)(struct compiler *c, const struct doc_node *n, void *config);
	enum step (*run)(struct exchange *x, const void *config);
	enum step (*resume)(struct exchange *x, const void *config);
};

/* ---- the registry ------------------------------------------------------------------------------------------------ */
enum { POLICY_TYPES_MAX = 128 };
extern const struct policy_type *const policy_types[];       /* sorted by name, NULL at the end */
const struct policy_type *policy_type_find(struct str name); /* NULL: there is no such policy */

/* ---- while compiling --------------------------------------------------------------------------------------------- */
struct compiler {
	struct arena *arena;
	const struct document *doc;
	const struct policy_source *source;
	const struct policy_env *env;
	struct policy_diags *diags;
	struct policy_uses uses;
	enum section section;        /* that is being compiled */
	struct program_builder *builder;     /* private to policy/compile*.c */
};

/* Errors and warnings at an element, or at one of its attributes when that is there (attr may be NULL). */
void compile_error(struct compiler *c, const struct doc_node *n, const char *attr, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
void compile_warning(struct compiler *c, const struct doc_node *n, const char *attr, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* An element by its schema, children and all: a configuration, or NULL after errors. */
void *compile_element(struct compiler *c, const struct doc_node *n, const struct element_schema *s);
/* A text that is no plain argument: puts named values in. `liquid`: {{…}} that names none is left to the template. False after an error. */
bool compile_text(struct compiler *c, struct str raw, bool liquid, struct str *out);
/* The policy reads the body of the message that its section works on. */
void compile_uses_body(struct compiler *c);

/* ---- while running ----------------------------------------------------------------------------------------------- */
/* The value of an argument for this request. False: exchange_fail has been called; return STEP_FAIL. */
bool arg_get_text(struct exchange *x, const struct arg *a, struct str *out) MUST_USE; /* STR_NULL when there is none */
bool arg_get_int(struct exchange *x, const struct arg *a, int64_t *out) MUST_USE;        /* also ENUM: the index */
bool arg_get_bool(struct exchange *x, const struct arg *a, bool *out) MUST_USE;
bool arg_get_real(struct exchange *x, const struct arg *a, double *out) MUST_USE;
bool arg_get_value(struct exchange *x, const struct arg *a, struct value *out) MUST_USE; /* a literal gives a string */

void **step_state(struct exchange *x);               /* of the present instruction; NULL before its first run */
/* True in outbound and on-error: policies then work on the response. */
bool works_on_response(const struct exchange *x);
struct fields *message_headers(struct exchange *x);  /* of the message that the section works on */
struct body *message_body(struct exchange *x);
const struct policy_uses *exchange_uses(const struct exchange *x);   /* of all documents that apply */

/* What is to happen when the pipeline has ended, with the response in place and before `finished`: newest last.
 * False: out of memory. */
bool exchange_at_end(struct exchange *x, void (*fn)(struct exchange *x, void *arg), void *arg) MUST_USE;

/* exchange_fail for a policy with a documented answer: what LastError says and what the client reads differ. */
enum step exchange_refuse(struct exchange *x, int status, struct str reason, struct str message,
			  struct str public_message);
/* Out of memory, as an error of the exchange. */
enum step exchange_no_memory(struct exchange *x);
