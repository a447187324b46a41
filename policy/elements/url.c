#include "policy/elements/url.h"

#include "core/str.h"
#include "policy/program.h"

static struct str operation_path(const struct exchange *x)
{
	struct str base = x->program->base_path, path = x->request.url.path;

	return str_starts(path, base) ? str_from(path, base.n) : path;
}

static bool join(struct exchange *x, struct str base, struct str rest)
{
	const char *slash = rest.n && *rest.p == '/' ? "" : "/";
	struct str path =
		arena_printf(x->arena, "%.*s%s%.*s", STR_ARG(base), rest.n || !base.n ? slash : "", STR_ARG(rest));

	if (str_is_null(path)) {
		exchange_no_memory(x);
		return false;
	}
	x->request.url.path = path;
	x->program->base_path = base;
	return true;
}

bool url_set_base(struct exchange *x, struct str address)
{
	struct str rest = operation_path(x), query = x->request.url.query;
	struct url u;

	if (!url_parse(str_trim(address), &u)) {
		exchange_fail(x, 500, STR_NULL, "`%.*s` is no http or https address.",
			      STR_ARG(str_first(address, 200)));
		return false;
	}
	while (u.path.n && u.path.p[u.path.n - 1] == '/')
		u.path.n--;
	if (u.query.n)
		query = query.n ? arena_printf(x->arena, "%.*s&%.*s", STR_ARG(u.query), STR_ARG(query)) : u.query;
	x->request.url.scheme = u.scheme;
	x->request.url.host = u.host;
	x->request.url.port = u.port;
	x->request.url.query = query;
	return join(x, u.path, rest);
}

bool url_set_operation_path(struct exchange *x, struct str path)
{
	return join(x, x->program->base_path, path);
}

/* ---- queries ----------------------------------------------------------------------------------------------------- */

bool query_next(struct str *rest, struct str *name, struct str *value)
{
	struct str part;
	size_t eq;

	do
		if (!str_split(rest, '&', &part))
			return false;
	while (!part.n);
	eq = str_find_char(part, '=');
	*name = str_first(part, eq);
	*value = eq == SIZE_MAX ? STR_NULL : str_from(part, eq + 1);
	return true;
}

static int hex(char c)
{
	c = ascii_lower(c);
	return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str url_decode(struct arena *a, struct str s, bool query)
{
	char *p, *to;

	if (str_find_char(s, '%') == SIZE_MAX && (!query || str_find_char(s, '+') == SIZE_MAX))
		return s;
	to = p = arena_alloc_text(a, s.n);
	if (!p)
		return STR_NULL;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
			*to++ = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
			i += 2;
		} else {
			*to++ = query && s.p[i] == '+' ? ' ' : s.p[i];
		}
	}
	return (struct str){ p, (size_t)(to - p) };
}

struct str url_encode(struct arena *a, struct str s, const char *keep)
{
	static const char digits[] = "0123456789ABCDEF";
	char *p = arena_alloc_text(a, s.n * 3), *to = p;

	if (!p)
		return STR_NULL;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (ascii_is_alpha((char)c) || ascii_is_digit((char)c)
		    || (c && (strchr("-._~", c) || strchr(keep, c)))) {
			*to++ = (char)c;
		} else {
			*to++ = '%';
			*to++ = digits[c >> 4];
			*to++ = digits[c & 15];
		}
	}
	return (struct str){ p, (size_t)(to - p) };
}

struct str query_without(struct arena *a, struct str query, struct str name)
{
	char *p = arena_alloc_text(a, query.n), *to = p;
	struct str rest = query, n, v;

	if (!query.n)
		return query;
	if (!p)
		return STR_NULL;
	while (query_next(&rest, &n, &v)) {
		size_t len = n.n + (str_is_null(v) ? 0 : v.n + 1);

		if (str_eq(url_decode(a, n, true), name))
			continue;
		if (to > p)
			*to++ = '&';
		memcpy(to, n.p, len);
		to += len;
	}
	return to == p ? STR_NULL : (struct str){ p, (size_t)(to - p) };
}
