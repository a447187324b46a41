/* limits.h - what rate-limit, rate-limit-by-key, quota and quota-by-key share. */
#pragma once

#include "core/limit_key.h"
#include "policy/element.h"

/* Names of headers and variables in which a limit tells where it stands. */
struct limit_names {
	struct arg retry_header, retry_variable, remaining_header, remaining_variable, total_header;
};

#define LIMIT_NAME_ARGS(type, def_retry)                                                                              \
	{ .name = "retry-after-header-name", .kind = ARG_TEXT, .def = def_retry,                                      \
	  .offset = offsetof(type, names) + offsetof(struct limit_names, retry_header),                               \
	  .help = "header of a refusal with the seconds to wait" },                                                   \
	{ .name = "retry-after-variable-name", .kind = ARG_TEXT,                                                      \
	  .offset = offsetof(type, names) + offsetof(struct limit_names, retry_variable),                             \
	  .help = "variable with the seconds to wait, set when the limit is exceeded" },                              \
	{ .name = "remaining-calls-header-name", .kind = ARG_TEXT,                                                    \
	  .offset = offsetof(type, names) + offsetof(struct limit_names, remaining_header),                           \
	  .help = "header of each response with the calls that are left" },                                           \
	{ .name = "remaining-calls-variable-name", .kind = ARG_TEXT,                                                  \
	  .offset = offsetof(type, names) + offsetof(struct limit_names, remaining_variable),                         \
	  .help = "variable with the calls that are left" },                                                          \
	{ .name = "total-calls-header-name", .kind = ARG_TEXT,                                                        \
	  .offset = offsetof(type, names) + offsetof(struct limit_names, total_header),                               \
	  .help = "header of each response with the calls that are allowed" }

/* Several counters that one call counts against: either all are taken or none. */
enum { LIMIT_TAKES_MAX = 24 };

struct limit_state {
	struct counter_take *takes;  /* most calls have one, which stands in `first` */
	size_t n, room, at;
	bool looking;                /* first round of several: is there room everywhere? */
	struct counter_take first;
};

/* Adds a counter to take from; `t` is copied. NULL when there are LIMIT_TAKES_MAX or no memory is left. */
struct counter_take *limit_add(struct arena *a, struct limit_state *s, const struct counter_take *t);

/* Takes them all. STEP_NEXT: done, *refused is the one that said no, or NULL. */
enum step limit_take(struct exchange *x, struct limit_state *s, const struct counter_take **refused);
/* Tells headers and variables about what was taken; the headers go on the response at the end. False after
 * exchange_fail. */
bool limit_report(struct exchange *x, const struct limit_names *names, uint64_t remaining, uint64_t total) MUST_USE;
/* Refuses: fills the error, Retry-After and the variable. */
enum step limit_refuse(struct exchange *x, const struct limit_names *names, uint32_t retry_after_s);

/* Names of counters: what a policy takes from, and what a page looks at to tell what is left. A rate-limit of a scope (id:
 * of its product, API, or API/OPERATION), a quota and its part that counts calls or bytes, and the tier of a subscription.
 * STR_NULL: out of memory. */
enum { LIMIT_KILOBYTE = 1024 };
struct str limit_rate_key(struct arena *a, enum scope scope, struct str id, struct str subscription);

/* What the document belongs to in which the present policy stands: its scope, and the ids of its product, API and operation. */
struct limit_place {
	enum scope scope;
	struct str product, api, operation;
};
struct limit_place limit_place(const struct exchange *x);

/* "hh:mm:ss", with days in front ("5.03:23:11") when there are some: .NET's TimeSpan. */
struct str limit_time_span(struct arena *a, uint32_t seconds);
/* Does an <api name= id=> or <operation name= id=> speak of the present one? */
bool limit_names_this(const struct arg *name, const struct arg *id, struct str this_name, struct str this_id);
