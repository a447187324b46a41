/* audit.h - the trail of who changed what. Entries are only added. Each holds the SHA-256 of the one before it and of its
 * own contents, so a changed, removed or inserted entry is found by store_audit_verify (removing the newest ones needs the
 * count or the last hash kept elsewhere). Every change through db/ adds its entry by itself. */
#pragma once

#include "db/store.h"

struct store_audit_entry {
	int64_t seq, at_us;
	struct str actor;                /* "user:ann@example.com", "cli:root" */
	struct str action;               /* "create", "update", "delete", "set-state", "sign-in", ... */
	struct str kind, id;             /* of what: "product", "gold" */
	struct str detail;               /* JSON of what was written, without secrets; STR_NULL: none */
	struct str hash;                 /* hexadecimal */
};

/* For what leaves no other trace in the store (a refused sign-in, an export). Needs a transaction. */
GH_RC store_audit_note(struct store *s, struct str action, struct str kind, struct str id, struct str detail,
		       struct gh_err *err);
/* Newest first. */
GH_RC store_audit_list(struct store *s, struct arena *a, const struct store_page *page, struct store_audit_entry **out,
		       size_t *n, struct gh_err *err);
/* Only those that fit; newest first. */
struct store_audit_filter {
	int64_t before_seq;              /* entries older than this one; 0: from the newest on */
	struct str actor, id;            /* a part of it, without ASCII case; STR_NULL does not narrow */
	struct str kind, action;         /* exactly */
	int64_t from_us, to_us;          /* from_us <= at < to_us; 0: open */
	size_t limit;
};
GH_RC store_audit_find(struct store *s, struct arena *a, const struct store_audit_filter *f, struct store_audit_entry **out, size_t *n,
		       struct gh_err *err);
/* *broken_at is the first entry that does not fit, 0 when all do. */
GH_RC store_audit_verify(struct store *s, int64_t *broken_at, struct gh_err *err);
