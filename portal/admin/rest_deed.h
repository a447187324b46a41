/* rest_deed.h - for routes of the management API that are no resource: lists of what happened, and deeds.
 *
 * A deed is one transaction. It takes Idempotency-Key and ?dry-run=true (everything is done, answered and undone), names the
 * members of the body that cannot be used, and leaves the entries in the audit trail that the page leaves, because both call the
 * same function. */
#pragma once

#include "portal/admin/rest.h"

/* ---- parameters of the address -------------------------------------------------------------------------------------------- */

/* Refuses one that is not in the list, which ends with NULL: it is most likely misspelt, and a list that is not narrowed is no
 * harmless answer. *ok false: the answer stands. */
GH_RC rest_known(struct rest *r, const char *const *known, bool *ok, struct gh_err *err);

/* Which part of a list that is ordered by number, the newest first. */
struct rest_window {
	int64_t before;                  /* only what has a smaller number; 0: from the newest on */
	size_t limit;
};
/* Of `cursor` and `limit`; the others are checked as by rest_known. */
GH_RC rest_window(struct rest *r, const char *const *known, size_t usual, size_t most, struct rest_window *out, bool *ok, struct gh_err *err);
/* {"items": …, "next": …}; next: number of the last item when there are more, else 0. */
GH_RC rest_window_answer(struct rest *r, json_t *items, int64_t next, struct gh_err *err);

/* The same in the OpenAPI document (struct rest_about). */
#define REST_WINDOW(most)                                                                                                      \
	"{'name': 'cursor', 'description': 'Where the list goes on: next of the page before', 'schema': {'type': 'string'}},"  \
	"{'name': 'limit', 'description': 'Most items of the page', 'schema': {'type': 'integer', 'minimum': 1, 'maximum': " most "}}"
#define REST_LIST_OF(item)                                                                                                     \
	"{'type': 'object', 'required': ['items', 'next'], 'properties': {'items': {'type': 'array', 'items': " item "},"         \
	"'next': {'type': ['string', 'null'], 'description': 'cursor of the next page; null at the end'}}}"

struct store_call;
/* The record of a call as the log prints it; of a refusal besides what mends it. */
GH_RC rest_call_json(struct web *w, const struct store_call *c, json_t **out, struct gh_err *err);

/* ---- bodies ------------------------------------------------------------------------------------------------------------------ */

enum rest_type { REST_TEXT, REST_INT, REST_BOOL, REST_TEXTS, REST_OBJECT, REST_LIST };

/* One member of a body, and where its value goes: a struct str, int64_t, bool or json_t * (an array of texts, an object, any
 * array) in what is read. What is not given, or null, leaves there what stands. */
struct rest_member {
	const char *name;
	enum rest_type type;
	bool needed;
	size_t at;
	int64_t least, most;             /* of a number, of the bytes of a text, of how many texts; most 0: 1000 */
};
/* Problems of the change name the members that are wrong, unknown or missing. False: there are some. The table ends with a
 * NULL name. */
bool rest_take(struct resource_change *c, const json_t *body, const struct rest_member *members, void *out);
/* The same of a POST that changes nothing, outside of a change. *ok false: the answer stands. */
GH_RC rest_take_body(struct rest *r, const struct rest_member *members, void *out, bool *ok, struct gh_err *err);

/* ---- deeds ------------------------------------------------------------------------------------------------------------------ */

/* What is done, inside the change. body: {} when none was sent. It may answer by itself (rest_match): then nothing is
 * committed. *answer (a new reference): what is told; NULL: {}. */
typedef GH_RC rest_work(struct rest *r, struct resource_change *c, const json_t *body, json_t **answer, struct gh_err *err);
GH_RC rest_deed(struct rest *r, rest_work *work, struct gh_err *err);
/* The same with a body that was read before, because something slow stands between (rest.ctx carries what came of it). */
GH_RC rest_deed_with(struct rest *r, const json_t *body, rest_work *work, struct gh_err *err);
/* The same, answered with that status when it was done. */
GH_RC rest_deed_as(struct rest *r, int status, rest_work *work, struct gh_err *err);

/* Of changes that config/files/plan.h makes: the answer is given, and kept for a repetition, in their transaction (struct
 * plan_options.look). again: it was done before, nothing is done now and the answer of then stands. */
struct rest_look {
	struct rest *r;
	GH_RC (*tell)(struct rest *r, void *ctx, struct gh_err *err);
	void *ctx;
	bool again;
};
gh_rc rest_look(void *look, struct gh_err *err);

/* ---- values of answers ------------------------------------------------------------------------------------------------------- */

/* A text, or a time in UTC with so many digits of a second; null when there is none. */
json_t *rest_text(struct str s);
json_t *rest_time(int64_t us, unsigned digits);
