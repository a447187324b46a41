/* expr.h - policy expressions: `@(expression)` and `@{ statements }`, a subset of C# 7 with static types.
 *
 * Compile once (when a document is loaded), run often. A compiled expression is immutable and may be run by several
 * threads at once, each with its own exchange. Reference: "Policy expressions" of the Azure API Management documentation. */
#pragma once

#include "core/error.h"
#include "policy/expr/value.h"

struct exchange;
struct expr;
struct policy_diags;                 /* policy/diag.h: collects errors with line and column */

/* Limits of one run; a limit that is hit is an error like an exception and goes to on-error. */
struct expr_limits {
	uint64_t instructions;       /* default 5,000,000 */
	uint32_t depth;              /* calls and recursion; default 200 */
	size_t memory_bytes;         /* of the arena, by this expression; default 64 MiB */
	uint32_t cpu_ms;             /* processor time; looked at now and then; 0: no limit. Default 60: the budget of instructions
	                              * ends nearly all before, this is for work that is dearer than its price */
};
extern const struct expr_limits expr_limits_default;

/* What the compiler learns on the way and the document loader needs. */
struct expr_uses {
	bool request_body, response_body;        /* the body must be held before the program runs */
};

/* `source` is the whole attribute or text with its "@(" or "@{"; line and column are those of its first character in the
 * document, from 1. NULL when it does not compile; then diags holds at least one error. Memory from arena a. */
struct expr *expr_compile(struct arena *a, struct str source, unsigned line, unsigned column,
			  struct policy_diags *diags, struct expr_uses *uses);

/* Length in bytes of the expression that starts at s ("@(" or "@{") up to its closing bracket, found by a C# lexer
 * (strings, chars, interpolation, comments). 0: it does not end; *what then says why. */
size_t expr_scan(struct str s, const char **what);

/* Runs it. On failure the result code is INVALID and err->message holds the text that context.LastError.Message shows
 * after "Expression evaluation failed. ". */
GH_RC expr_run(const struct expr *e, struct exchange *x, const struct expr_limits *limits, struct value *out,
	       struct gh_err *err);

/* Any value as JSON, as JsonConvert.SerializeObject writes it. In the exchange's arena; fails like expr_run. */
GH_RC expr_json(struct exchange *x, struct value v, const struct expr_limits *limits, struct str *out, struct gh_err *err);
