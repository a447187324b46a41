#include "policy/message.h"

#include "core/str.h"

void fields_init(struct fields *f, struct arena *a)
{
	*f = (struct fields){ .arena = a };
}

/* The first field of that name at `from` or behind it; f->n when there is none. */
static size_t find(const struct fields *f, size_t from, struct str name)
{
	while (from < f->n && !str_eq_ci(f->v[from].name, name))
		from++;
	return from;
}

struct str fields_get(const struct fields *f, struct str name)
{
	size_t i = find(f, 0, name);

	return i < f->n ? f->v[i].value : STR_NULL;
}

size_t fields_count(const struct fields *f, struct str name)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += str_eq_ci(f->v[i].name, name);
	return n;
}

struct str fields_joined(const struct fields *f, struct str name)
{
	size_t first = find(f, 0, name), n = 0;
	char *p, *at;

	if (first == f->n)
		return STR_NULL;
	if (find(f, first + 1, name) == f->n)
		return f->v[first].value;
	for (size_t i = first; i < f->n; i = find(f, i + 1, name))
		n += f->v[i].value.n + 2;
	at = p = arena_alloc_text(f->arena, n);
	if (!p)
		return f->v[first].value;
	for (size_t i = first; i < f->n; i = find(f, i + 1, name)) {
		if (at > p) {
			*at++ = ',';
			*at++ = ' ';
		}
		if (f->v[i].value.n)
			memcpy(at, f->v[i].value.p, f->v[i].value.n);
		at += f->v[i].value.n;
	}
	return (struct str){ p, (size_t)(at - p) };
}

static bool grow(struct fields *f, size_t cap)
{
	struct field *v = cap <= SIZE_MAX / sizeof(*v) ? arena_alloc_raw(f->arena, cap * sizeof(*v)) : NULL;     /* none is read before it is set */

	if (!v)
		return false;
	if (f->n)
		memcpy(v, f->v, f->n * sizeof(*v));
	f->v = v;
	f->cap = cap;
	return true;
}

bool fields_reserve(struct fields *f, size_t n)
{
	return n <= f->cap || grow(f, n);
}

bool fields_add(struct fields *f, struct str name, struct str value)
{
	if (f->n == f->cap && !grow(f, f->cap ? f->cap * 2 : 8))
		return false;
	f->v[f->n++] = (struct field){ name, value };
	return true;
}

bool fields_set(struct fields *f, struct str name, struct str value)
{
	size_t i = find(f, 0, name), to;

	if (i == f->n)
		return fields_add(f, name, value);
	f->v[i].value = value;
	for (to = ++i; i < f->n; i++)
		if (!str_eq_ci(f->v[i].name, name))
			f->v[to++] = f->v[i];
	f->n = to;
	return true;
}

void fields_remove(struct fields *f, struct str name)
{
	size_t i = find(f, 0, name), to;

	for (to = i; i < f->n; i++)         /* mostly there is none, and nothing moves */
		if (!str_eq_ci(f->v[i].name, name))
			f->v[to++] = f->v[i];
	f->n = to;
}

bool fields_copy(struct fields *to, const struct fields *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (!fields_add(to, from->v[i].name, from->v[i].value))
			return false;
	return true;
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

static size_t authority_end(struct str s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] != '/' && s.p[i] != '?' && s.p[i] != '#')
		i++;
	return i;
}

static bool parse_authority(struct str s, struct url *out)
{
	size_t colon = str_rfind_char(s, ':'), bracket = str_rfind_char(s, ']');
	uint64_t port;

	if (colon != SIZE_MAX && (bracket == SIZE_MAX || colon > bracket)) {
		if (!str_to_u64(str_from(s, colon + 1), 65535, &port) || !port)
			return false;
		out->port = (unsigned)port;
		s = str_first(s, colon);
	}
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '@' || s.p[i] == '\\' || s.p[i] == '"' || s.p[i] == 0x7F)
			return false;
	out->host = s;
	return s.n > 0;
}

bool url_parse(struct str s, struct url *out)
{
	size_t end, mark;

	*out = (struct url){ .path = STR_INIT("/") };
	if (str_starts_ci(s, STR("https://")))
		out->scheme = STR("https");
	else if (str_starts_ci(s, STR("http://")))
		out->scheme = STR("http");
	else
		return false;
	s = str_from(s, out->scheme.n + 3);
	end = authority_end(s);
	if (!parse_authority(str_first(s, end), out))
		return false;
	s = str_from(s, end);
	mark = str_find_char(s, '#');
	if (mark != SIZE_MAX)
		s = str_first(s, mark);
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F)
			return false;
	mark = str_find_char(s, '?');
	if (mark != SIZE_MAX) {
		out->query = str_from(s, mark + 1);
		s = str_first(s, mark);
	}
	if (s.n)
		out->path = s;
	return true;
}

unsigned url_port(const struct url *u)
{
	if (u->port)
		return u->port;
	return str_eq(u->scheme, STR("https")) ? 443 : 80;
}

struct str url_text(struct arena *a, const struct url *u)
{
	struct url plain = { .scheme = u->scheme };
	bool own = u->port && u->port != url_port(&plain);
	struct str port = own ? arena_printf(a, ":%u", u->port) : STR("");
	size_t n = u->scheme.n + 3 + u->host.n + port.n + u->path.n + (u->query.n ? u->query.n + 1 : 0);
	const struct str parts[] = { u->scheme, STR("://"), u->host, port, u->path, u->query.n ? STR("?") : STR(""),
				     u->query };
	char *p = str_is_null(port) ? NULL : arena_alloc_text(a, n + 1), *at = p;

	if (!p)
		return STR_NULL;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i].n)
			memcpy(at, parts[i].p, parts[i].n);
		at += parts[i].n;
	}
	*at = '\0';
	return (struct str){ p, n };
}
