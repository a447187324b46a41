/* json_read.c - JsonTextReader and JToken.Load in one: text to tree, with Newtonsoft's leniency and its error messages.
 *
 * Accepted beyond RFC 8259: 'single quotes', unquoted names, comments (skipped), trailing commas, hexadecimal and octal
 * integers, NaN, Infinity, undefined, new Date(…). The tree is built without recursion: the stack is the chain of parents. */
#include "core/str.h"
#include "policy/net/json.h"
#include "policy/net/make.h"
#include "policy/net/number.h"
#include "policy/net/time.h"

struct reader {
	struct arena *a;
	struct str s;
	size_t at, line_start;
	unsigned line, depth, flags;
	bool started;
	struct jtoken *root, *open;  /* open: the container that takes the next token */
	const char *loading;         /* "JObject": what end-of-content messages name */
	struct gh_err *err;
};

static bool more(const struct reader *r)
{
	return r->at < r->s.n;
}

/* Where the reader stands: the path of the innermost open place. */
static struct str path_here(const struct reader *r)
{
	struct out o = out_in(r->a);
	struct str path;

	if (r->open && r->open->type == JT_OBJECT && r->open->n)         /* the last name stays in the path */
		return jt_path(r->a, r->open->v[r->open->n - 1]);
	path = r->open ? jt_path(r->a, r->open) : STR("");
	if (!r->open || r->open->type != JT_ARRAY)
		return path;
	out_put(&o, path);
	out_fmt(&o, "[%zu]", r->open->n ? r->open->n - 1 : 0);
	return r->open->n ? out_str(&o) : path;
}

static gh_rc fail(struct reader *r, const char *fmt, const char *what)
{
	char text[320];
	struct out o = { .p = text, .cap = sizeof(text) };
	struct str path = path_here(r);
	unsigned line = r->started ? r->line : 0;
	size_t position = r->started ? r->at - r->line_start : 0;

	for (; *fmt; fmt++) {
		if (fmt[0] == '%' && fmt[1] == 's')
			out_put(&o, str_first(str_of(what), 60)), fmt++;
		else
			out_char(&o, *fmt);
	}
	FAIL(r->err, SYNTAX, "%.*s Path '%.*s', line %u, position %zu.", STR_ARG(out_str(&o)), (int)(path.n > 120 ? 120 : path.n),
	     path.p ? path.p : "", line, position);
}

static gh_rc fail_char(struct reader *r, const char *fmt)
{
	char text[8] = { 0 };
	unsigned n = more(r) ? utf8_decode(str_from(r->s, r->at), NULL) : 0;

	memcpy(text, r->s.p + r->at, n ? n : more(r) ? 1 : 0);
	return fail(r, fmt, text);
}

static gh_rc no_memory(struct reader *r)
{
	FAIL(r->err, NOMEM, "Insufficient memory to continue the execution of the program.");
}

static GH_RC skip_blanks(struct reader *r)
{
	while (more(r)) {
		char ch = r->s.p[r->at];

		if (ch == '\n') {
			r->line++;
			r->line_start = r->at + 1;
		} else if (ch == '/') {
			struct str rest = str_from(r->s, r->at);
			size_t end;

			r->started = true;
			if (str_starts(rest, STR("/*"))) {
				end = str_find(rest, STR("*/"));
				if (end == SIZE_MAX)
					return fail(r, "Unexpected end while parsing comment.", "");
				r->at += end + 1;
			} else if (str_starts(rest, STR("//"))) {
				end = str_find_char(rest, '\n');
				r->at += end == SIZE_MAX ? rest.n - 1 : end - 1;
			} else {
				r->at++;
				return fail_char(r, "Error parsing comment. Expected: *, got %s.");
			}
		} else if (ch != ' ' && ch != '\t' && ch != '\r') {
			return GH_RC_OK;
		}
		r->at++;
	}
	return GH_RC_OK;
}

/* ---- texts ---------------------------------------------------------------------------------------------------------------- */

static bool hex4(const struct reader *r, uint32_t *out)
{
	if (r->s.n - r->at < 4)
		return false;
	*out = 0;
	for (size_t i = 0; i < 4; i++) {
		char c = ascii_lower(r->s.p[r->at + i]);

		if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'f'))
			return false;
		*out = *out << 4 | (uint32_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	return true;
}

static GH_RC read_escape(struct reader *r, struct out *o)
{
	static const char from[] = "btnfr\\/\"'", to[] = "\b\t\n\f\r\\/\"'";
	const char *found;
	uint32_t cp, low;
	char text[3] = "\\";

	if (!more(r))
		return fail(r, "Unterminated string. Expected delimiter: %s.", "\"");
	text[1] = r->s.p[r->at++];
	if (text[1] == 'u') {
		if (!hex4(r, &cp))
			return fail(r, "Could not convert Unicode escape sequence: \\u%s.",
				    arena_cstr(r->a, str_first(str_from(r->s, r->at), 4)));
		r->at += 4;
		if (cp >= 0xD800 && cp <= 0xDBFF && str_starts(str_from(r->s, r->at), STR("\\u"))) {
			r->at += 2;
			if (hex4(r, &low) && low >= 0xDC00 && low <= 0xDFFF) {
				r->at += 4;
				cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
			} else {
				r->at -= 2;
			}
		}
		out_code_point(o, cp);
		return GH_RC_OK;
	}
	found = text[1] ? strchr(from, text[1]) : NULL;
	if (!found)
		return fail(r, "Bad JSON escape sequence: %s.", text);
	out_char(o, to[found - from]);
	return GH_RC_OK;
}

/* The text between quotes; borrows from the source where it can. */
static GH_RC read_quoted(struct reader *r, struct str *out)
{
	char quote[2] = { r->s.p[r->at++], 0 };
	size_t begin = r->at, done = begin;
	struct out o = out_in(r->a);

	for (;; r->at++) {
		if (!more(r))
			return fail(r, "Unterminated string. Expected delimiter: %s.", quote);
		if (r->s.p[r->at] == quote[0])
			break;
		if (r->s.p[r->at] == '\n') {
			r->line++;
			r->line_start = r->at + 1;
		}
		if (r->s.p[r->at] != '\\')
			continue;
		out_add(&o, r->s.p + done, r->at - done);
		r->at++;
		TRY(read_escape(r, &o));
		done = r->at--;
	}
	if (done == begin) {
		*out = (struct str){ r->s.p + begin, r->at - begin };
	} else {
		out_add(&o, r->s.p + done, r->at - done);
		*out = out_str(&o);
		if (!out->p)
			return no_memory(r);
	}
	r->at++;
	return GH_RC_OK;
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

static bool ends_value(const struct reader *r)
{
	return !more(r) || strchr("}]),/ \t\r\n", r->s.p[r->at]) != NULL;
}

static GH_RC read_number(struct reader *r, struct jtoken **out)
{
	size_t begin = r->at;
	struct str text;
	struct value v;
	bool real = false;
	uint64_t u = 0;

	while (more(r) && (ascii_is_digit(r->s.p[r->at]) || ascii_is_alpha(r->s.p[r->at]) || strchr("+-.", r->s.p[r->at])) &&
	       r->s.p[r->at])
		r->at++;
	text = (struct str){ r->s.p + begin, r->at - begin };
	if (!ends_value(r))
		return fail_char(r, "Unexpected character encountered while parsing number: %s.");
	if (text.n > 1 && text.p[0] == '0' && (text.p[1] == 'x' || text.p[1] == 'X')) {
		if (number_parse(r->a, str_from(text, 2), VALUE_LONG, STYLE_HEX, &v) != PARSE_OK)
			return fail(r, "Input string '%s' is not a valid number.", arena_cstr(r->a, text));
		*out = jt_leaf(r->a, JT_INTEGER, v);
		return *out ? GH_RC_OK : no_memory(r);
	}
	for (size_t i = 0; i < text.n; i++)
		real |= text.p[i] == '.' || text.p[i] == 'e' || text.p[i] == 'E';
	if (!real && text.n > 1 && text.p[0] == '0') {           /* octal, as in older scripts */
		for (size_t i = 1; i < text.n; i++) {
			if (text.p[i] < '0' || text.p[i] > '7' || u >> 60)
				return fail(r, "Input string '%s' is not a valid number.", arena_cstr(r->a, text));
			u = u * 8 + (unsigned)(text.p[i] - '0');
		}
		*out = jt_leaf(r->a, JT_INTEGER, value_long((int64_t)u));
		return *out ? GH_RC_OK : no_memory(r);
	}
	switch (number_parse(r->a, text, real ? VALUE_DOUBLE : VALUE_LONG, STYLE_LEADING_SIGN | (real ? STYLE_POINT | STYLE_EXPONENT : 0),
			     &v)) {
	case PARSE_OK:
		*out = jt_leaf(r->a, real ? JT_FLOAT : JT_INTEGER, v);
		break;
	case PARSE_OVERFLOW:
		if (number_parse(r->a, text, VALUE_DOUBLE, STYLE_FLOAT, &v) != PARSE_OK)
			return fail(r, "Input string '%s' is not a valid number.", arena_cstr(r->a, text));
		*out = jt_leaf(r->a, real ? JT_FLOAT : JT_INTEGER, v);
		if (*out && !real)
			(*out)->raw = text;
		break;
	default:
		return fail(r, "Input string '%s' is not a valid number.", arena_cstr(r->a, text));
	}
	return *out ? GH_RC_OK : no_memory(r);
}

static GH_RC read_text_value(struct reader *r, struct jtoken **out)
{
	enum date_kind kind;
	int64_t ticks;
	struct str text;

	TRY(read_quoted(r, &text));
	if (text.n >= 19 && text.n <= 40 && !(r->flags & JT_READ_PLAIN_DATES) && time_read_iso(text, &ticks, &kind)) {
		struct value v = date_time_value(r->a, ticks, kind);

		*out = v.kind == VALUE_NULL ? NULL : jt_leaf(r->a, JT_DATE, v);
	} else {
		*out = jt_string(r->a, text);
	}
	return *out ? GH_RC_OK : no_memory(r);
}

static GH_RC read_word(struct reader *r, struct jtoken **out)
{
	static const struct {
		struct str word;
		enum jt_type type;
		struct value value;
	} words[] = {
		{ STR_INIT("true"), JT_BOOLEAN, { .kind = VALUE_BOOL, .b = true } },
		{ STR_INIT("false"), JT_BOOLEAN, { .kind = VALUE_BOOL, .b = false } },
		{ STR_INIT("null"), JT_NULL, { .kind = VALUE_NULL } },
		{ STR_INIT("undefined"), JT_UNDEFINED, { .kind = VALUE_NULL } },
		{ STR_INIT("NaN"), JT_FLOAT, { .kind = VALUE_DOUBLE, .d = __builtin_nan("") } },
		{ STR_INIT("Infinity"), JT_FLOAT, { .kind = VALUE_DOUBLE, .d = __builtin_inf() } },
		{ STR_INIT("-Infinity"), JT_FLOAT, { .kind = VALUE_DOUBLE, .d = -__builtin_inf() } },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!str_starts(str_from(r->s, r->at), words[i].word))
			continue;
		r->at += words[i].word.n;
		if (!ends_value(r)) {
			r->at -= words[i].word.n;
			break;
		}
		*out = jt_leaf(r->a, words[i].type, words[i].value);
		return *out ? GH_RC_OK : no_memory(r);
	}
	return fail_char(r, "Unexpected character encountered while parsing value: %s.");
}

/* new Name( … ): the arguments follow as values of an open container. */
static GH_RC read_constructor(struct reader *r, struct jtoken **out)
{
	size_t begin;

	r->at += 3;
	TRY(skip_blanks(r));
	begin = r->at;
	while (more(r) && (ascii_is_alpha(r->s.p[r->at]) || ascii_is_digit(r->s.p[r->at]) || r->s.p[r->at] == '_'))
		r->at++;
	*out = jt_container(r->a, JT_CONSTRUCTOR);
	if (!*out)
		return no_memory(r);
	(*out)->name = (struct str){ r->s.p + begin, r->at - begin };
	TRY(skip_blanks(r));
	if (!more(r) || r->s.p[r->at] != '(')
		return fail_char(r, "Unexpected character while parsing constructor: %s.");
	r->at++;
	return GH_RC_OK;
}

static GH_RC open_container(struct reader *r, struct jtoken *t)
{
	char depth[16];
	struct out o = { .p = depth, .cap = sizeof(depth) };

	if (r->depth >= JT_DEPTH_MAX - 2) {
		out_fmt(&o, "%d", JT_DEPTH_MAX - 2);
		out_char(&o, '\0');
		(void)fail(r, "The reader's MaxDepth of %s has been exceeded.", depth);
		if (r->err)
			r->err->code = GH_E_LIMIT;
		return (gh_rc){ GH_E_LIMIT };
	}
	r->depth++;
	r->open = t;
	return GH_RC_OK;
}

/* A value is complete: hangs it up. A property that has its value is closed. */
static GH_RC attach(struct reader *r, struct jtoken *t)
{
	if (!r->open) {
		r->root = t;
		return GH_RC_OK;
	}
	if (!jt_insert(r->a, r->open, r->open->n, t, NULL))
		return no_memory(r);
	return GH_RC_OK;
}

static void close_property(struct reader *r)
{
	if (r->open && r->open->type == JT_PROPERTY)
		r->open = r->open->parent;
}

static GH_RC read_value(struct reader *r)
{
	char ch = r->s.p[r->at];
	struct jtoken *t = NULL;
	bool nested = ch == '{' || ch == '[';

	if (nested) {
		t = jt_container(r->a, ch == '{' ? JT_OBJECT : JT_ARRAY);
		if (!t)
			return no_memory(r);
		r->at++;
	} else if (ch == '"' || ch == '\'') {
		r->started = true;
		TRY(read_text_value(r, &t));
	} else if (ascii_is_digit(ch) || (ch == '-' && !str_starts(str_from(r->s, r->at), STR("-I"))) || ch == '.') {
		TRY(read_number(r, &t));
	} else if (str_starts(str_from(r->s, r->at), STR("new")) && r->at + 3 < r->s.n && ascii_is_space(r->s.p[r->at + 3])) {
		TRY(read_constructor(r, &t));
		nested = true;
	} else {
		TRY(read_word(r, &t));
	}
	r->started = true;
	TRY(attach(r, t));
	if (nested)
		return open_container(r, t);
	close_property(r);
	return GH_RC_OK;
}

static bool name_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static GH_RC read_name(struct reader *r)
{
	struct jtoken *p = jt_container(r->a, JT_PROPERTY), *old;
	size_t begin = r->at;

	if (!p)
		return no_memory(r);
	if (r->s.p[r->at] == '"' || r->s.p[r->at] == '\'') {
		TRY(read_quoted(r, &p->name));
	} else {
		while (more(r) && name_char(r->s.p[r->at]))
			r->at++;
		if (r->at == begin)
			return fail_char(r, "Invalid property identifier character: %s.");
		p->name = (struct str){ r->s.p + begin, r->at - begin };
	}
	TRY(skip_blanks(r));
	if (!more(r))
		return fail(r, "Unexpected end when parsing unquoted property name.", "");
	if (r->s.p[r->at] != ':')
		return fail_char(r, "Invalid character after parsing property name. Expected ':' but got: %s.");
	r->at++;
	old = jt_find(r->open, p->name);
	if (old) {                               /* the last of equal names counts, in the first one's place */
		if (old->n)
			jt_remove_at(old, 0);
		p = old;
	} else if (!jt_insert(r->a, r->open, r->open->n, p, NULL)) {
		return no_memory(r);
	}
	r->open = p;
	return GH_RC_OK;
}

static bool closes(const struct jtoken *open, char ch)
{
	return (open->type == JT_OBJECT && ch == '}') || (open->type == JT_ARRAY && ch == ']') ||
	       (open->type == JT_CONSTRUCTOR && ch == ')');
}

/* One step inside an open container. `after`: a value has just ended, so a comma or the end must follow. */
static GH_RC step(struct reader *r, bool *after)
{
	char ch = r->s.p[r->at];

	if (r->open->type != JT_PROPERTY && closes(r->open, ch)) {
		r->at++;
		r->depth--;
		r->open = r->open->parent;
		close_property(r);
		*after = true;
		return GH_RC_OK;
	}
	if (*after) {
		if (ch != ',')
			return fail_char(r, "After parsing a value an unexpected character was encountered: %s.");
		r->at++;
		*after = false;
		return GH_RC_OK;
	}
	if (r->open->type == JT_OBJECT)
		return read_name(r);
	if (ch == ',' && r->open->type != JT_PROPERTY) {
		struct jtoken *t = jt_leaf(r->a, JT_UNDEFINED, VALUE_NULL_INIT);

		if (!t)
			return no_memory(r);
		r->at++;
		return attach(r, t);
	}
	*after = !strchr("{[", ch) && !(ch == 'n' && str_starts(str_from(r->s, r->at), STR("new")));
	return read_value(r);
}

GH_RC jt_read(struct arena *a, struct str text, unsigned flags, struct jtoken **out, struct gh_err *err)
{
	struct reader r = { .a = a, .s = text, .line = 1, .flags = flags, .loading = "JToken", .err = err };
	bool after = false;

	if (str_starts(text, STR("\xEF\xBB\xBF")))
		r.s = str_from(text, 3);
	TRY(skip_blanks(&r));
	if (!more(&r))
		return fail(&r, "Error reading JToken from JsonReader.", "");
	TRY(read_value(&r));
	r.loading = r.root->type == JT_OBJECT ? "JObject" : r.root->type == JT_ARRAY ? "JArray" : "JConstructor";
	while (r.open) {
		TRY(skip_blanks(&r));
		if (!more(&r))
			return fail(&r, "Unexpected end of content while loading %s.", r.loading);
		TRY(step(&r, &after));
	}
	TRY(skip_blanks(&r));
	if (more(&r))
		return fail_char(&r, "Additional text encountered after finished reading JSON content: %s.");
	*out = r.root;
	return GH_RC_OK;
}

GH_RC json_value(struct arena *a, struct str text, struct value *out, struct gh_err *err)
{
	struct jtoken *t;

	*out = VALUE_NULL_INIT;
	TRY(jt_read(a, text, 0, &t, err));
	*out = value_object(t);
	return GH_RC_OK;
}
