/* policy_store.h - what the compiler of policies asks of a store (named values, fragments, loggers), and the check that a
 * document passes before it is saved, whoever saves it. */
#pragma once

#include "db/policies.h"
#include "policy/compiler.h"

struct policy_store;

/* Reads all named values and compiles all fragments of the store. A fragment that does not compile is left out, see
 * policy_store_broken. All memory from `a`. */
GH_RC policy_store_new(struct arena *a, struct store *s, struct policy_store **out, struct gh_err *err);
/* The environment for policy_compile: for a scope that serves calls. Valid as long as the arena. */
struct policy_env policy_store_env(struct policy_store *p);

/* The fragments that have errors, with the first one of each. */
struct policy_broken {
	struct str id, message;
};
const struct policy_broken *policy_store_broken(const struct policy_store *p, size_t *n);

/* Whether the documents and fragments that name the value as {{id}} compile with the value that stands in the store now. INVALID names
 * the first that does not, with its first error. Inside the transaction of a change: before it is committed. */
GH_RC policy_store_check_value(struct store *s, struct str id, struct gh_err *err);

/* Where in the pipeline a document of the store stands. */
enum scope policy_scope_of(int64_t kind);                /* enum store_policy_kind */
/* Compiles a document as that of `scope`; NULL: it has errors. In either case diags holds what was found. `name` stands for
 * it in messages. An operation that is not there is no error here. */
GH_RC policy_store_compile(struct policy_store *p, struct store *s, const struct store_policy_scope *scope, struct str name,
			   struct str text, const struct policy_document **out, struct policy_diags *diags, struct gh_err *err);
