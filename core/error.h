/* error.h - one result type for everything that can fail, one table of kinds.
 *
 * A function that can fail returns `GH_RC name(...)`. `gh_rc` is a struct, so `return -1;` does not compile and an
 * ignored result is a warning, which is an error here. The last parameter is `struct gh_err *err`; it is written only on
 * failure and may be NULL when the caller wants just the kind. The message in it is for operators and logs; a client is
 * shown the fixed text of the kind (gh_code_public) unless the failing layer has a documented text of its own.
 * A library never logs and never exits: it reports, and the one place that handles the failure logs. */
#pragma once

#include "core/base.h"

/* kind, HTTP status when nothing better is known, text that a client may see */
#define GH_ERRORS(X)                                                    \
	X(NOMEM, 500, "Internal server error")                          \
	X(INTERNAL, 500, "Internal server error")                       \
	X(IO, 500, "Internal server error")                             \
	X(LIMIT, 413, "Request is larger than the limit")               \
	X(PROTO, 400, "Malformed request")                              \
	X(INVALID, 400, "Invalid value")                                \
	X(SYNTAX, 400, "Syntax error")                                  \
	X(NOT_FOUND, 404, "Resource not found")                         \
	X(CONFLICT, 409, "Conflict with the present state")             \
	X(DENIED, 403, "Forbidden")                                     \
	X(UNAUTHENTICATED, 401, "Authentication is required")           \
	X(BUSY, 503, "Busy, try again")                                 \
	X(UNAVAILABLE, 503, "Service is not available")                 \
	X(UPSTREAM, 502, "Backend failed")                              \
	X(TIMEOUT, 504, "Timed out")                                    \
	X(UNSUPPORTED, 501, "Not supported")

enum gh_code {
	GH_OK,
#define X(name, status, text) GH_E_##name,
	GH_ERRORS(X)
#undef X
	GH_E__COUNT
};

typedef struct {
	enum gh_code code;
} gh_rc;

#define GH_RC MUST_USE gh_rc
#define GH_RC_OK ((gh_rc){ GH_OK })

struct gh_err {
	enum gh_code code;
	int src_line;            /* where in our code it was raised */
	const char *src_file;
	char message[512];       /* zero-terminated UTF-8, cut when longer */
};

/* Fills err (when not NULL) and returns the code as a result, for the macros below: use FAIL. */
gh_rc gh_err_set(struct gh_err *err, enum gh_code code, const char *file, int line, const char *fmt, ...)
	PRINTF_LIKE(5, 6);

/* Puts "what: " before the message that is already there; for adding where a failure happened on the way up. */
void gh_err_prefix(struct gh_err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

const char *gh_code_name(enum gh_code code);       /* "NOT_FOUND"; "OK" for GH_OK */
int gh_code_status(enum gh_code code);             /* HTTP status; 200 for GH_OK */
const char *gh_code_public(enum gh_code code);     /* text that a client may see */

#define FAIL(err, kind, ...) return gh_err_set((err), GH_E_##kind, __FILE__, __LINE__, __VA_ARGS__)
#define TRY(call)                                       \
	do {                                            \
		gh_rc try_rc_ = (call);                 \
		if (try_rc_.code)                       \
			return try_rc_;                 \
	} while (0)
