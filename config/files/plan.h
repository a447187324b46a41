/* plan.h - what files would change, and changing it: one and the same walk, in one transaction that a plan takes back.
 *
 * When an API says that another revision is current, that comes first, for all else is about it. Creations and changes come in the
 * order of dependence. What the files cover (set.h) and do not hold is deleted, as far as
 * nothing refers to it any more; what belongs to something that is deleted goes with it. Each change tells how many live
 * subscriptions and how many calls of the last seven days go through what it touches. */
#pragma once

#include "config/files/set.h"

enum plan_action { PLAN_CREATE, PLAN_CHANGE, PLAN_DELETE };
extern const char *const plan_action_names[];            /* "create", "change", "delete" */

struct plan_change {
	enum plan_action action;
	const struct resource_kind *kind;
	struct str id;
	const struct files_doc *doc;     /* NULL for a deletion */
	json_t *fields;                  /* of a change: [{"field","before","after"}] */
	json_t *gone;                    /* of a deletion: the document */
	bool everything;                 /* it touches all calls */
	int64_t subscriptions, calls;    /* live ones; calls of seven days */
	size_t with;                     /* deletions that go with this one */
	bool ahead;                      /* makes another revision current, before all else */
};

/* A secret that stands as "kept" in the files and is not in this store. */
struct plan_missing {
	const struct files_doc *doc;
	struct str field;                /* "/password" */
	bool placeholder;                /* a random text stands there now */
};

struct plan {
	struct arena *arena;
	struct plan_change *changes;
	size_t n, cap, same;
	struct plan_missing *missing;
	size_t n_missing, cap_missing;
	struct str *warnings;            /* what a change does beside: "alert rule errors goes off: api orders, which it watches, is deleted" */
	size_t n_warnings;
	struct str state;                /* of the store that it is for (store_state), with a digest of the changes behind "-" */
};

struct plan_options {
	struct str actor;
	bool dry_run;
	bool impact;                     /* look into the call records */
	const json_t *secrets;           /* {"named-value/erp-password/secret": "text" or {"ref": ...}}; NULL: none */
	const struct theme *theme;       /* as for resource_theme; NULL: the shipped files */
	/* Called when all of it stands in the transaction, before that is ended; a failure takes everything back. NULL: nobody looks. */
	gh_rc (*look)(void *ctx, struct gh_err *err);
	void *look_ctx;
	/* That of a plan: CONFLICT when the store has changed since and the changes are not the same any more, each with what was before
	 * and is after. What the plan does not touch may have changed. STR_NULL: any will do. */
	struct str state;
	const struct plan *agreed;       /* a dry run of the same set, its state likewise: this and nothing else is done */
	bool blind_to_alerts;            /* whoever asks may not see alert rules: warnings do not name them */
	bool passwords_stand;            /* as resource_passwords_stand: the set is an import */
	bool placeholders;               /* a secret that is missing becomes a random text, to be set later */
};

/* Works the set into the store, or says what would be. Problems stand in the set; then INVALID, and nothing has changed. */
GH_RC plan_run(struct store *s, struct arena *a, struct files_set *set, const struct plan_options *o, struct plan *out,
	       struct gh_err *err);

void plan_text(const struct plan *p, struct buf *out);
void plan_text_of(const json_t *plan, struct buf *out);  /* the same, of what plan_json says, also on another machine */
/* Text for a terminal: control characters and what turns the direction of writing as \uXXXX. */
void plan_put_text(struct buf *out, struct str s);
json_t *plan_json(const struct plan *p);                 /* {"changes", "missing", "warnings", "state", "summary"}; owned by the caller */
size_t plan_count(const struct plan *p, enum plan_action action);
