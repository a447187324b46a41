/* regex_translate.c - from .NET's syntax to PCRE2's.
 *
 * Two passes over the pattern with the same scanner. The first (write false) numbers the groups: .NET numbers unnamed groups
 * first and named ones after them, PCRE2 in the order of their brackets. The second writes, so that \2 and (?(name)…) can be
 * rewritten with what the first found. What .NET refuses and PCRE2 takes is refused here. */
#include "core/str.h"
#include "policy/net/out.h"
#include "policy/net/regex_code.h"

enum { GROUPS_MAX = 250, CLASS_DEPTH_MAX = 8 };

struct translator {
	struct arena *a;
	struct str p;
	size_t at;
	bool write, white, explicit_capture;
	struct out o;
	struct str names[GROUPS_MAX];        /* of slot i; .p NULL: unnamed */
	unsigned n_slots;                    /* with slot 0 */
	unsigned opened;                     /* groups seen in the present pass */
	struct gh_err *err;
};

static bool fail(struct translator *t, const char *what)
{
	gh_err_set(t->err, GH_E_INVALID, __FILE__, __LINE__, "%s", what);
	return false;
}

/* .NET takes it. */
static bool refuse(struct translator *t, const char *what)
{
	gh_err_set(t->err, GH_E_UNSUPPORTED, __FILE__, __LINE__, "%s", what);
	return false;
}

static bool fail_escape(struct translator *t, char c)
{
	gh_err_set(t->err, GH_E_INVALID, __FILE__, __LINE__, "Unrecognized escape sequence \\%c.", c);
	return false;
}

static char look(const struct translator *t, size_t ahead)
{
	return t->at + ahead < t->p.n ? t->p.p[t->at + ahead] : '\0';
}

static void put(struct translator *t, struct str s)
{
	if (t->write)
		out_put(&t->o, s);
}

static void copy(struct translator *t, size_t n)
{
	put(t, str_first(str_from(t->p, t->at), n));
	t->at += n;
}

static bool word_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_';
}

/* ---- escapes ------------------------------------------------------------------------------------------------------------------ */

static const struct {
	struct str name;
	unsigned from, to;
} blocks[] = {
	{ STR_INIT("IsBasicLatin"), 0, 0x7F },             { STR_INIT("IsLatin-1Supplement"), 0x80, 0xFF },
	{ STR_INIT("IsLatinExtended-A"), 0x100, 0x17F },   { STR_INIT("IsLatinExtended-B"), 0x180, 0x24F },
	{ STR_INIT("IsIPAExtensions"), 0x250, 0x2AF },     { STR_INIT("IsCombiningDiacriticalMarks"), 0x300, 0x36F },
	{ STR_INIT("IsGreek"), 0x370, 0x3FF },             { STR_INIT("IsGreekandCoptic"), 0x370, 0x3FF },
	{ STR_INIT("IsCyrillic"), 0x400, 0x4FF },          { STR_INIT("IsArmenian"), 0x530, 0x58F },
	{ STR_INIT("IsHebrew"), 0x590, 0x5FF },            { STR_INIT("IsArabic"), 0x600, 0x6FF },
	{ STR_INIT("IsDevanagari"), 0x900, 0x97F },        { STR_INIT("IsThai"), 0xE00, 0xE7F },
	{ STR_INIT("IsGeorgian"), 0x10A0, 0x10FF },        { STR_INIT("IsHangulJamo"), 0x1100, 0x11FF },
	{ STR_INIT("IsLatinExtendedAdditional"), 0x1E00, 0x1EFF },
	{ STR_INIT("IsGreekExtended"), 0x1F00, 0x1FFF },   { STR_INIT("IsGeneralPunctuation"), 0x2000, 0x206F },
	{ STR_INIT("IsCurrencySymbols"), 0x20A0, 0x20CF }, { STR_INIT("IsLetterlikeSymbols"), 0x2100, 0x214F },
	{ STR_INIT("IsArrows"), 0x2190, 0x21FF },          { STR_INIT("IsMathematicalOperators"), 0x2200, 0x22FF },
	{ STR_INIT("IsBoxDrawing"), 0x2500, 0x257F },      { STR_INIT("IsCJKSymbolsandPunctuation"), 0x3000, 0x303F },
	{ STR_INIT("IsHiragana"), 0x3040, 0x309F },        { STR_INIT("IsKatakana"), 0x30A0, 0x30FF },
	{ STR_INIT("IsCJKUnifiedIdeographs"), 0x4E00, 0x9FFF },
	{ STR_INIT("IsHangulSyllables"), 0xAC00, 0xD7AF }, { STR_INIT("IsPrivateUse"), 0xE000, 0xF8FF },
	{ STR_INIT("IsHalfwidthandFullwidthForms"), 0xFF00, 0xFFEF },
};

/* \p{…} and \P{…} */
static bool property(struct translator *t, bool in_class)
{
	bool negated = look(t, 1) == 'P';
	size_t close = str_find_char(str_from(t->p, t->at), '}');
	struct str name;

	if (look(t, 2) != '{' || close == SIZE_MAX)
		return fail(t, "Incomplete \\p{X} character escape.");
	name = (struct str){ t->p.p + t->at + 3, close - 3 };
	if (!str_starts(name, STR("Is"))) {
		if (name.n == 0 || name.n > 2 || str_find_char(STR("LMNPSZC"), name.p[0]) == SIZE_MAX) {
			gh_err_set(t->err, GH_E_INVALID, __FILE__, __LINE__, "Unknown property '%.*s'.", STR_ARG(name));
			return false;
		}
		copy(t, close + 1);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		if (!str_eq(name, blocks[i].name))
			continue;
		if (in_class && negated)
			return refuse(t, "A negated block inside a set is not supported.");
		if (t->write)
			out_fmt(&t->o, in_class ? "\\x{%X}-\\x{%X}" : negated ? "[^\\x{%X}-\\x{%X}]" : "[\\x{%X}-\\x{%X}]",
				blocks[i].from, blocks[i].to);
		t->at += close + 1;
		return true;
	}
	gh_err_set(t->err, GH_E_INVALID, __FILE__, __LINE__, "Unknown property '%.*s'.", STR_ARG(name));
	return false;
}

static bool hex_at(const struct translator *t, size_t ahead, size_t n, uint32_t *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		char c = ascii_lower(look(t, ahead + i));

		if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'f'))
			return false;
		*out = *out << 4 | (uint32_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	return true;
}

/* \uXXXX, two of them when they are a pair */
static bool unicode_escape(struct translator *t)
{
	uint32_t cp, low;

	if (!hex_at(t, 2, 4, &cp))
		return fail(t, "Insufficient hexadecimal digits.");
	t->at += 6;
	if (cp >= 0xD800 && cp <= 0xDBFF && look(t, 0) == '\\' && look(t, 1) == 'u' && hex_at(t, 2, 4, &low) && low >= 0xDC00 &&
	    low <= 0xDFFF) {
		cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
		t->at += 6;
	}
	if (cp >= 0xD800 && cp <= 0xDFFF)
		cp = 0xFFFD;
	if (t->write)
		out_fmt(&t->o, "\\x{%X}", cp);
	return true;
}

/* PCRE2's number of .NET's group n. */
static unsigned slot_of_number(const struct translator *t, unsigned n)
{
	unsigned unnamed = 0, i;

	for (i = 1; i < t->n_slots; i++)
		if (!t->names[i].p && ++unnamed == n)
			return i;
	for (i = 1; i < t->n_slots; i++) {
		bool first = t->names[i].p != NULL;

		for (unsigned j = 1; j < i && first; j++)
			first = !t->names[j].p || !str_eq(t->names[i], t->names[j]);
		if (first && ++unnamed == n)
			return i;
	}
	return 0;
}

static bool back_reference(struct translator *t)
{
	unsigned n = 0, slot;
	size_t digits = 1;

	while (ascii_is_digit(look(t, digits)) && digits < 4)
		n = n * 10 + (unsigned)(look(t, digits++) - '0');
	if (!t->write) {
		t->at += digits;
		return true;
	}
	slot = slot_of_number(t, n);
	if (!slot && n > 9) {                    /* octal, as in Perl */
		copy(t, digits);
		return true;
	}
	if (!slot) {
		gh_err_set(t->err, GH_E_INVALID, __FILE__, __LINE__, "Reference to undefined group number %u.", n);
		return false;
	}
	out_fmt(&t->o, "\\g{%u}", slot);
	t->at += digits;
	return true;
}

static bool escape(struct translator *t, bool in_class)
{
	char c = look(t, 1);
	uint32_t cp;

	if (t->at + 1 >= t->p.n)
		return fail(t, "Illegal \\ at end of pattern.");
	switch (c) {
	case 'u':
		return unicode_escape(t);
	case 'x':
		if (!hex_at(t, 2, 2, &cp))
			return fail(t, "Insufficient hexadecimal digits.");
		if (t->write)
			out_fmt(&t->o, "\\x{%X}", cp);
		t->at += 4;
		return true;
	case 'p':
	case 'P':
		return property(t, in_class);
	case 'v':
		put(t, STR("\\x{0B}"));
		t->at += 2;
		return true;
	case 'c':
		copy(t, 3);
		return true;
	case 'k':
		if (in_class || (look(t, 2) != '<' && look(t, 2) != '\''))
			return fail(t, "Malformed \\k<...> named back reference.");
		copy(t, 2);
		return true;
	default:
		break;
	}
	if (c >= '1' && c <= '9' && !in_class)
		return back_reference(t);
	if (word_char(c) && !strchr(in_class ? "wWdDsSbnrtfae01234567" : "wWdDsSbBAGZznrtfae0", c))
		return fail_escape(t, c);
	copy(t, (unsigned char)c < 0x80 ? 2 : 1);
	return true;
}

/* ---- sets ---------------------------------------------------------------------------------------------------------------------- */

/* [a-z-[aeiou]] becomes (?:(?![aeiou])[a-z]): what is taken away is written first. */
static bool set(struct translator *t, unsigned depth)
{
	struct out before = t->o, minus;
	struct out body = out_in(t->a);
	bool subtracted = false;
	size_t first;

	if (depth > CLASS_DEPTH_MAX)
		return fail(t, "Sets are nested too deeply.");
	t->o = body;
	copy(t, look(t, 1) == '^' ? 2 : 1);
	first = t->at;
	for (;;) {
		char c = look(t, 0);

		if (t->at >= t->p.n)
			return fail(t, "Unterminated [] set.");
		if (c == ']' && t->at > first)
			break;
		if (c == '-' && look(t, 1) == '[' && t->at > first) {
			body = t->o;
			t->o = out_in(t->a);
			t->at++;
			if (!set(t, depth + 1))
				return false;
			minus = t->o;
			t->o = body;
			subtracted = true;
			if (look(t, 0) != ']')
				return fail(t, "A subtraction must be the last element in a character class.");
			break;
		}
		if (c == '\\') {
			if (!escape(t, true))
				return false;
		} else if (c == '[' || c == ']') {
			put(t, c == '[' ? STR("\\[") : STR("\\]"));
			t->at++;
		} else {
			copy(t, 1);
		}
	}
	copy(t, 1);
	body = t->o;
	t->o = before;
	if (subtracted) {
		put(t, STR("(?:(?!"));
		put(t, out_str(&minus));
		put(t, STR(")"));
	}
	put(t, out_str(&body));
	if (subtracted)
		put(t, STR(")"));
	return true;
}

/* ---- groups -------------------------------------------------------------------------------------------------------------------- */

static bool open_slot(struct translator *t, struct str name)
{
	if (++t->opened >= GROUPS_MAX)
		return fail(t, "Too many groups.");
	if (!t->write) {
		t->names[t->opened] = name;
		t->n_slots = t->opened + 1;
	}
	return true;
}

static bool named_group(struct translator *t)
{
	char end = look(t, 2) == '<' ? '>' : '\'';
	struct str rest = str_from(t->p, t->at + 3), name;
	size_t n = 0;

	while (n < rest.n && word_char(rest.p[n]))
		n++;
	name = str_first(rest, n);
	if (n < rest.n && rest.p[n] == '-')
		return refuse(t, "Balancing groups are not supported.");
	if (n == 0 || n >= rest.n || rest.p[n] != end)
		return fail(t, "Invalid group name: Group names must begin with a word character.");
	if (ascii_is_digit(name.p[0]))
		return refuse(t, "Groups whose name is a number are not supported.");
	copy(t, 3 + n + 1);
	return open_slot(t, name);
}

static bool is_name(const struct translator *t, struct str name)
{
	for (unsigned i = 1; i < t->n_slots; i++)
		if (t->names[i].p && str_eq(t->names[i], name))
			return true;
	return false;
}

/* (?(name)yes|no), (?(1)yes|no), (?(?=x)yes|no), (?(x)yes|no) */
static bool conditional(struct translator *t)
{
	struct str rest = str_from(t->p, t->at + 3);
	size_t close = str_find_char(rest, ')');
	struct str name = str_first(rest, close == SIZE_MAX ? 0 : close);
	uint64_t n;

	if (name.n && name.p[0] == '?') {
		copy(t, 2);                      /* the assertion is a group of its own */
		return true;
	}
	if (str_to_u64(name, GROUPS_MAX, &n)) {
		if (t->write)
			out_fmt(&t->o, "(?(%u)", slot_of_number(t, (unsigned)n));
		t->at += 3 + name.n + 1;
		return true;
	}
	if (name.n && is_name(t, name)) {
		if (t->write) {
			out_put(&t->o, STR("(?(<"));
			out_put(&t->o, name);
			out_put(&t->o, STR(">)"));
		}
		t->at += 3 + name.n + 1;
		return true;
	}
	put(t, STR("(?(?="));
	t->at += 3;
	return true;
}

static bool options_group(struct translator *t)
{
	size_t i = 2;
	bool on = true;

	for (; look(t, i) && strchr("imnsx-+", look(t, i)); i++) {
		if (look(t, i) == '-' || look(t, i) == '+')
			on = look(t, i) == '+';
		else if (look(t, i) == 'x')
			t->white = on;
		else if (look(t, i) == 'n')
			t->explicit_capture = on;
	}
	if (look(t, i) != ')' && look(t, i) != ':')
		return fail(t, "Unrecognized grouping construct.");
	copy(t, i + 1);
	return true;
}

static bool group(struct translator *t)
{
	size_t close;

	if (look(t, 1) == '*')
		return fail(t, "Quantifier {x,y} following nothing.");
	if (look(t, 1) != '?') {
		copy(t, 1);
		return t->explicit_capture || open_slot(t, STR_NULL);
	}
	switch (look(t, 2)) {
	case ':':
	case '=':
	case '!':
	case '>':
		copy(t, 3);
		return true;
	case '#':
		close = str_find_char(str_from(t->p, t->at), ')');
		if (close == SIZE_MAX)
			return fail(t, "Unterminated (?#...) comment.");
		t->at += close + 1;
		return true;
	case '<':
		if (look(t, 3) == '=' || look(t, 3) == '!') {
			copy(t, 4);
			return true;
		}
		return named_group(t);
	case '\'':
		return named_group(t);
	case '(':
		return conditional(t);
	default:
		return options_group(t);
	}
}

static bool run(struct translator *t)
{
	while (t->at < t->p.n) {
		char c = look(t, 0);
		bool ok = true;

		if (c == '\\') {
			ok = escape(t, false);
		} else if (c == '[') {
			ok = set(t, 0);
		} else if (c == '(') {
			ok = group(t);
		} else if (c == '#' && t->white) {
			while (t->at < t->p.n && look(t, 0) != '\n')
				t->at++;
		} else {
			copy(t, 1);
		}
		if (!ok)
			return false;
	}
	return true;
}

/* ---- .NET's numbering ------------------------------------------------------------------------------------------------------------ */

static bool add_group(struct translator *t, struct regex_group *g, struct str name, unsigned slot)
{
	g->slots = arena_alloc(t->a, t->n_slots, sizeof(*g->slots));
	g->name = name.p ? arena_dup(t->a, name) : name;
	if (!g->slots || (name.p && !g->name.p))
		return false;
	g->slots[g->n++] = slot;
	return true;
}

static struct regex_group *number_groups(struct translator *t, unsigned *n)
{
	struct regex_group *all = arena_alloc(t->a, t->n_slots, sizeof(*all));

	if (!all || !add_group(t, &all[0], STR("0"), 0))
		return NULL;
	*n = 1;
	for (unsigned i = 1; i < t->n_slots; i++)
		if (!t->names[i].p) {
			if (!add_group(t, &all[*n], arena_printf(t->a, "%u", *n), i))
				return NULL;
			++*n;
		}
	for (unsigned i = 1; i < t->n_slots; i++) {
		unsigned g = 1;

		if (!t->names[i].p)
			continue;
		while (g < *n && !str_eq(all[g].name, t->names[i]))
			g++;
		if (g < *n)
			all[g].slots[all[g].n++] = i;
		else if (!add_group(t, &all[(*n)++], t->names[i], i))
			return NULL;
	}
	return all;
}

struct str regex_translate(struct arena *a, struct str pattern, unsigned options, struct regex_group **groups,
			   unsigned *n_groups, unsigned *n_slots, struct gh_err *err)
{
	struct translator *t = arena_new_of(a, struct translator);
	bool ok;

	if (!t)
		return STR_NULL;
	*t = (struct translator){ .a = a, .p = pattern, .n_slots = 1, .err = err };
	for (int pass = 0; pass < 2; pass++) {
		t->write = pass == 1;
		t->at = t->opened = 0;
		t->o = out_in(a);
		t->white = options & REGEX_IGNORE_WHITE;
		t->explicit_capture = options & REGEX_EXPLICIT_CAPTURE;
		ok = run(t);
		if (!ok)
			return STR_NULL;
	}
	*n_slots = t->n_slots;
	*groups = number_groups(t, n_groups);
	if (!*groups || t->o.failed) {
		fail(t, "Out of memory.");
		return STR_NULL;
	}
	return out_str(&t->o);
}
