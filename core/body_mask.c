#include "core/body_mask.h"

#include "core/body_escape.h"
#include "core/json.h"
#include "core/str.h"
#include "core/uri.h"

enum {
	NAME_MAX_BYTES = 128,                    /* of a name, without what makes no difference; the rest is not looked at */
	WITHIN_MAX = 4,                          /* texts within texts; what has more of them is hidden as a whole */
	GROWTH_MAX = 7,                          /* body_mask.h */
};

struct masker {
	struct arena *a;
	const struct mask_names *marked;
	unsigned within;                         /* how many texts it stands in */
};

static bool mask_as(const struct masker *m, struct buf *out, enum body_form form, struct str body);

/* ---- names -------------------------------------------------------------------------------------------------------------- */

static struct str plain_name(struct str name, char out[NAME_MAX_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < name.n && n < NAME_MAX_BYTES; i++)
		if (!strchr("-_. []", name.p[i]) || !name.p[i])
			out[n++] = ascii_lower(name.p[i]);
	return (struct str){ out, n };
}

bool mask_name_is_secret(struct str name, const struct mask_names *marked)
{
	static const struct str within[] = {
		STR_INIT("password"), STR_INIT("passwd"), STR_INIT("passphrase"), STR_INIT("secret"), STR_INIT("apikey"),
		STR_INIT("privatekey"), STR_INIT("credential"),
	};
	static const struct str whole[] = {
		STR_INIT("pwd"), STR_INIT("authorization"), STR_INIT("proxyauthorization"), STR_INIT("cookie"), STR_INIT("setcookie"),
		STR_INIT("assertion"), STR_INIT("clientassertion"), STR_INIT("subscriptionkey"), STR_INIT("ocpapimsubscriptionkey"),
		STR_INIT("codeverifier"), STR_INIT("pin"), STR_INIT("otp"), STR_INIT("cvv"), STR_INIT("cvc"), STR_INIT("cardnumber"),
	};
	char text[NAME_MAX_BYTES], other[NAME_MAX_BYTES];
	struct str s = plain_name(name, text);

	if (str_ends(s, STR("token")))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(within); i++)
		if (str_find(s, within[i]) != SIZE_MAX)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (str_eq(s, whole[i]))
			return true;
	for (size_t i = 0; marked && i < marked->n; i++)
		if (s.n && str_eq(s, plain_name(marked->v[i], other)))
			return true;
	return false;
}

/* ---- forms -------------------------------------------------------------------------------------------------------------- */

/* UTF-8 but for the last bytes, where a character may have been cut. */
static bool mostly_text(struct str s)
{
	enum { CHARACTER_MAX = 4 };
	struct str rest = s;
	unsigned n;

	if (memchr(s.p, 0, s.n))
		return false;
	while ((n = utf8_decode(rest, NULL)))
		rest = str_from(rest, n);
	return rest.n < CHARACTER_MAX;
}

/* What a text is by its looks; NONE: nothing that has names. */
static enum body_form by_looks(struct str text)
{
	struct str s = str_trim(text);
	size_t at = 0;

	if (!s.n || s.p[0] == '<')
		return s.n ? BODY_FORM_XML : BODY_FORM_NONE;
	while (at < s.n && !ascii_is_space(s.p[at]) && !strchr("=\"{[<", s.p[at] ? s.p[at] : ' '))
		at++;
	if (at && at < s.n && s.p[at] == '=')
		return BODY_FORM_FIELDS;
	if (str_find_char(s, '"') != SIZE_MAX && (s.p[0] == '"' || str_find_char(s, ':') != SIZE_MAX))
		return BODY_FORM_TEXT;
	return str_find(s, STR("</")) != SIZE_MAX ? BODY_FORM_XML : BODY_FORM_NONE;
}

static enum body_form by_first_bytes(struct str body)
{
	enum body_form form = by_looks(body);

	if (!mostly_text(body))
		return BODY_FORM_NONE;
	return form == BODY_FORM_NONE ? BODY_FORM_TEXT : form;
}

/* ---- a text within a text ------------------------------------------------------------------------------------------------- */

/* In the place of `raw`: itself when there is nothing to hide in it. */
static void put_masked(const struct masker *m, struct buf *out, enum body_escape how, struct str raw, const struct buf *plain)
{
	const struct masker inner = { m->a, m->marked, m->within + 1 };
	enum body_form form = by_looks(buf_view(plain));
	struct buf masked, escaped;

	if (form == BODY_FORM_NONE) {
		buf_str(out, raw);
		return;
	}
	buf_init(&masked, GROWTH_MAX * plain->n);
	buf_init(&escaped, GROWTH_MAX * raw.n);
	if (m->within < WITHIN_MAX && mask_as(&inner, &masked, form, buf_view(plain))) {
		if (str_eq(buf_view(&masked), buf_view(plain)))
			buf_str(&escaped, raw);
		else
			body_escape(&escaped, how, buf_view(&masked));
	} else {
		escaped.failed = true;
	}
	buf_str(out, buf_ok(&escaped) ? buf_view(&escaped) : STR("***"));
	buf_release(&masked);
	buf_release(&escaped);
}

static void mask_within(const struct masker *m, struct buf *out, enum body_escape how, struct str raw)
{
	static const char hints[] = "{[<=%&\\";       /* no text that has names is without one of them, however it is written */
	struct buf plain;
	bool any = false;

	for (size_t i = 0; i + 1 < sizeof(hints) && raw.n && !any; i++)
		any = memchr(raw.p, hints[i], raw.n);
	if (!any) {
		buf_str(out, raw);
		return;
	}
	buf_init(&plain, 3 * raw.n);                 /* U+FFFD for a byte that is none */
	body_unescape(&plain, how, raw);
	if (buf_ok(&plain))
		put_masked(m, out, how, raw, &plain);
	else
		buf_cstr(out, "***");
	buf_release(&plain);
}

enum body_form mask_form_of(struct str content_type, struct str body)
{
	struct str type = str_trim(str_first(content_type, str_find_char(content_type, ';')));

	if (!body.n)
		return BODY_FORM_TEXT;
	if (memchr(body.p, 0, body.n))       /* bytes, or UTF-16, whatever it is called */
		return BODY_FORM_NONE;
	/* what a client says that was told nothing else, whatever it sends: JSON is looked at with the fields */
	if (str_eq_ci(type, STR("application/x-www-form-urlencoded")))
		return str_starts(str_trim(body), STR("<")) ? BODY_FORM_XML : BODY_FORM_FIELDS;
	if (str_eq_ci(type, STR("application/xml")) || str_eq_ci(type, STR("text/xml")) || str_eq_ci(type, STR("application/xhtml+xml"))
	    || (type.n > 4 && str_eq_ci(str_from(type, type.n - 4), STR("+xml"))))
		return BODY_FORM_XML;
	if (str_starts_ci(type, STR("multipart/")) || str_starts_ci(type, STR("image/")) || str_starts_ci(type, STR("audio/"))
	    || str_starts_ci(type, STR("video/")) || str_starts_ci(type, STR("font/")))
		return BODY_FORM_NONE;
	return by_first_bytes(body);
}

/* ---- JSON in text --------------------------------------------------------------------------------------------------------- */

/* Where the string that begins at `at` has its last quote; the length of the text when it has none. */
static size_t string_close(struct str s, size_t at)
{
	for (at++; at < s.n; at++) {
		if (s.p[at] == '\\')
			at++;
		else if (s.p[at] == '"')
			return at;
	}
	return s.n;
}

static size_t skip_blanks(struct str s, size_t at)
{
	while (at < s.n && ascii_is_space(s.p[at]))
		at++;
	return at;
}

/* Behind the value that begins at `at`, with all that it holds. */
static size_t value_end(struct str s, size_t at)
{
	size_t depth = 0;

	while (at < s.n) {
		char c = s.p[at];

		if (c == '"') {
			at = string_close(s, at);
			at += at < s.n;
			if (!depth)
				return at;
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth && !--depth)
			return at + 1;
		else if (!depth && (c == ',' || c == '}' || c == ']' || ascii_is_space(c)))
			return at;
		at++;
	}
	return s.n;
}

/* The name between quotes; one that cannot be read is taken for a secret. */
static bool key_is_secret(struct str quoted, const struct mask_names *marked)
{
	struct str inner = { quoted.p + 1, quoted.n - 2 };
	json_t *v;
	bool secret = true, plain = true;

	for (size_t i = 0; i < inner.n && plain; i++)
		plain = inner.p[i] != '\\' && (unsigned char)inner.p[i] >= ' ';
	if (plain)
		return mask_name_is_secret(inner, marked);
	v = json_loadb(quoted.p, quoted.n, JSON_DECODE_ANY, NULL);
	if (json_is_string(v))
		secret = mask_name_is_secret((struct str){ json_string_value(v), json_string_length(v) }, marked);
	json_decref(v);
	return secret;
}

static void mask_text_body(const struct masker *m, struct buf *out, struct str body)
{
	size_t at = 0;

	while (at < body.n) {
		size_t quote = str_find_char(str_from(body, at), '"'), close, end, colon;

		if (quote == SIZE_MAX)
			break;
		quote += at;
		close = string_close(body, quote);
		end = close < body.n ? close + 1 : close;
		buf_str(out, str_first(str_from(body, at), quote + 1 - at));
		mask_within(m, out, BODY_ESCAPE_JSON, str_first(str_from(body, quote + 1), close - quote - 1));
		buf_cstr(out, close < body.n ? "\"" : "");
		at = end;
		colon = skip_blanks(body, end);
		if (colon == body.n || body.p[colon] != ':' || end - quote < 2
		    || !key_is_secret((struct str){ body.p + quote, end - quote }, m->marked))
			continue;
		end = skip_blanks(body, colon + 1);
		buf_str(out, str_first(str_from(body, at), end - at));
		buf_cstr(out, end < body.n ? "\"***\"" : "");
		at = value_end(body, end);
	}
	buf_str(out, str_from(body, at));
}

/* ---- fields ------------------------------------------------------------------------------------------------------------- */

/* Of an address with a query: what stands behind it. */
static struct str field_name(struct str before_equals)
{
	size_t at = before_equals.n;

	while (at && !strchr("?#", before_equals.p[at - 1] ? before_equals.p[at - 1] : ' '))
		at--;
	return str_from(before_equals, at);
}

static bool mask_each_field(const struct masker *m, struct buf *out, struct str body)
{
	bool first = true;

	for (struct str rest = body, part; str_split(&rest, '&', &part); first = false) {
		size_t equals = str_find_char(part, '=');
		struct str name = uri_decode(m->a, field_name(str_first(part, equals)), true);

		if (!name.p && part.n)
			return false;
		buf_cstr(out, first ? "" : "&");
		if (equals == SIZE_MAX) {
			mask_within(m, out, BODY_ESCAPE_FIELD, part);
			continue;
		}
		buf_str(out, str_first(part, equals + 1));
		if (mask_name_is_secret(name, m->marked))
			buf_cstr(out, "***");
		else
			mask_within(m, out, BODY_ESCAPE_FIELD, str_from(part, equals + 1));
	}
	return true;
}

/* JSON that stands there as it is may hold "&" and "=" in its strings: it comes first. */
static bool mask_fields(const struct masker *m, struct buf *out, struct str body)
{
	struct buf json;
	bool good;

	if (str_find_char(body, '"') == SIZE_MAX)
		return mask_each_field(m, out, body);
	buf_init(&json, GROWTH_MAX * body.n);
	mask_text_body(m, &json, body);
	good = buf_ok(&json) && mask_each_field(m, out, buf_view(&json));
	buf_release(&json);
	return good;
}

/* ---- XML ---------------------------------------------------------------------------------------------------------------- */

static struct str local_name(struct str name)
{
	size_t colon = str_rfind_char(name, ':');

	return colon == SIZE_MAX ? name : str_from(name, colon + 1);
}

static bool ends_name(char c)
{
	return ascii_is_space(c) || c == '<' || c == '>' || c == '/' || c == '=';
}

static struct str name_at(struct str s, size_t at)
{
	size_t n = at;

	while (n < s.n && !ends_name(s.p[n]))
		n++;
	return (struct str){ s.p + at, n - at };
}

/* Behind what begins with "<" and is no element: comment, section, instruction, declaration. SIZE_MAX: it is one. */
static size_t other_markup_end(struct str s, size_t at)
{
	static const struct {
		struct str begin, end;
	} forms[] = {
		{ STR_INIT("<!--"), STR_INIT("-->") }, { STR_INIT("<![CDATA["), STR_INIT("]]>") },
		{ STR_INIT("<?"), STR_INIT("?>") },    { STR_INIT("<!"), STR_INIT(">") },
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		size_t end;

		if (!str_starts(str_from(s, at), forms[i].begin))
			continue;
		end = str_find(str_from(s, at + forms[i].begin.n), forms[i].end);
		return end == SIZE_MAX ? s.n : at + forms[i].begin.n + end + forms[i].end.n;
	}
	return SIZE_MAX;
}

/* The value of an attribute, quotes and all. */
static void put_attribute(const struct masker *m, struct buf *out, struct str value)
{
	bool quoted = value.n && (value.p[0] == '"' || value.p[0] == '\''), closed = quoted && value.n > 1 && value.p[value.n - 1] == value.p[0];

	buf_str(out, str_first(value, quoted));
	mask_within(m, out, BODY_ESCAPE_XML, str_first(str_from(value, quoted), value.n - quoted - closed));
	buf_str(out, str_from(value, value.n - closed));
}

/* Behind a value without quotes. */
static size_t bare_end(struct str s, size_t at)
{
	while (at < s.n && !ascii_is_space(s.p[at]) && s.p[at] != '>' && !str_starts(str_from(s, at), STR("/>")))
		at++;
	return at;
}

/* Copies a start tag from behind its name, without the values of secret attributes. *empty: it is "<a/>". One that does not end
 * ends where the next begins. */
static size_t copy_tag(const struct masker *m, struct buf *out, struct str s, size_t at, bool *empty)
{
	*empty = false;
	while (at < s.n && s.p[at] != '>' && s.p[at] != '<') {
		struct str name = name_at(s, at);
		size_t value = at + name.n;

		if (!name.n) {
			*empty = s.p[at] == '/';
			buf_char(out, s.p[at++]);
			continue;
		}
		*empty = false;
		buf_str(out, name);
		at = value;
		value = skip_blanks(s, value);
		if (value == s.n || s.p[value] != '=')
			continue;
		value = skip_blanks(s, value + 1);
		buf_str(out, str_first(str_from(s, at), value - at));
		at = value;
		if (value < s.n && (s.p[value] == '"' || s.p[value] == '\'')) {
			size_t end = str_find_char(str_from(s, value + 1), s.p[value]);

			at = end == SIZE_MAX ? s.n : value + 1 + end + 1;
		} else {
			at = bare_end(s, value);
		}
		if (at > value && mask_name_is_secret(local_name(name), m->marked))
			buf_cstr(out, "\"***\"");
		else
			put_attribute(m, out, str_first(str_from(s, value), at - value));
	}
	if (at < s.n && s.p[at] == '>')
		buf_char(out, s.p[at++]);
	return at;
}

/* Not by name_at: of tags without an end it would read the same bytes again and again. */
static bool is_name_at(struct str s, size_t at, struct str name)
{
	return str_starts(str_from(s, at), name) && (at + name.n == s.n || ends_name(s.p[at + name.n]));
}

/* Where a tag ends, or the next begins: no further, for that would be looked through for each of many tags without an end. */
static size_t tag_close(struct str s, size_t at)
{
	while (at < s.n && s.p[at] != '>' && s.p[at] != '<')
		at++;
	return at;
}

/* Where the end tag of an element begins whose start tag ends at `at`; elements of its name within are counted. */
static size_t element_end(struct str s, size_t at, struct str name)
{
	size_t depth = 1;

	while (at < s.n) {
		size_t next = str_find_char(str_from(s, at), '<'), end;
		bool closes;

		if (next == SIZE_MAX)
			return s.n;
		at += next;
		if ((end = other_markup_end(s, at)) != SIZE_MAX) {
			at = end;
			continue;
		}
		closes = at + 1 < s.n && s.p[at + 1] == '/';
		if (is_name_at(s, at + 1 + closes, name)) {
			size_t close = tag_close(s, at + 1);
			bool empty = !closes && close < s.n && s.p[close - 1] == '/';

			if (closes && !--depth)
				return at;
			depth += !closes && !empty;
		}
		at++;
	}
	return s.n;
}

/* A comment or a section may hold another text; nothing else of this kind does. */
static void put_other_markup(const struct masker *m, struct buf *out, struct str s)
{
	bool section = str_starts(s, STR("<![CDATA[")), comment = str_starts(s, STR("<!--"));
	struct str end = section ? STR("]]>") : STR("-->");
	size_t head = section ? 9 : comment ? 4 : s.n, tail = s.n > head && str_ends(str_from(s, head), end) ? end.n : 0;

	buf_str(out, str_first(s, head));
	mask_within(m, out, BODY_ESCAPE_NONE, str_first(str_from(s, head), s.n - head - tail));
	buf_str(out, str_from(s, s.n - tail));
}

static void mask_xml(const struct masker *m, struct buf *out, struct str s)
{
	size_t at = 0;

	while (at < s.n) {
		size_t next = str_find_char(str_from(s, at), '<'), end;
		struct str name;
		bool empty;

		next = next == SIZE_MAX ? s.n : at + next;
		mask_within(m, out, BODY_ESCAPE_XML, str_first(str_from(s, at), next - at));
		at = next;
		if (at == s.n)
			break;
		if ((end = other_markup_end(s, at)) != SIZE_MAX) {
			put_other_markup(m, out, str_first(str_from(s, at), end - at));
			at = end;
			continue;
		}
		if (at + 1 < s.n && s.p[at + 1] == '/') {
			end = str_find_char(str_from(s, at), '>');
			end = end == SIZE_MAX ? s.n : at + end + 1;
			buf_str(out, str_first(str_from(s, at), end - at));
			at = end;
			continue;
		}
		name = name_at(s, at + 1);
		buf_char(out, '<');
		buf_str(out, name);
		at = copy_tag(m, out, s, at + 1 + name.n, &empty);
		if (!name.n || empty || at == s.n || !mask_name_is_secret(local_name(name), m->marked))
			continue;
		buf_cstr(out, "***");
		at = element_end(s, at, name);
	}
}

static bool mask_as(const struct masker *m, struct buf *out, enum body_form form, struct str body)
{
	bool good = form != BODY_FORM_NONE;

	if (form == BODY_FORM_FIELDS)
		good = mask_fields(m, out, body);
	else if (form == BODY_FORM_XML)
		mask_xml(m, out, body);
	else if (good)
		mask_text_body(m, out, body);
	return good && buf_ok(out);
}

bool mask_body(struct buf *out, struct arena *a, enum body_form form, struct str body, const struct mask_names *marked)
{
	return mask_as(&(struct masker){ .a = a, .marked = marked }, out, form, body);
}

bool mask_value(struct buf *out, struct arena *a, struct str text, const struct mask_names *marked)
{
	mask_within(&(struct masker){ .a = a, .marked = marked }, out, BODY_ESCAPE_NONE, text);
	return buf_ok(out);
}
