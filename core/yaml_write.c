/* yaml_write.c - values as YAML that people like to read and diff.
 *
 * Written by hand instead of with libyaml's emitter: that one folds long texts, quotes by rules of YAML 1.1 and decides by
 * width, so that a small edit moves many lines. Here the form of a value depends on that value alone. A text stands plain
 * only when no reader, of YAML 1.1 or 1.2, could take it for anything else. */
#include "core/yaml.h"

#include "core/str.h"

#include <stdlib.h>

#define MAX_SIMPLE_KEY 1000u             /* libyaml and others read names up to 1,024 characters */

struct out {
	struct buf *b;
	struct gh_err *err;
};

static GH_RC put_value(const struct out *o, const json_t *v, unsigned depth, unsigned guard);

static void pad(struct buf *b, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_add(b, "  ", 2);
}

static bool printable(uint32_t cp)
{
	return (cp >= 0x20 && cp < 0x7f) || cp == '\t' || cp == '\n' || (cp >= 0xa0 && cp != 0x2028 && cp != 0x2029 &&
									 cp != 0xfeff && cp != 0xfffe && cp != 0xffff);
}

static bool all_printable(struct str s, bool line_feeds)
{
	for (size_t i = 0; i < s.n;) {
		uint32_t cp = 0;
		unsigned n = utf8_decode(str_from(s, i), &cp);

		if (n == 0 || !printable(cp) || cp == '\t' || (cp == '\n' && !line_feeds))
			return false;
		i += n;
	}
	return true;
}

static bool is_word(struct str s)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq_ci(s, str_of(words[i])))
			return true;
	return false;
}

/* May the text stand without quotes? Stricter than YAML asks. */
static bool plain(struct str s)
{
	unsigned char first;

	if (s.n == 0 || is_word(s) || !all_printable(s, false))
		return false;
	first = (unsigned char)s.p[0];
	if (!ascii_is_alpha((char)first) && first != '/' && first != '_' && first != '$' && first != '(' && first < 0x80)
		return false;
	if (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == ':')
		return false;
	return str_find(s, STR(": ")) == SIZE_MAX && str_find(s, STR(" #")) == SIZE_MAX;
}

static void put_quoted(struct buf *b, struct str s)
{
	buf_char(b, '"');
	for (size_t i = 0; i < s.n;) {
		uint32_t cp = 0xfffd;
		unsigned n = utf8_decode(str_from(s, i), &cp);

		if (cp == '"' || cp == '\\')
			buf_fmt(b, "\\%c", (char)cp);
		else if (cp == '\n')
			buf_cstr(b, "\\n");
		else if (cp == '\t')
			buf_cstr(b, "\\t");
		else if (n == 0 || !printable(cp))
			buf_fmt(b, cp > 0xffff ? "\\U%08x" : "\\u%04x", n ? cp : 0xfffd);
		else
			buf_add(b, s.p + i, n);
		i += n ? n : 1;
	}
	buf_char(b, '"');
}

static bool literal(struct str s)
{
	return str_find_char(s, '\n') != SIZE_MAX && s.p[0] != '\n' && s.p[0] != ' ' && all_printable(s, true);
}

static void put_literal(struct buf *b, struct str s, unsigned depth)
{
	bool ends = s.p[s.n - 1] == '\n';
	bool ends_twice = ends && s.n > 1 && s.p[s.n - 2] == '\n';
	struct str rest = ends ? str_first(s, s.n - 1) : s, line;

	buf_cstr(b, ends_twice ? "|+" : ends ? "|" : "|-");
	while (str_split(&rest, '\n', &line)) {
		buf_char(b, '\n');
		if (line.n)
			pad(b, depth ? depth : 1);
		buf_str(b, line);
	}
}

static void put_text(struct buf *b, struct str s, unsigned depth)
{
	if (plain(s))
		buf_str(b, s);
	else if (literal(s))
		put_literal(b, s, depth);
	else
		put_quoted(b, s);
}

static bool has_parts(const json_t *v)
{
	return json_object_size(v) > 0 || json_array_size(v) > 0;
}

static GH_RC put_object(const struct out *o, json_t *obj, unsigned depth, bool inline_first, unsigned guard)
{
	bool first = true;
	const char *name;
	json_t *member;

	json_object_foreach(obj, name, member) {
		struct str s = str_of(name);

		if (s.n > MAX_SIMPLE_KEY)
			FAIL(o->err, INVALID, "a name of %zu bytes is too long for YAML", s.n);
		if (!first || !inline_first)
			pad(o->b, depth);
		if (plain(s))
			buf_str(o->b, s);
		else
			put_quoted(o->b, s);
		buf_char(o->b, ':');
		if (has_parts(member))
			buf_char(o->b, '\n');
		else
			buf_char(o->b, ' ');
		TRY(put_value(o, member, depth + 1, guard));
		first = false;
	}
	return GH_RC_OK;
}

static GH_RC put_array(const struct out *o, const json_t *arr, unsigned depth, unsigned guard)
{
	size_t i;
	json_t *item;

	json_array_foreach(arr, i, item) {
		pad(o->b, depth);
		if (json_object_size(item) > 0) {
			buf_cstr(o->b, "- ");
			TRY(put_object(o, item, depth + 1, true, guard));
		} else {
			buf_cstr(o->b, json_array_size(item) > 0 ? "-\n" : "- ");
			TRY(put_value(o, item, depth + 1, guard));
		}
	}
	return GH_RC_OK;
}

/* Collections with parts begin on a line of their own at `depth`; everything else goes on the present line. */
static GH_RC put_value(const struct out *o, const json_t *v, unsigned depth, unsigned guard)
{
	if (guard == 0)
		FAIL(o->err, LIMIT, "values are nested more than %u levels deep", YAML_MAX_DEPTH);
	if (json_object_size(v) > 0)
		return put_object(o, (json_t *)(uintptr_t)v, depth, false, guard - 1);
	if (json_array_size(v) > 0)
		return put_array(o, v, depth, guard - 1);
	if (json_is_string(v))
		put_text(o->b, jsn_string(v), depth);
	else
		jsn_write(o->b, v, 0);
	buf_char(o->b, '\n');
	if (!buf_ok(o->b))
		FAIL(o->err, LIMIT, "the YAML text is larger than %zu bytes", o->b->max);
	return GH_RC_OK;
}

GH_RC yaml_write(struct buf *out, const json_t *v, struct gh_err *err)
{
	const struct out o = { out, err };

	return put_value(&o, v, 0, YAML_MAX_DEPTH);
}
