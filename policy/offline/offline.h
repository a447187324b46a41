/* offline.h - policies without a gateway: what `gatehouse policy run`, `policy test`, `expr` and the test pane of
 * the dashboard work on.
 *
 * The context file says what there is (API, subscription, named values, canned answers), the request file what is
 * asked; docs/policy-run.md describes both. The clock stands at "now" and moves only when a policy sleeps, random
 * numbers come from "seed": the same input gives the same output. Nothing is read but the files named, nothing is sent.
 */
#pragma once

#include "core/json.h"
#include "policy/compiler.h"

enum { OFFLINE_REPEAT_MAX = 10000, OFFLINE_FILE_MAX = 16 * 1024 * 1024 };

struct offline;

/* Reads the context (NULL: none). dir: where the files it names are looked for (NULL: no file is read, and a context that
 * names one is refused). All memory from `a`. */
GH_RC offline_new(struct arena *a, json_t *context, const char *dir, struct offline **out, struct gh_err *err);

/* Compiles the innermost document and those of the context's scopes. On INVALID diags hold the errors, *file names the
 * document that has them. */
GH_RC offline_load(struct offline *o, const char *path, struct policy_diags *diags, const char **file,
		   struct gh_err *err);

/* The same with the innermost document at hand; `name` stands for it in messages. */
GH_RC offline_load_text(struct offline *o, struct str text, const char *name, struct policy_diags *diags, const char **file,
			struct gh_err *err);

/* Runs a request object as often as it says. *out: an object, or an array with "repeat". Kept by the arena. */
GH_RC offline_run(struct offline *o, json_t *request, json_t **out, struct gh_err *err);

/* A bare exchange with the context's identity and a request (may be NULL), for evaluating one expression. */
GH_RC offline_exchange(struct offline *o, json_t *request, struct exchange **out, struct gh_err *err);
