/* plan_walk.h - what the parts of a plan share while it runs. For config/files/ only. */
#pragma once

#include "config/files/impact.h"
#include "config/files/plan.h"

enum { PLAN_DEPTH_MAX = 40 };            /* of references within one kind */

enum doc_state { DOC_NEW, DOC_SAME, DOC_DIFFERS, DOC_DONE };

/* A resource that the files no longer have. */
struct gone {
	const struct resource_kind *kind;
	struct str id;
	struct str owner;                /* "api orders"; STR_NULL: it belongs to nothing */
	bool done;
};

struct walk {
	struct store *store;
	struct arena *arena, *scratch;   /* scratch: of one page, one deletion */
	struct files_set *set;
	const struct plan_options *options;
	struct plan *plan;
	struct resource_change *change;
	enum doc_state *state;           /* by document of the set */
	struct gone *gone;
	size_t n_gone, cap_gone;
	struct impact impact;
};

/* Alert rules as they were before: a rule whose target goes is switched off, which nobody would see in a list of deletions. */
struct store_alert_rule;
struct plan_watch {
	struct store_alert_rule *rules;
	size_t n;
};
GH_RC plan_watch_begin(struct walk *w, struct plan_watch *out, struct gh_err *err);
GH_RC plan_watch_end(struct walk *w, const struct plan_watch *before, struct gh_err *err);       /* warnings of the plan */

/* The document with the secrets that are given apart put in. *out NULL: one is missing, and a problem says so. */
GH_RC plan_secrets(struct walk *w, const struct files_doc *d, json_t **out, struct gh_err *err);
