#include "core/liquid/internal.h"

#include "core/clock.h"
#include "core/suggest.h"

#include <ctype.h>
#include <math.h>
#include <time.h>

/* Finding filters by name, and the filters on dates, defaults, addresses and Base64. */

/* ---- names --------------------------------------------------------------------------------------------------------- */

static const struct filter *const tables[] = { filters_text, filters_list, filters_math, filters_misc, filters_lang };

static void pascal(const char *snake, char out[64])
{
	size_t n = 0;
	bool up = true;

	for (; *snake && n < 63; snake++) {
		if (*snake != '_')
			out[n++] = up ? ascii_upper(*snake) : *snake;
		up = *snake == '_';
	}
	out[n] = '\0';
}

static bool offered(const struct liquid_options *o, const struct filter *f)
{
	return (f->where & (o->dialect == LIQUID_DOTLIQUID ? FILTER_DOTLIQUID : FILTER_STANDARD)) != 0
	       || (o->html && f->where & FILTER_HTML) || (o->texts && f->where & FILTER_LANG);
}

const struct filter *filter_find(const struct liquid_options *o, struct str name)
{
	char buf[64];

	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct filter *f = tables[t]; f->name; f++) {
			const char *called = f->name;

			if (o->dialect == LIQUID_DOTLIQUID) {
				pascal(f->name, buf);
				called = buf;
			}
			if (offered(o, f) && str_eq(name, str_of(called)))
				return f;
		}
	return NULL;
}

const char *filter_suggest(const struct liquid_options *o, struct str name, char out[64])
{
	const char *names[128], *near;
	size_t n = 0;

	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct filter *f = tables[t]; f->name && n + 1 < ARRAY_LEN(names); f++)
			if (offered(o, f))
				names[n++] = f->name;
	names[n] = NULL;
	near = suggest(name, names);
	if (near && o->dialect == LIQUID_DOTLIQUID) {
		pascal(near, out);
		return out;
	}
	return near;
}

gh_rc arg_text(struct run *r, struct liquid_value v, struct str *out)
{
	if (!liquid_value_text(r->a, r->t->options.dialect, v, out))
		NO_MEMORY(r->err);
	return GH_RC_OK;
}

gh_rc arg_int(struct run *r, const struct args *args, unsigned i, int64_t *out)
{
	struct liquid_value v = args->v[i];

	if (value_is_text(v) && !value_parse_number(str_trim(v.text), &v))
		FAIL_RUN(r, args->at, "argument %u is no whole number", i + 1);
	if (v.kind != LIQUID_INT)
		FAIL_RUN(r, args->at, "argument %u is no whole number", i + 1);
	*out = v.i;
	return GH_RC_OK;
}

/* ---- dates --------------------------------------------------------------------------------------------------------- */

bool date_parse(struct str s, int64_t *unix_s)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S",	   "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d",
					       "%Y/%m/%d",		   "%B %d, %Y",		"%d %B %Y",	  "%B %d %Y",
					       "%a, %d %b %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y" };
	int64_t us;
	char text[64];

	if (clock_parse_iso(s, &us)) {
		*unix_s = us / 1000000 - (us % 1000000 < 0);
		return true;
	}
	if (!s.n || s.n >= sizeof(text) || memchr(s.p, 0, s.n))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct tm tm = { .tm_mday = 1 };
		const char *end = strptime(text, formats[i], &tm);
		struct str rest = end ? str_trim(str_of(end)) : STR("?");

		if (!rest.n || str_eq(rest, STR("UTC")) || str_eq(rest, STR("GMT")) || str_eq(rest, STR("Z"))
		    || str_eq(rest, STR("+0000"))) {
			*unix_s = timegm(&tm);
			return true;
		}
	}
	return false;
}

struct str date_text(struct arena *a, int64_t unix_s, struct str format)
{
	enum { MOST = 4096 };
	time_t t = (time_t)unix_s;
	char *out = arena_alloc_text(a, MOST);
	const char *f = arena_cstr(a, format);
	struct tm tm;
	size_t n;

	if (!out || !f || !gmtime_r(&t, &tm))
		return STR_NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = strftime(out, MOST, f, &tm);          /* bounded, and a format can only ask for parts of tm */
#pragma GCC diagnostic pop
	return (struct str){ out, n };
}

static bool to_unix(struct run *r, struct liquid_value in, int64_t *unix_s)
{
	struct liquid_value n;

	if (in.kind == LIQUID_INT) {
		*unix_s = in.i;
		return true;
	}
	if (in.kind == LIQUID_FLOAT && isfinite(in.d)) {
		*unix_s = liquid_value_int(in);
		return true;
	}
	if (!value_is_text(in) || !in.text.n)
		return false;
	if (str_eq_ci(in.text, STR("now")) || str_eq_ci(in.text, STR("today"))) {
		*unix_s = (r->env->now_us ? r->env->now_us : clock_wall_us()) / 1000000;
		return true;
	}
	if (ascii_is_digit(in.text.p[0]) && value_parse_number(in.text, &n) && n.kind == LIQUID_INT) {
		*unix_s = n.i;
		return true;
	}
	return date_parse(str_trim(in.text), unix_s);
}

gh_rc filter_date(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct str format = STR(""), text;
	int64_t unix_s;

	*out = in;
	if (a->n)
		TRY(arg_text(r, a->v[0], &format));
	if (in.kind == LIQUID_NIL || !format.n)
		return GH_RC_OK;
	if (r->t->options.dialect == LIQUID_DOTLIQUID) {
		if (r->env->date && r->env->date(r->env->date_ctx, r->a, in, format, &text))
			*out = liquid_of_text(text);
		return GH_RC_OK;
	}
	if (!to_unix(r, in, &unix_s))
		return GH_RC_OK;
	text = date_text(r->a, unix_s, format);
	if (str_is_null(text))
		NO_MEMORY(r->err);
	*out = liquid_of_text(text);
	return GH_RC_OK;
}

/* ---- default ------------------------------------------------------------------------------------------------------- */

static GH_RC f_default(struct run *r UNUSED, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	bool keep_false = a->has_named && value_truthy(a->named) && in.kind == LIQUID_BOOL;
	bool use = in.kind == LIQUID_EMPTY || value_is_empty(in) || (!value_truthy(in) && !keep_false);

	*out = !use ? in : a->n ? a->v[0] : liquid_of_text(STR(""));
	return GH_RC_OK;
}

/* ---- addresses ----------------------------------------------------------------------------------------------------- */

static GH_RC give_buf(struct run *r, struct buf *b, struct liquid_value *out)
{
	struct str s = buf_ok(b) ? arena_dup(r->a, buf_view(b)) : STR_NULL;

	buf_release(b);
	if (str_is_null(s))
		NO_MEMORY(r->err);
	*out = liquid_of_text(s);
	return GH_RC_OK;
}

/* Standard Liquid writes forms, so a blank is "+"; in pages and .NET it is "%20", which is right in paths too. */
static GH_RC f_url_encode(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	bool plus = !r->t->options.html && r->t->options.dialect == LIQUID_STANDARD;
	struct str s;
	struct buf b;

	TRY(arg_text(r, in, &s));
	buf_init(&b, text_room(r->a));
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x80 && (isalnum(c) || strchr("-_.~", c)) && c)
			buf_char(&b, (char)c);
		else if (c == ' ' && plus)
			buf_char(&b, '+');
		else
			buf_fmt(&b, "%%%02X", c);
	}
	return give_buf(r, &b, out);
}

static int hex(char c)
{
	return ascii_is_digit(c) ? c - '0' : ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f' ? ascii_lower(c) - 'a' + 10 : -1;
}

static GH_RC f_url_decode(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	bool plus = r->t->options.dialect == LIQUID_STANDARD;
	struct str s;
	struct buf b;

	TRY(arg_text(r, in, &s));
	buf_init(&b, text_room(r->a));
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
			buf_char(&b, (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
			i += 2;
		} else {
			buf_char(&b, s.p[i] == '+' && plus ? ' ' : s.p[i]);
		}
	}
	return give_buf(r, &b, out);
}

/* An address that a page may link to: relative, or one of the harmless schemes. Anything else would be a script. */
static GH_RC f_url(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	static const struct str schemes[] = { STR_INIT("http:"), STR_INIT("https:"), STR_INIT("mailto:") };
	struct str s;
	size_t n = 0;
	bool ok;

	TRY(arg_text(r, in, &s));
	while (n < s.n && !strchr(":/?#", s.p[n]))
		n++;
	ok = n == s.n || s.p[n] != ':';
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		ok |= str_starts_ci(s, schemes[i]);
	for (size_t i = 0; i < s.n; i++)
		ok &= (unsigned char)s.p[i] > ' ';
	*out = liquid_of_text(ok ? s : STR("#"));
	return GH_RC_OK;
}

static GH_RC f_raw(struct run *r UNUSED, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	*out = in;
	return GH_RC_OK;
}

/* ---- Base64 -------------------------------------------------------------------------------------------------------- */

static const char base64_alphabet[2][65] = { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
					     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" };

static GH_RC base64_out(struct run *r, struct liquid_value in, bool url, struct liquid_value *out)
{
	const char *alphabet = base64_alphabet[url];
	struct str s;
	struct buf b;

	TRY(arg_text(r, in, &s));
	buf_init(&b, text_room(r->a));
	for (size_t i = 0; i < s.n; i += 3) {
		uint32_t v = 0;
		char four[4] = "====";

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (i + k < s.n ? (unsigned char)s.p[i + k] : 0);
		for (size_t k = 0; k < 4 && i + k <= s.n; k++)
			four[k] = alphabet[v >> (18 - 6 * k) & 63];
		buf_add(&b, four, 4);
	}
	return give_buf(r, &b, out);
}

static GH_RC base64_in(struct run *r, struct liquid_value in, const struct args *a, bool url, struct liquid_value *out)
{
	const char *alphabet = base64_alphabet[url];
	unsigned bits = 0;
	uint32_t v = 0;
	struct str s;
	struct buf b;

	TRY(arg_text(r, in, &s));
	while (s.n && s.p[s.n - 1] == '=')
		s.n--;
	buf_init(&b, text_room(r->a));
	for (size_t i = 0; i < s.n; i++) {
		const char *at = s.p[i] ? strchr(alphabet, s.p[i]) : NULL;

		if (!at || s.n % 4 == 1) {
			buf_release(&b);
			FAIL_RUN(r, a->at, "this is not Base64");
		}
		v = v << 6 | (uint32_t)(at - alphabet);
		bits += 6;
		if (bits >= 8)
			buf_char(&b, (char)(v >> (bits -= 8) & 0xFF));
	}
	return give_buf(r, &b, out);
}

static GH_RC f_base64_encode(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	return base64_out(r, in, false, out);
}

static GH_RC f_base64_decode(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return base64_in(r, in, a, false, out);
}

static GH_RC f_base64_url_encode(struct run *r, struct liquid_value in, const struct args *a UNUSED,
				 struct liquid_value *out)
{
	return base64_out(r, in, true, out);
}

static GH_RC f_base64_url_decode(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return base64_in(r, in, a, true, out);
}

enum { EVERYWHERE = FILTER_STANDARD | FILTER_DOTLIQUID };

const struct filter filters_misc[] = {
	{ "base64_decode", f_base64_decode, 0, 0, FILTER_STANDARD, NULL },
	{ "base64_encode", f_base64_encode, 0, 0, FILTER_STANDARD, NULL },
	{ "base64_url_safe_decode", f_base64_url_decode, 0, 0, FILTER_STANDARD, NULL },
	{ "base64_url_safe_encode", f_base64_url_encode, 0, 0, FILTER_STANDARD, NULL },
	{ "date", filter_date, 1, 1, EVERYWHERE, NULL },
	{ "default", f_default, 0, 1, EVERYWHERE, "allow_false" },
	{ "raw", f_raw, 0, 0, FILTER_HTML, NULL },
	{ "url", f_url, 0, 0, FILTER_HTML, NULL },
	{ "url_decode", f_url_decode, 0, 0, EVERYWHERE, NULL },
	{ "url_encode", f_url_encode, 0, 0, EVERYWHERE, NULL },
	{ NULL, NULL, 0, 0, 0, NULL },
};
