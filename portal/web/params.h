/* params.h - names and values from outside: queries, forms, cookies.
 *
 * Values are decoded and borrowed from the arena. Names may repeat; web_param gives the first. Input that is not valid
 * UTF-8, or that holds a zero byte, is refused: nothing behind this line has to think of it again. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

struct web_param {
	struct str name, value;
	struct str file_name, media_type;        /* of an uploaded file; STR_NULL otherwise */
	struct str file;                         /* its bytes, whatever they are; value is empty then */
};

struct web_params {
	struct web_param *v;
	size_t n, max;
};

/* max: most parameters; LIMIT beyond. */
void web_params_init(struct web_params *p, size_t max);

/* "a=1&b=two+words" (WHATWG URL, application/x-www-form-urlencoded); adds to what is there. INVALID for a bad escape. */
GH_RC web_params_urlencoded(struct web_params *p, struct arena *a, struct str text, struct gh_err *err);
/* One more, in clear; borrowed. INVALID when it is not UTF-8 text or holds a zero byte. */
GH_RC web_params_add(struct web_params *p, struct arena *a, struct str name, struct str value, struct gh_err *err);
/* RFC 7578; `content_type` names the boundary. PROTO when a part is malformed or the end is missing. */
GH_RC web_params_multipart(struct web_params *p, struct arena *a, struct str content_type, struct str body, struct gh_err *err);
/* The Cookie header (RFC 6265 section 5.4): pairs that are malformed are passed over. */
GH_RC web_params_cookies(struct web_params *p, struct arena *a, struct str header, struct gh_err *err);

const struct web_param *web_param_find(const struct web_params *p, const char *name);    /* NULL when absent */
struct str web_param(const struct web_params *p, const char *name);                      /* STR_NULL when absent */

/* %XX decoded, '+' as it is. False when an escape is malformed, the result is not UTF-8 or holds a control byte. */
bool web_path_decode(struct arena *a, struct str path, struct str *out);
