/* trace_mask.h - what is written down of a call, without its secrets.
 *
 * Hidden wherever they occur: secret named values (the documents know them), the subscription's keys, tokens that the gateway
 * showed, and whatever was added with trace_hide. A text that holds one of them percent-encoded is shown decoded and masked.
 * Masking comes before cutting, so that no half of a secret is left at an edge. */
#pragma once

#include "core/buf.h"
#include "fcgi/call_gate.h"

enum { TRACE_HIDDEN_MAX = 96, TRACE_NAME_BYTES = 256, TRACE_VALUE_BYTES = 1024 };

struct trace_writer {
	struct buf b;                            /* JSON */
	struct call *k;
	struct str hidden[TRACE_HIDDEN_MAX];
	size_t n_hidden;
	bool cut;                                /* something was longer than it may be shown */
};

/* A text to be masked wherever it occurs; very short ones are not, they would be found in everything. */
void trace_hide(struct trace_writer *w, struct str text);
/* The values of those that carry credentials, whole and in parts ("Bearer abc": also "abc"). */
void trace_hide_fields(struct trace_writer *w, const struct fields *f);
/* What every call has. */
void trace_hide_call(struct trace_writer *w);
/* The same without the values of parameters that are secret by their name only: those are the caller's own, and stand in his address. */
void trace_hide_secrets(struct trace_writer *w);

/* Does this field carry a credential: by its name, or because the API, an access rule or a credential chose it? */
bool trace_field_is_secret(const struct call *k, struct str name);
/* STR_NULL: there was no memory to look for secrets, so the text may not be shown. */
struct str trace_mask(struct trace_writer *w, struct str text);
/* Also: nothing behind "Authorization:" and the like is shown. */
struct str trace_mask_decision(struct trace_writer *w, struct str text);
/* The address without what stands in its query under the name of a secret: by the rule for bodies (body_mask.h), that of the API's key,
 * or a signature. */
struct str trace_mask_url(struct trace_writer *w, const struct url *from);

/* "name":"text", masked and cut. */
void trace_put(struct trace_writer *w, const char *name, struct str text);
/* The same of what has been through trace_mask. */
void trace_put_masked(struct trace_writer *w, const char *name, struct str masked, size_t most);
