#include "core/ip.h"

#include "core/str.h"

#include <arpa/inet.h>
#include <stdlib.h>

static const uint8_t ipv4_prefix[12] = { [10] = 0xFF, [11] = 0xFF };

bool ip_parse(struct str s, struct ip *out)
{
	char text[64];
	struct in_addr v4;

	s = str_trim(s);
	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = str_first(str_from(s, 1), s.n - 2);
	if (!s.n || s.n >= sizeof(text) || memchr(s.p, 0, s.n))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1) {
		memcpy(out->b, ipv4_prefix, sizeof(ipv4_prefix));
		memcpy(out->b + 12, &v4, 4);
		return true;
	}
	return inet_pton(AF_INET6, text, out->b) == 1;
}

bool ip_parse_network(struct str s, struct ip_range *out)
{
	size_t slash = str_find_char(s, '/');
	uint64_t bits = 128;

	if (!ip_parse(str_first(s, slash), &out->from))
		return false;
	if (slash != SIZE_MAX) {
		bool v4 = str_find_char(s, ':') == SIZE_MAX;

		if (!str_to_u64(str_trim(str_from(s, slash + 1)), v4 ? 32 : 128, &bits))
			return false;
		bits += v4 ? 96 : 0;
	}
	out->to = out->from;
	for (unsigned i = (unsigned)bits; i < 128; i++) {
		out->from.b[i / 8] &= (uint8_t)~(0x80u >> i % 8);
		out->to.b[i / 8] |= (uint8_t)(0x80u >> i % 8);
	}
	return true;
}

bool ip_within(const struct ip *a, const struct ip_range *r)
{
	return memcmp(a->b, r->from.b, 16) >= 0 && memcmp(a->b, r->to.b, 16) <= 0;
}

struct str ip_text(const struct ip *a, char out[IP_TEXT_MAX])
{
	bool v4 = memcmp(a->b, ipv4_prefix, sizeof(ipv4_prefix)) == 0;

	if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->b + 12 : a->b, out, IP_TEXT_MAX))
		out[0] = '\0';
	return str_of(out);
}

const char *ip_kind(const struct ip *a)
{
	static const struct {
		uint8_t bytes[4], bits;              /* of IPv4; else of the first four bytes of IPv6 */
		bool v4;
		const char *name;
	} rows[] = {
		{ { 127 }, 8, true, "loopback" },          { { 10 }, 8, true, "private" },   { { 172, 16 }, 12, true, "private" },
		{ { 192, 168 }, 16, true, "private" },     { { 169, 254 }, 16, true, "link_local" },
		{ { 100, 64 }, 10, true, "shared" },       { { 0xFC }, 7, false, "private" },
		{ { 0xFE, 0x80 }, 10, false, "link_local" },
	};
	static const uint8_t loopback[16] = { [15] = 1 };
	bool v4 = memcmp(a->b, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
	const uint8_t *b = v4 ? a->b + 12 : a->b;

	if (memcmp(a->b, loopback, sizeof(loopback)) == 0)
		return "loopback";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned differs = 0;

		for (unsigned k = 0; k < rows[i].bits; k++)
			differs |= (unsigned)(b[k / 8] ^ rows[i].bytes[k / 8]) & 0x80u >> k % 8;
		if (rows[i].v4 == v4 && !differs)
			return rows[i].name;
	}
	return v4 ? "public_ipv4" : "public_ipv6";
}

/* ---- sets ------------------------------------------------------------------------------------------------------------- */

static bool separates(char c)
{
	return c == ',' || ascii_is_space(c);
}

/* The next word off *rest; false at the end. */
static bool word(struct str *rest, struct str *out)
{
	size_t n = 0;

	while (rest->n && separates(rest->p[0]))
		*rest = str_from(*rest, 1);
	while (n < rest->n && !separates(rest->p[n]))
		n++;
	*out = str_first(*rest, n);
	*rest = str_from(*rest, n);
	return n > 0;
}

static int by_start(const void *a, const void *b)
{
	return memcmp(((const struct ip_range *)a)->from.b, ((const struct ip_range *)b)->from.b, 16);
}

/* What overlaps becomes one, so that a search needs to look at one place only. */
static void merge(struct ip_set *s)
{
	size_t kept = 0;

	qsort(s->v, s->n, sizeof(*s->v), by_start);
	for (size_t i = 0; i < s->n; i++) {
		struct ip_range *last = kept ? &s->v[kept - 1] : NULL;

		if (!last || memcmp(s->v[i].from.b, last->to.b, 16) > 0)
			s->v[kept++] = s->v[i];
		else if (memcmp(s->v[i].to.b, last->to.b, 16) > 0)
			last->to = s->v[i].to;
	}
	s->n = kept;
}

GH_RC ip_set_parse(struct arena *a, struct str text, struct ip_set *out, struct gh_err *err)
{
	struct str rest = text, one;
	size_t n = 0;

	*out = (struct ip_set){ 0 };
	while (word(&rest, &one))
		n++;
	if (n > IP_SET_MAX)
		FAIL(err, LIMIT, "a list of networks has at most %d", IP_SET_MAX);
	out->v = arena_alloc(a, n + 1, sizeof(*out->v));
	if (!out->v)
		FAIL(err, NOMEM, "%zu networks", n);
	for (rest = text; word(&rest, &one); out->n++)
		if (!ip_parse_network(one, &out->v[out->n]))
			FAIL(err, INVALID, "'%.*s' is no IP address or network such as 10.0.0.0/8 or 2001:db8::/32",
			     STR_ARG(str_first(one, 80)));
	merge(out);
	return GH_RC_OK;
}

const struct ip_range *ip_set_find(const struct ip_set *s, const struct ip *a)
{
	size_t low = 0, high = s->n;

	while (low < high) {                 /* the first that begins behind the address */
		size_t mid = low + (high - low) / 2;

		if (memcmp(s->v[mid].from.b, a->b, 16) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low && ip_within(a, &s->v[low - 1]) ? &s->v[low - 1] : NULL;
}
