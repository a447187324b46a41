#include "policy/net/base64.h"

#include "core/str.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct str base64_text(struct arena *a, struct str b)
{
	char *out = b.n < SIZE_MAX / 2 ? arena_alloc_text(a, b.n / 3 * 4 + 5) : NULL;
	size_t n = 0;

	if (!out)
		return STR_NULL;
	for (size_t i = 0; i < b.n; i += 3) {
		size_t left = b.n - i;
		uint32_t u = (uint32_t)(uint8_t)b.p[i] << 16;

		if (left > 1)
			u |= (uint32_t)(uint8_t)b.p[i + 1] << 8;
		if (left > 2)
			u |= (uint8_t)b.p[i + 2];
		out[n++] = alphabet[u >> 18];
		out[n++] = alphabet[u >> 12 & 63];
		out[n++] = left > 1 ? alphabet[u >> 6 & 63] : '=';
		out[n++] = left > 2 ? alphabet[u & 63] : '=';
	}
	out[n] = '\0';
	return (struct str){ out, n };
}

static int value_of_char(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_is_digit(c))
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	return c == (url ? '_' : '/') ? 63 : -1;
}

static bool decode(struct arena *a, struct str s, bool url, struct str *out)
{
	char *to = arena_alloc_text(a, s.n / 4 * 3 + 4);
	uint32_t u = 0;
	unsigned bits = 0;
	size_t n = 0;

	if (!to)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int v = value_of_char(s.p[i], url);

		if (v < 0)
			return false;
		u = (u << 6 | (uint32_t)v) & 0xFFFFFF;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			to[n++] = (char)(u >> bits);
		}
	}
	to[n] = '\0';
	*out = (struct str){ to, n };
	return bits < 6;
}

bool base64_bytes(struct arena *a, struct str s, struct str *out)
{
	if (s.n % 4)
		return false;
	if (s.n && s.p[s.n - 1] == '=')
		s.n -= s.p[s.n - 2] == '=' ? 2 : 1;
	return decode(a, s, false, out);
}

bool base64url_bytes(struct arena *a, struct str s, struct str *out)
{
	while (s.n && s.p[s.n - 1] == '=')
		s.n--;
	return decode(a, s, true, out);
}
