#include "policy/diag.h"

#include "core/str.h"

#include <stdarg.h>
#include <stdio.h>

void policy_diags_init(struct policy_diags *d, struct arena *a)
{
	*d = (struct policy_diags){ .arena = a };
}

static void add(struct policy_diags *d, bool warning, unsigned line, unsigned column, const char *fmt, va_list ap)
{
	char text[1024];
	struct policy_diag *to;

	if (warning)
		d->warnings++;
	else
		d->errors++;
	if (d->n == DIAGS_MAX)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	to = &d->v[d->n++];
	*to = (struct policy_diag){ line, column, warning, arena_dup(d->arena, str_of(text)) };
	if (str_is_null(to->message))
		to->message = STR("out of memory");
}

void policy_error(struct policy_diags *d, unsigned line, unsigned column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, false, line, column, fmt, ap);
	va_end(ap);
}

void policy_warning(struct policy_diags *d, unsigned line, unsigned column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, true, line, column, fmt, ap);
	va_end(ap);
}

/* ---- secrets ------------------------------------------------------------------------------------------------------------ */

enum {
	PART_MIN = 4,                /* bytes of a secret that are a part of it and no chance */
	SEARCHED_MAX = 32 * 1024,    /* bytes of all secrets that messages are searched for: more would take seconds */
};

/* How many bytes at the beginning of text stand in the secret, wherever. */
static size_t shared(struct str text, struct str secret)
{
	size_t most = 0;

	for (size_t i = 0, step; text.n && (step = str_find_char(str_from(secret, i), text.p[0])) != SIZE_MAX; i++) {
		size_t n = 0;

		i += step;
		while (n < text.n && i + n < secret.n && text.p[n] == secret.p[i + n])
			n++;
		most = n > most ? n : most;
	}
	return most;
}

/* The part of the message from `at` that must not be shown: what is quoted may be as short as one byte. */
static size_t to_hide(struct str message, size_t at, const struct str *secrets, size_t n)
{
	bool quoted = at && message.p[at - 1] == '`';
	size_t end = quoted ? str_find_char(str_from(message, at), '`') : SIZE_MAX, most = 0;

	for (size_t i = 0; i < n; i++) {
		size_t part = shared(str_from(message, at), secrets[i]);

		if (part >= PART_MIN || (part && part == secrets[i].n) || (end && end != SIZE_MAX && part >= end))
			most = part > most ? part : most;
	}
	return most;
}

static struct str without(struct arena *a, struct str message, const struct str *secrets, size_t n)
{
	char *to = arena_alloc_text(a, 3 * message.n);
	size_t len = 0;

	if (!to)
		return STR("out of memory");
	for (size_t at = 0; at < message.n;) {
		size_t part = to_hide(message, at, secrets, n);

		if (!part) {
			to[len++] = message.p[at++];
			continue;
		}
		memcpy(to + len, "***", 3);
		len += 3;
		at += part;
	}
	return (struct str){ to, len };
}

void policy_diags_hide(struct policy_diags *d, size_t from, const struct str *secrets, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += secrets[i].n;
	for (size_t i = from; i < d->n && n; i++)
		d->v[i].message = bytes <= SEARCHED_MAX ? without(d->arena, d->v[i].message, secrets, n)
				  : STR("what stands here cannot be used; it is not quoted, because the document names large secrets");
}
