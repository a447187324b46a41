#include "core/multipart.h"

#include "core/str.h"

enum { BOUNDARY_MAX = 70 };              /* RFC 2046 section 5.1.1 */

/* Behind the parameter that begins at `at`: a semicolon between quotes ends none. */
static size_t parameter_end(struct str s, size_t at)
{
	for (bool quoted = false; at < s.n && (quoted || s.p[at] != ';'); at++)
		quoted ^= s.p[at] == '"';
	return at;
}

struct str multipart_parameter(struct str header, const char *name)
{
	size_t at = str_find_char(header, ';');

	while (at < header.n) {
		size_t end = parameter_end(header, at + 1), eq;
		struct str part = str_first(str_from(header, at + 1), end - at - 1), value;

		at = end;
		eq = str_find_char(part, '=');
		if (eq == SIZE_MAX || !str_eq_ci(str_trim(str_first(part, eq)), str_of(name)))
			continue;
		value = str_trim(str_from(part, eq + 1));
		if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
			value = str_first(str_from(value, 1), value.n - 2);
		return value;
	}
	return STR_NULL;
}

const char *multipart_begin(struct multipart *m, struct arena *a, struct str content_type, struct str body)
{
	struct str boundary = multipart_parameter(content_type, "boundary"), first;

	if (!boundary.n || boundary.n > BOUNDARY_MAX)
		return "a form without a usable boundary";
	m->between = arena_printf(a, "\r\n--%.*s", STR_ARG(boundary));
	if (!m->between.p)
		return "no memory for form fields";
	first = str_from(m->between, 2);
	if (!str_starts(body, first))
		return "the form does not begin with its boundary";
	m->rest = str_from(body, first.n);
	return NULL;
}

static void read_head(struct str lines, struct multipart_part *out)
{
	struct str line;

	while (str_split(&lines, '\n', &line)) {
		size_t colon = str_find_char(line, ':');
		struct str name = str_trim(str_first(line, colon)), value = colon == SIZE_MAX ? STR("") : str_trim(str_from(line, colon + 1));

		if (str_eq_ci(name, STR("Content-Disposition"))) {
			out->name = multipart_parameter(value, "name");
			out->file = multipart_parameter(value, "filename");
		} else if (str_eq_ci(name, STR("Content-Type"))) {
			out->type = value;
		} else if (str_eq_ci(name, STR("Content-Transfer-Encoding"))) {
			out->coding = value;
		}
	}
}

enum multipart_step multipart_next(struct multipart *m, struct multipart_part *out)
{
	size_t blank = str_find(m->rest, STR("\r\n\r\n")), end;

	*out = (struct multipart_part){ .name = STR_NULL };
	if (str_starts(m->rest, STR("--")))
		return MULTIPART_END;
	if (!str_starts(m->rest, STR("\r\n")) || blank == SIZE_MAX)
		return MULTIPART_BROKEN;
	read_head(str_first(m->rest, blank), out);
	m->rest = str_from(m->rest, blank + 4);
	end = str_find(m->rest, m->between);
	out->bytes = str_first(m->rest, end);
	if (end == SIZE_MAX)
		return MULTIPART_CUT;
	m->rest = str_from(m->rest, end + m->between.n);
	return MULTIPART_PART;
}
