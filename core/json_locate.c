/* json_locate.c - where a value stands in its text: for messages about what a parser has long forgotten.
 *
 * The text has been parsed, so it is well-formed; a text that is not makes this give up, never misread. Of several members
 * of one name the last counts, as it does for the parser. No recursion: the way to the value is followed, everything
 * beside it is skipped by counting brackets. */
#include "core/json.h"
#include "core/str.h"

struct cursor {
	struct str s;
	size_t at;
	bool bad;
};

static char peek(struct cursor *c)
{
	while (c->at < c->s.n && strchr(" \t\r\n", c->s.p[c->at]))
		c->at++;
	if (c->at < c->s.n)
		return c->s.p[c->at];
	c->bad = true;
	return '\0';
}

static bool eat(struct cursor *c, char want)
{
	if (peek(c) != want)
		return false;
	c->at++;
	return true;
}

static void skip_string(struct cursor *c)
{
	for (c->at++; c->at < c->s.n && c->s.p[c->at] != '"'; c->at++)
		c->at += c->s.p[c->at] == '\\';
	c->bad |= c->at >= c->s.n;
	c->at++;
}

static void skip_value(struct cursor *c)
{
	size_t depth = 0;

	do {
		char ch = peek(c);

		if (c->bad)
			return;
		if (ch == '"') {
			skip_string(c);
		} else if (strchr("{[", ch)) {
			depth++;
			c->at++;
		} else if (strchr("]}", ch)) {
			if (!depth) {
				c->bad = true;
				return;
			}
			depth--;
			c->at++;
		} else if (strchr(",:", ch)) {
			c->bad |= !depth;
			c->at++;
		} else {
			while (c->at < c->s.n && !strchr(" \t\r\n,:]}\"{[", c->s.p[c->at]))
				c->at++;
		}
	} while (depth && !c->bad);
}

/* Is the string at the cursor this name? Passes over it. */
static bool is_name(struct cursor *c, struct arena *a, struct str name)
{
	size_t from = c->at;
	struct gh_err err;
	struct str raw;
	json_t *v;

	skip_string(c);
	if (c->bad)
		return false;
	raw = str_first(str_from(c->s, from), c->at - from);
	if (str_find_char(raw, '\\') == SIZE_MAX)
		return str_eq(str_first(str_from(raw, 1), raw.n - 2), name);
	return !jsn_parse_in(a, raw, &(struct jsn_limits){ .flags = JSN_ANY }, &v, NULL, &err).code && str_eq(jsn_string(v), name);
}

static void enter_member(struct cursor *c, struct arena *a, struct str name)
{
	size_t found = SIZE_MAX;

	c->at++;
	while (!c->bad && peek(c) == '"') {
		bool is = is_name(c, a, name);

		if (!eat(c, ':'))
			break;
		peek(c);
		if (is)
			found = c->at;
		skip_value(c);
		if (!eat(c, ','))
			break;
	}
	c->bad = found == SIZE_MAX;
	c->at = found;
}

static void enter_item(struct cursor *c, uint64_t index)
{
	c->at++;
	for (; index && !c->bad; index--) {
		skip_value(c);
		c->bad |= !eat(c, ',');
	}
	c->bad |= peek(c) == ']';
}

static void enter(struct cursor *c, struct arena *a, struct str step)
{
	char *name = arena_alloc_text(a, step.n + 1);
	uint64_t index;
	size_t n;

	if (!name || (step.n && !memcpy(name, step.p, step.n)) || (n = jsn_pointer_unescape(name, step.n, false)) == SIZE_MAX)
		c->bad = true;
	else if (peek(c) == '{')
		enter_member(c, a, (struct str){ name, n });
	else if (peek(c) == '[' && str_to_u64(step, UINT32_MAX, &index))
		enter_item(c, index);
	else
		c->bad = true;
}

bool jsn_locate(struct arena *a, struct str text, struct str pointer, struct text_where *out)
{
	struct cursor c = { .s = text };
	size_t end;

	while (pointer.n && !c.bad) {
		struct str rest = str_from(pointer, 1);
		size_t slash = str_find_char(rest, '/');

		enter(&c, a, str_first(rest, slash));
		pointer = slash == SIZE_MAX ? STR("") : str_from(rest, slash);
	}
	if (c.bad || !peek(&c))
		return false;
	end = c.at + 1;
	if (!strchr("{[", text.p[c.at])) {
		skip_value(&c);
		end = c.at;
	}
	*out = (struct text_where){ .line = 1 };
	for (size_t i = 0; i < end && i < text.n; i++) {
		if (i && text.p[i - 1] == '\n') {
			out->line++;
			out->column = 0;
		}
		out->column += ((unsigned char)text.p[i] & 0xC0) != 0x80;
	}
	return !c.bad;
}
