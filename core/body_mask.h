/* body_mask.h - a message body as others may see it: what stands under the name of a secret is replaced by ***.
 *
 * A name is secret when it says so (password, client_secret, accessToken, x-api-key ...) or is one of `marked`, names that the
 * operator gave. Case, "-", "_", "." and blanks make no difference between names. The body is read as text, not parsed: one
 * that was cut off in the middle, or is not well-formed, is masked just so, and a value that has no end is masked to the end.
 * A text within the text is looked at, too, and what stands in that, a few deep: JSON or XML in a JSON string, in an element, an
 * attribute, a CDATA section, a comment, in a field of a form; the query of an address in any of these. So is JSON or XML that is
 * announced as a form, as clients do that are told no type. Time grows with the length, whatever is in the body.
 *
 * What stands under no name (a key inside of a sentence) is not found here: mask known secrets in the result too.
 *
 * Output is at most 7 times the input ("a":1 becomes "a":"***"); give `out` such a limit. Thread-safe. */
#pragma once

#include "core/arena.h"
#include "core/buf.h"

struct mask_names {
	const struct str *v;                     /* as they are written; NULL: none */
	size_t n;
};

enum body_form {
	BODY_FORM_TEXT,                          /* JSON, also a line at a time or in events; any other text */
	BODY_FORM_FIELDS,                        /* a=1&b=2: forms and queries */
	BODY_FORM_XML,
	BODY_FORM_NONE,                          /* nothing that could be read, so nothing to show */
};

bool mask_name_is_secret(struct str name, const struct mask_names *marked);
/* What a Content-Type announces. Without one, and for types that say nothing: by the first bytes. */
enum body_form mask_form_of(struct str content_type, struct str body);
/* NOMEM: `out` is full or the arena is; nothing of it may then be shown. */
bool mask_body(struct buf *out, struct arena *a, enum body_form form, struct str body, const struct mask_names *marked) MUST_USE;
/* The same for a value whose own name is none of a secret: a field of a message. */
bool mask_value(struct buf *out, struct arena *a, struct str text, const struct mask_names *marked) MUST_USE;
