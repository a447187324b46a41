/* summary.h - what a policy document says that governance asks for. The documents are read as trees (policy/document.h), not compiled:
 * what is saved has compiled, and a thousand APIs are to be judged in a second. */
#pragma once

#include "policy/document.h"
#include "policy/net/json.h"

/* Policies of inbound that authenticate callers, and those that limit how much they call: bits of the tables below. */
extern const char *const summary_authentication[];       /* ends with NULL */
extern const char *const summary_limits[];               /* ends with NULL */

struct summary_backend {
	struct str address, id;          /* of set-backend-service: one of them, as written */
	struct str place;                /* "policy api:orders, line 5" */
};

struct summary {
	struct str name;                 /* "policy api:orders" */
	bool readable;
	bool has_inbound, has_base;      /* the section stands there; it says <base/> */
	unsigned authentication, conditional, limits;    /* bits; conditional: authentication inside of choose */
	struct summary_backend *backends;
	size_t n_backends;
	struct jtoken *token;            /* {"place", "elements": [...], "secrets": [...]} for rules */
};

/* Fragments by id, for include-fragment; NULL: there is none. */
typedef const struct summary *summary_fragment(void *ctx, struct str id);

/* NOMEM only: what cannot be read is a summary that says so. Texts borrow from `text`. */
GH_RC summary_read(struct arena *a, struct str name, struct str text, summary_fragment *fragment, void *ctx, struct summary *out,
		   struct gh_err *err);

/* ---- tokens, shared with facts.c; a failure leaves the member out and is seen by the arena's user ---------------------------- */
void put_text(struct arena *a, struct jtoken *o, const char *name, struct str s);        /* STR_NULL: null */
void put_number(struct arena *a, struct jtoken *o, const char *name, int64_t v);
void put_bool(struct arena *a, struct jtoken *o, const char *name, bool v);
struct jtoken *put_list(struct arena *a, struct jtoken *o, const char *name);
struct jtoken *put_object(struct arena *a, struct jtoken *o, const char *name);
void add_text(struct arena *a, struct jtoken *list, struct str s);
struct jtoken *add_object(struct arena *a, struct jtoken *list);
