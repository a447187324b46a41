/* regex_reverse.c - RegexOptions.RightToLeft: a pattern that finds in the text turned round what .NET finds from its end.
 *
 * .NET matches such a pattern from its last element to its first, each to the left of the one before. Turning the order of
 * the elements round and matching the text from its end gives the same matches, with the same preference among them:
 * alternatives keep their order and quantifiers stay with what they repeat. Anchors change their ends. Groups get names
 * (_g1, _g2 …) so that .NET's numbers stay. What would need both directions at once is refused: look-ahead and look-behind,
 * conditions, options that begin in the middle. */
#include "core/str.h"
#include "policy/net/out.h"
#include "policy/net/regex_code.h"

enum { ITEMS_MAX = 4096, DEPTH_MAX = 100, GROUPS_MAX = 250 };

struct reverser {
	struct arena *a;
	struct str p;
	size_t at;
	unsigned options, depth;
	unsigned unnamed;            /* unnamed groups so far; in the first pass their number */
	bool counting;
	unsigned total;
	struct str names[GROUPS_MAX];
	unsigned n_names;
	struct gh_err *err;
};

static bool refuse(struct reverser *r, const char *what)
{
	gh_err_set(r->err, GH_E_UNSUPPORTED, __FILE__, __LINE__, "%s is not supported together with RegexOptions.RightToLeft.", what);
	return false;
}

static bool wrong(struct reverser *r, const char *what)
{
	gh_err_set(r->err, GH_E_INVALID, __FILE__, __LINE__, "%s", what);
	return false;
}

static char look(const struct reverser *r, size_t ahead)
{
	return r->at + ahead < r->p.n ? r->p.p[r->at + ahead] : '\0';
}

static struct str slice(const struct reverser *r, size_t from)
{
	return (struct str){ r->p.p + from, r->at - from };
}

static bool alternatives(struct reverser *r, struct out *o);

/* ---- elements ------------------------------------------------------------------------------------------------------------- */

/* Past a set that begins here; sets that are taken away stand inside. */
static bool pass_set(struct reverser *r, unsigned depth)
{
	size_t first;

	r->at += look(r, 1) == '^' ? 2 : 1;
	first = r->at;
	while (r->at < r->p.n && depth < DEPTH_MAX) {
		char c = look(r, 0);

		if (c == ']' && r->at > first) {
			r->at++;
			return true;
		}
		if (c == '-' && look(r, 1) == '[' && r->at > first) {
			r->at++;
			if (!pass_set(r, depth + 1))
				return false;
		} else {
			r->at += c == '\\' ? 2 : 1;
		}
	}
	return wrong(r, "Unterminated [] set.");
}

static bool set(struct reverser *r, struct out *o)
{
	size_t from = r->at;

	if (!pass_set(r, 0))
		return false;
	out_put(o, slice(r, from));
	return true;
}

static bool known_name(const struct reverser *r, struct str name)
{
	for (unsigned i = 0; i < r->n_names; i++)
		if (str_eq(r->names[i], name))
			return true;
	return false;
}

/* \1: unnamed groups first, then the named ones, as .NET counts. */
static bool back_reference(struct reverser *r, struct out *o)
{
	unsigned n = 0;
	size_t digits = 1;

	while (ascii_is_digit(look(r, digits)) && digits < 4)
		n = n * 10 + (unsigned)(look(r, digits++) - '0');
	r->at += digits;
	if (r->counting)
		return true;
	if (n <= r->total)
		out_fmt(o, "\\k<_g%u>", n);
	else if (n <= r->total + r->n_names)
		out_fmt(o, "\\k<%.*s>", STR_ARG(r->names[n - r->total - 1]));
	else
		return digits > 2 ? refuse(r, "A character by its octal number")
				  : wrong(r, "Reference to undefined group number.");
	return true;
}

static bool named_reference(struct reverser *r, struct out *o)
{
	size_t from = r->at, close = str_find_char(str_from(r->p, r->at), look(r, 2) == '\'' ? '\'' : '>');
	struct str name;

	if (look(r, 2) != '<' && look(r, 2) != '\'')
		return wrong(r, "Malformed \\k<...> named back reference.");
	if (look(r, 2) == '\'')
		close = str_find_char(str_from(r->p, r->at + 3), '\'') + 3;
	if (close == SIZE_MAX || r->at + close >= r->p.n)
		return wrong(r, "Malformed \\k<...> named back reference.");
	r->at += close + 1;
	name = (struct str){ r->p.p + from + 3, r->at - from - 4 };
	if (name.n && ascii_is_digit(name.p[0])) {
		r->at = from + 2;
		return refuse(r, "A reference to a group by its number in \\k<…>");
	}
	if (!r->counting && !known_name(r, name))
		return wrong(r, "Reference to undefined group name.");
	out_put(o, slice(r, from));
	return true;
}

static bool escape(struct reverser *r, struct out *o)
{
	char c = look(r, 1);
	size_t from = r->at, n = 2, close;

	if (r->at + 1 >= r->p.n)
		return wrong(r, "Illegal \\ at end of pattern.");
	switch (c) {
	case 'A':
		out_put(o, STR("\\z"));
		r->at += 2;
		return true;
	case 'z':
		out_put(o, STR("\\A"));
		r->at += 2;
		return true;
	case 'Z':
		out_put(o, STR("(?:\\A|(?<=\\A\\n))"));
		r->at += 2;
		return true;
	case 'k':
		return named_reference(r, o);
	case 'p':
	case 'P':
		close = str_find_char(str_from(r->p, r->at), '}');
		n = close == SIZE_MAX ? 2 : close + 1;
		break;
	case 'x':
		n = 4;
		break;
	case 'c':
		n = 3;
		break;
	case 'u':
		n = ascii_lower(look(r, 2)) == 'd' && look(r, 3) && strchr("89abAB", look(r, 3)) && look(r, 6) == '\\' && look(r, 7) == 'u' ? 12 : 6;
		break;
	default:
		if (c >= '1' && c <= '9')
			return back_reference(r, o);
		if ((unsigned char)c >= 0x80)
			n = 1 + utf8_decode(str_from(r->p, r->at + 1), NULL);
		break;
	}
	r->at += n;
	if (r->at > r->p.n)
		return wrong(r, "Illegal \\ at end of pattern.");
	out_put(o, slice(r, from));
	return true;
}

static bool open_group(struct reverser *r, struct out *o)
{
	size_t i = 2;

	if (look(r, 1) != '?') {
		r->at++;
		if (r->options & REGEX_EXPLICIT_CAPTURE) {
			out_put(o, STR("(?:"));
			return true;
		}
		if (++r->unnamed + r->n_names >= GROUPS_MAX)
			return wrong(r, "Too many groups.");
		out_fmt(o, "(?<_g%u>", r->unnamed);
		return true;
	}
	if (look(r, 2) == ':' || look(r, 2) == '>') {
		out_put(o, look(r, 2) == ':' ? STR("(?:") : STR("(?>"));
		r->at += 3;
		return true;
	}
	if (look(r, 2) == '=' || look(r, 2) == '!' || (look(r, 2) == '<' && (look(r, 3) == '=' || look(r, 3) == '!')))
		return refuse(r, "Looking ahead or behind");
	if (look(r, 2) == '(')
		return refuse(r, "A condition");
	if (look(r, 2) == '<' || look(r, 2) == '\'') {
		char end = look(r, 2) == '<' ? '>' : '\'';
		struct str name = str_from(r->p, r->at + 3);
		size_t n = 0;

		while (n < name.n && (ascii_is_alpha(name.p[n]) || ascii_is_digit(name.p[n]) || name.p[n] == '_'))
			n++;
		if (n < name.n && name.p[n] == '-')
			return refuse(r, "A balancing group");
		if (n == 0 || n >= name.n || name.p[n] != end || ascii_is_digit(name.p[0]) || (n > 1 && name.p[0] == '_' && name.p[1] == 'g'))
			return wrong(r, "Invalid group name: Group names must begin with a word character.");
		name = str_first(name, n);
		r->at += n + 4;
		if (r->counting && !known_name(r, name)) {
			if (r->unnamed + r->n_names + 1 >= GROUPS_MAX)
				return wrong(r, "Too many groups.");
			r->names[r->n_names++] = name;
		}
		out_fmt(o, "(?<%.*s>", STR_ARG(name));
		return true;
	}
	while (look(r, i) && strchr("is-+", look(r, i)))
		i++;
	if (look(r, i) != ':')
		return refuse(r, "An option that begins in the middle");
	out_put(o, (struct str){ r->p.p + r->at, i + 1 });
	r->at += i + 1;
	return true;
}

static bool element(struct reverser *r, struct out *o)
{
	char c = look(r, 0);
	bool lines = r->options & REGEX_MULTILINE;
	unsigned n;

	switch (c) {
	case '\\':
		return escape(r, o);
	case '[':
		return set(r, o);
	case '^':
		r->at++;
		out_put(o, lines ? STR("$") : STR("\\z"));
		return true;
	case '$':
		r->at++;
		out_put(o, lines ? STR("^") : STR("(?:\\A|(?<=\\A\\n))"));
		return true;
	case '(':
		if (!open_group(r, o) || !alternatives(r, o))
			return false;
		if (look(r, 0) != ')')
			return wrong(r, "Not enough )'s.");
		r->at++;
		out_char(o, ')');
		return true;
	case '*':
	case '+':
	case '?':
		return wrong(r, "Quantifier {x,y} following nothing.");
	default:
		n = (unsigned char)c < 0x80 ? 1 : utf8_decode(str_from(r->p, r->at), NULL);
		if (c == ' ' || c == '#')            /* the translated pattern ignores no white space */
			out_char(o, '\\');
		out_put(o, str_first(str_from(r->p, r->at), n ? n : 1));
		r->at += n ? n : 1;
		return true;
	}
}

/* White space and comments that count for nothing. */
static bool skip_ignored(struct reverser *r)
{
	bool white = r->options & REGEX_IGNORE_WHITE;

	for (;;) {
		if (white && ascii_is_space(look(r, 0)) && r->at < r->p.n) {
			r->at++;
		} else if (white && look(r, 0) == '#') {
			while (r->at < r->p.n && look(r, 0) != '\n')
				r->at++;
		} else if (look(r, 0) == '(' && look(r, 1) == '?' && look(r, 2) == '#') {
			size_t close = str_find_char(str_from(r->p, r->at), ')');

			if (close == SIZE_MAX)
				return wrong(r, "Unterminated (?#...) comment.");
			r->at += close + 1;
		} else {
			return true;
		}
	}
}

static size_t quantifier(const struct reverser *r)
{
	size_t n = 0;

	if (look(r, 0) == '*' || look(r, 0) == '+' || look(r, 0) == '?') {
		n = 1;
	} else if (look(r, 0) == '{' && ascii_is_digit(look(r, 1))) {
		n = 1;
		while (ascii_is_digit(look(r, n)))
			n++;
		if (look(r, n) == ',')
			for (n++; ascii_is_digit(look(r, n)); n++)
				;
		if (look(r, n) != '}')
			return 0;
		n++;
	}
	return n && look(r, n) == '?' ? n + 1 : n;
}

static struct str *more_room(struct reverser *r, const struct str *items, size_t n, size_t *cap)
{
	struct str *bigger = *cap < ITEMS_MAX ? arena_alloc(r->a, *cap ? *cap * 4 : 16, sizeof(*bigger)) : NULL;

	if (!bigger) {
		wrong(r, "The pattern is too long.");
		return NULL;
	}
	if (n)
		memcpy(bigger, items, n * sizeof(*items));
	*cap = *cap ? *cap * 4 : 16;
	return bigger;
}

static bool sequence(struct reverser *r, struct out *o)
{
	struct str *items = NULL;
	size_t n = 0, cap = 0, more;

	for (;;) {
		struct out one = out_in(r->a);

		if (!skip_ignored(r))
			return false;
		if (r->at >= r->p.n || look(r, 0) == '|' || look(r, 0) == ')')
			break;
		if (n == cap && !(items = more_room(r, items, n, &cap)))
			return false;
		if (!element(r, &one) || !skip_ignored(r))
			return false;
		more = quantifier(r);
		out_put(&one, str_first(str_from(r->p, r->at), more));
		r->at += more;
		items[n] = out_str(&one);
		if (!items[n++].p)
			return wrong(r, "Out of memory.");
	}
	while (n > 0)
		out_put(o, items[--n]);
	return true;
}

static bool alternatives(struct reverser *r, struct out *o)
{
	if (++r->depth > DEPTH_MAX)
		return wrong(r, "Too many groups inside of each other.");
	for (;;) {
		if (!sequence(r, o))
			return false;
		if (look(r, 0) != '|' || r->at >= r->p.n)
			break;
		out_char(o, '|');
		r->at++;
	}
	r->depth--;
	return true;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------- */

struct str regex_reverse(struct arena *a, struct str pattern, unsigned options, struct str **names, unsigned *n_names,
			 struct gh_err *err)
{
	struct reverser *r = arena_new_of(a, struct reverser);
	struct out o = out_in(a);

	if (!r)
		return STR_NULL;
	*r = (struct reverser){ .a = a, .p = pattern, .options = options, .err = err, .counting = true };
	for (int pass = 0; pass < 2; pass++) {
		o = out_in(a);
		r->at = r->depth = r->unnamed = 0;
		if (!alternatives(r, &o))
			return STR_NULL;
		if (r->at < r->p.n) {
			wrong(r, "Too many )'s.");
			return STR_NULL;
		}
		r->total = r->unnamed;
		r->counting = false;
	}
	*n_names = 1 + r->total + r->n_names;
	*names = arena_alloc(a, *n_names, sizeof(**names));
	if (!*names || o.failed) {
		wrong(r, "Out of memory.");
		return STR_NULL;
	}
	for (unsigned i = 0; i < *n_names; i++)
		(*names)[i] = i <= r->total ? arena_printf(a, "%u", i) : r->names[i - r->total - 1];
	return o.n ? out_str(&o) : STR("");
}
