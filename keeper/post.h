/* post.h - one POST to a receiver of records, by libcurl: what an outbox over HTTP sends with (keeper/outbox.h). */
#pragma once

#include "core/logger.h"
#include "keeper/outbox.h"

struct post;
/* `ca_file`: authorities of the receiver's certificate; empty: the system's. */
GH_RC post_new(struct str ca_file, struct post **out, struct gh_err *err);
void post_free(struct post *p);                          /* NULL is fine */
/* The outcome by the answer: 2xx is SENT; 408, 429, 502, 503, 504 and no answer at all are LATER, with Retry-After (RFC 9110
 * 10.2.3) where there is one; everything else is REFUSED. *answer: its first bytes, until the next call. */
enum outbox_outcome post_send(struct post *p, const struct logger_settings *to, const char *media_type, struct str body, struct outbox_batch *b,
			      const atomic_bool *stop, struct str *answer);
