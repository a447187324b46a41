#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *name;
	int status;
	const char *text;
} kinds[GH_E__COUNT] = {
	[GH_OK] = { "OK", 200, "OK" },
#define X(name, status, text) [GH_E_##name] = { #name, status, text },
	GH_ERRORS(X)
#undef X
};

gh_rc gh_err_set(struct gh_err *err, enum gh_code code, const char *file, int line, const char *fmt, ...)
{
	if (err) {
		va_list ap;

		err->code = code;
		err->src_file = file;
		err->src_line = line;
		va_start(ap, fmt);
		vsnprintf(err->message, sizeof(err->message), fmt, ap);
		va_end(ap);
	}
	return (gh_rc){ code };
}

void gh_err_prefix(struct gh_err *err, const char *fmt, ...)
{
	char old[sizeof(err->message)];
	va_list ap;
	int n;

	if (!err)
		return;
	memcpy(old, err->message, sizeof(old));
	va_start(ap, fmt);
	n = vsnprintf(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->message))
		snprintf(err->message + n, sizeof(err->message) - (size_t)n, ": %s", old);
}

const char *gh_code_name(enum gh_code code)
{
	return (unsigned)code < GH_E__COUNT ? kinds[code].name : "UNKNOWN";
}

int gh_code_status(enum gh_code code)
{
	return (unsigned)code < GH_E__COUNT ? kinds[code].status : 500;
}

const char *gh_code_public(enum gh_code code)
{
	return (unsigned)code < GH_E__COUNT ? kinds[code].text : kinds[GH_E_INTERNAL].text;
}
