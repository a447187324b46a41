/* body_escape.h - one text inside of another: JSON in a JSON string, XML in an element's text, JSON in a field of a form. Made for
 * texts as they come, so what is cut off or wrong in an escape is no error: it is taken as it stands, or left away at the end. */
#pragma once

#include "core/buf.h"

enum body_escape {
	BODY_ESCAPE_NONE,                        /* a CDATA section */
	BODY_ESCAPE_JSON,                        /* between the quotes of a string */
	BODY_ESCAPE_XML,                         /* text, or between the quotes of an attribute */
	BODY_ESCAPE_FIELD,                       /* application/x-www-form-urlencoded */
};

/* What the text says; never longer than `raw` but for U+FFFD. Sticky failure of `out`. */
void body_unescape(struct buf *out, enum body_escape how, struct str raw);
/* The text in the other. */
void body_escape(struct buf *out, enum body_escape how, struct str plain);
