/* compile.h - between the files of the compiler; elements use policy/element.h. */
#pragma once

#include "policy/program.h"

enum { PATH_DEPTH_MAX = 64, SECRETS_MAX = 256, NAMED_VALUE_NAME_MAX = 256 };

struct program_builder {
	struct arena *scratch;               /* tree and decoded texts; gone after the compilation */
	struct policy_document *out;
	struct instruction *v;               /* of the present section, in scratch */
	uint32_t n, cap;
	const struct doc_node *path[PATH_DEPTH_MAX];
	size_t depth;
	uint64_t seen[POLICY_TYPES_MAX / 64];        /* a bit for each policy_types[i] that the present section has */
	bool failed;                         /* out of memory */
};

/* Puts named values into a text. False after an error. *unknown: a reference stayed as it was (open_references). The
 * answer lives in the compiler's arena when it differs from t. `liquid`: {{…}} that names no value is left alone. */
bool substitute(struct compiler *c, const struct doc_text *t, bool liquid, struct doc_text *out, bool *unknown);

/* Compiles an expression that was substituted; reports at the original places. NULL after an error. */
struct expr *compile_expression(struct compiler *c, const struct doc_text *t, bool unknown);

void *compile_no_memory(struct compiler *c);         /* reports; NULL */
uint32_t line_of(const struct compiler *c, const struct doc_node *n);
