/* samples.h - one call as code in several languages.
 *
 * Each text is a whole program (or command) that makes the call and prints status and answer. Whatever stands in the call
 * arrives at the gateway byte for byte: each writer quotes for its own language, and a test runs them with hostile values.
 * The key is a placeholder; nobody's key is ever written into a sample. */
#pragma once

#include "core/arena.h"
#include "core/buf.h"

enum { SAMPLE_HEADERS_MAX = 32 };

struct sample_call {
	struct str method;               /* upper case */
	struct str url;                  /* percent-encoded */
	struct {
		struct str name, value;  /* printable ASCII */
	} headers[SAMPLE_HEADERS_MAX];
	size_t n_headers;
	struct str body;                 /* UTF-8 without zero bytes; STR_NULL: none */
	const char *body_file;           /* the body stands in this file instead; NULL: it does not */
};

struct sample_language {
	const char *id;                  /* "python": in addresses and cookies */
	const char *label;               /* "Python" */
	void (*write)(struct buf *to, const struct sample_call *call);
};
extern const struct sample_language sample_languages[];  /* ends with a NULL id */

/* Whether a header field can be written into a sample: a name that is a token, and printable ASCII without blanks at its ends. */
bool sample_header_fits(struct str name, struct str value);
