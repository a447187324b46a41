#include "core/certtext.h"

#include "core/buf.h"
#include "core/str.h"

static const struct str begin_mark = STR_INIT("-----BEGIN CERTIFICATE-----"), end_mark = STR_INIT("-----END CERTIFICATE-----");

enum { LINE = 64 };

static int hex_digit(char c)
{
	return ascii_is_digit(c) ? c - '0' : ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f' ? ascii_lower(c) - 'a' + 10 : -1;
}

/* "+" stays: it is a letter of Base64, and encoders of certificates write it as %2B or leave it. */
static struct str percent_decode(struct arena *a, struct str s)
{
	char *out = arena_alloc_text(a, s.n + 1);
	size_t n = 0;

	if (!out)
		return STR_NULL;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && hex_digit(s.p[i + 1]) >= 0 && hex_digit(s.p[i + 2]) >= 0) {
			out[n++] = (char)(hex_digit(s.p[i + 1]) << 4 | hex_digit(s.p[i + 2]));
			i += 2;
		} else {
			out[n++] = s.p[i];
		}
	}
	return (struct str){ out, n };
}

static bool is_base64(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '+' || c == '/' || c == '=';
}

/* One certificate: its letters in lines, whatever stood between them. False for anything that is no Base64. */
static bool put_certificate(struct buf *b, struct str letters)
{
	size_t on_line = 0, all = 0;

	buf_str(b, begin_mark);
	buf_char(b, '\n');
	for (size_t i = 0; i < letters.n; i++) {
		char c = letters.p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (!is_base64(c))
			return false;
		all++;
		buf_char(b, c);
		if (++on_line == LINE) {
			buf_char(b, '\n');
			on_line = 0;
		}
	}
	if (on_line)
		buf_char(b, '\n');
	buf_str(b, end_mark);
	buf_char(b, '\n');
	return all > 0;
}

/* The certificates of a text with PEM marks, written anew. */
static bool put_pem(struct buf *b, struct str s)
{
	size_t n = 0, at, end;

	while (n < CERTTEXT_CHAIN_MAX && (at = str_find(s, begin_mark)) != SIZE_MAX) {
		s = str_from(s, at + begin_mark.n);
		end = str_find(s, end_mark);
		if (end == SIZE_MAX || !put_certificate(b, str_first(s, end)))
			return false;
		s = str_from(s, end + end_mark.n);
		n++;
	}
	return n > 0;
}

/* The value of a key in the last element of an X-Forwarded-Client-Cert. */
static struct str forwarded_value(struct str s, struct str key)
{
	struct str found = STR_NULL;
	bool at_start = true;

	for (size_t i = 0; i < s.n; i++) {
		size_t from = i + key.n + 2, to;

		if (s.p[i] == ',') {             /* the next proxy's element */
			found = STR_NULL;
			at_start = true;
		} else if (at_start && from <= s.n && str_eq_ci(str_first(str_from(s, i), key.n), key)
			   && s.p[i + key.n] == '=' && s.p[i + key.n + 1] == '"') {
			to = str_find_char(str_from(s, from), '"');
			if (to == SIZE_MAX)
				return STR_NULL;
			found = str_first(str_from(s, from), to);
			i = from + to;
			at_start = false;
		} else if (s.p[i] == '"') {
			to = str_find_char(str_from(s, i + 1), '"');
			if (to == SIZE_MAX)
				return STR_NULL;
			i += to + 1;
		} else {
			at_start = s.p[i] == ';' || (at_start && s.p[i] == ' ');
		}
	}
	return found;
}

static struct str pick(struct arena *a, struct str s)
{
	struct str chain = forwarded_value(s, STR("Chain")), cert = forwarded_value(s, STR("Cert"));

	if (chain.n || cert.n)
		s = chain.n ? chain : cert;
	return str_find_char(s, '%') == SIZE_MAX ? s : percent_decode(a, s);
}

struct str certtext_pem(struct arena *a, struct str s)
{
	struct buf b;
	bool ok;

	s = str_trim(s);
	if (!s.n || s.n > CERTTEXT_MAX)
		return STR_NULL;
	if (str_starts(s, begin_mark) && s.n > begin_mark.n && s.p[begin_mark.n] == '\n' && str_find_char(s, '\t') == SIZE_MAX)
		return s;
	if (s.n > 2 && s.p[0] == ':' && s.p[s.n - 1] == ':')
		s = str_first(str_from(s, 1), s.n - 2);
	s = pick(a, s);
	if (str_is_null(s))
		return STR_NULL;
	buf_init(&b, 2 * CERTTEXT_MAX);
	ok = str_find(s, begin_mark) == SIZE_MAX ? put_certificate(&b, s) : put_pem(&b, s);
	s = ok && buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return s;
}
