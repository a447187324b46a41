/* fixed.h - the header fields and query parameters that a backend's own configuration puts onto every call to it
 * (core/backend_fixed.h), as a snapshot holds them.
 *
 * They go onto the message as it leaves, behind all policies, and take the place of what stands there under the same name: a policy
 * can neither read nor change them. The backend's credential (credential.h) comes after them, so that its signature covers them.
 * They belong to the backend that is asked in this try: another member of a pool, the canary and a mirror have their own or none. */
#pragma once

#include "core/backend_fixed.h"
#include "fcgi/call.h"

struct snap_fixed {                          /* of a backend; of most backends there is none */
	const struct backend_fixed_value *fields;    /* named values are in; those of one name stand beside each other */
	size_t n_fields;
	const struct str *parameters;        /* names of query parameters, each once */
	size_t n_parameters;
	struct str query;                    /* all of them as they are sent: a=1&b=2 */
	const struct str *secrets;           /* the values of all, the parameter of Authorization too */
	size_t n_secrets;
	struct str problem;                  /* why no call can have them (a named value that is not there); STR_NULL: they can be used */
};

/* On the memory of `a`. False when there is none. */
bool fixed_apply(struct arena *a, const struct snap_fixed *f, struct url *url, struct fields *fields) MUST_USE;
/* Whether a redirect may be followed with them: only what stands in Authorization is kept from another host. */
bool fixed_may_travel(const struct snap_fixed *f);
/* What is written down of the call (trace_mask.h) shows neither the values nor what stands in these fields. */
bool fixed_hide(struct call *k, const struct snap_fixed *f) MUST_USE;
