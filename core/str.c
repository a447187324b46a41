#include "core/str.h"

/* Eight letters at once: field names are compared some dozens of times a call. In each byte below 0x80, adding (0x80 - 'A')
 * sets the top bit from 'A' on, adding (0x7f - 'Z') from past 'Z' on; where the two differ stands an upper-case letter. */
static uint64_t lower8(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101, top = 0x8080808080808080;
	uint64_t low = x & ~top;
	uint64_t upper = ((low + (0x80 - 'A') * ones) ^ (low + (0x7f - 'Z') * ones)) & ~x & top;

	return x | upper >> 2;
}

static uint64_t load8(const char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

static bool same8(const char *a, const char *b)
{
	uint64_t x = load8(a), y = load8(b);

	return x == y || lower8(x) == lower8(y);     /* most that are the same name are written the same way, too */
}

bool bytes_eq_ci(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	if (n && (a[0] ^ b[0]) & ~0x20)          /* most that are as long begin with another letter */
		return false;
	for (; i + 8 <= n; i += 8)
		if (!same8(a + i, b + i))
			return false;
	if (i && i < n)                          /* the last eight bytes, some of them once more */
		return same8(a + n - 8, b + n - 8);
	for (; i < n; i++)
		if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

int str_cmp_ci(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)ascii_lower(a.p[i]);
		unsigned char y = (unsigned char)ascii_lower(b.p[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_first(s, prefix.n), prefix);
}

bool str_starts_ci(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq_ci(str_first(s, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

size_t str_find(struct str s, struct str part)
{
	const char *at;

	if (part.n == 0)
		return 0;
	if (part.n > s.n)
		return SIZE_MAX;
	at = memmem(s.p, s.n, part.p, part.n);
	return at ? (size_t)(at - s.p) : SIZE_MAX;
}

size_t str_find_char(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : SIZE_MAX;
}

size_t str_rfind_char(struct str s, char c)
{
	const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : SIZE_MAX;
}

struct str str_trim(struct str s)
{
	while (s.n && ascii_is_space(s.p[0]))
		s.p++, s.n--;
	while (s.n && ascii_is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

uint64_t str_hash(struct str s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	return h;
}

uint64_t str_hash_ci(struct str s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)ascii_lower(s.p[i])) * 1099511628211u;
	return h;
}

static bool parts_words(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

bool str_word(struct str *rest, struct str *word)
{
	size_t from = 0, to;

	while (from < rest->n && parts_words(rest->p[from]))
		from++;
	for (to = from; to < rest->n && !parts_words(rest->p[to]);)
		to++;
	*word = str_first(str_from(*rest, from), to - from);
	*rest = str_from(*rest, to);
	return word->n > 0;
}

bool str_split(struct str *rest, char sep, struct str *part)
{
	size_t at;

	if (!rest->p)
		return false;
	at = str_find_char(*rest, sep);
	if (at == SIZE_MAX) {
		*part = *rest;
		*rest = STR_NULL;
	} else {
		*part = str_first(*rest, at);
		*rest = str_from(*rest, at + 1);
	}
	return true;
}

bool str_to_u64(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i]))
			return false;
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

bool str_to_i64(struct str s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = s.n && s.p[0] == '-';
	uint64_t u;
	int64_t v;

	if (!str_to_u64(negative ? str_from(s, 1) : s, (uint64_t)INT64_MAX + negative, &u))
		return false;
	v = negative ? (int64_t)(0 - u) : (int64_t)u;
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}

unsigned utf8_decode(struct str s, uint32_t *cp)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c;
	unsigned n;
	uint32_t v;

	if (s.n == 0)
		return 0;
	c = (unsigned char)s.p[0];
	n = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
	if (n == 0 || n > s.n)
		return 0;
	v = n == 1 ? c : c & (0x7Fu >> n);
	for (unsigned i = 1; i < n; i++) {
		if (((unsigned char)s.p[i] & 0xC0) != 0x80)
			return 0;
		v = v << 6 | ((unsigned char)s.p[i] & 0x3Fu);
	}
	if (v < least[n] || v > 0x10FFFF || (v >= 0xD800 && v < 0xE000))
		return 0;
	if (cp)
		*cp = v;
	return n;
}

unsigned utf8_encode(uint32_t cp, char out[4])
{
	if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
		cp = 0xFFFD;
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xE0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

bool utf8_valid(struct str s)
{
	while (s.n) {
		unsigned n = utf8_decode(s, NULL);

		if (!n)
			return false;
		s = str_from(s, n);
	}
	return true;
}

static unsigned digits_of(uint64_t v)
{
	unsigned n = 1;

	for (; v >= 10000; v /= 10000)
		n += 4;
	return n + (v >= 10) + (v >= 100) + (v >= 1000);
}

/* Two digits at a time: numbers stand in many fields of each answer. */
char *str_put_u64(char *to, uint64_t v)
{
	static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
				    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
	char *end = to + digits_of(v), *at = end;

	for (; v >= 100; v /= 100) {
		at -= 2;
		memcpy(at, pairs + 2 * (v % 100), 2);
	}
	if (v >= 10)
		memcpy(at - 2, pairs + 2 * v, 2);
	else
		at[-1] = (char)('0' + v);
	return end;
}
