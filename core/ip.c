#include "core/ip.h"

#include "core/str.h"

#include <arpa/inet.h>

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
		memset(out->b, 0, 10);
		out->b[10] = out->b[11] = 0xFF;
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

bool ip_list_parse(struct str s, struct ip_list *out, struct str *bad)
{
	out->n = 0;
	while (s.n) {
		size_t end = 0;

		while (end < s.n && !strchr(", \t", s.p[end]))
			end++;
		*bad = str_first(s, end);
		if (end && (out->n == IP_LIST_MAX || !ip_parse_network(*bad, &out->v[out->n++])))
			return false;
		s = str_from(s, end + (end < s.n));
	}
	return true;
}

bool ip_within(const struct ip *a, const struct ip_range *r)
{
	return memcmp(a->b, r->from.b, 16) >= 0 && memcmp(a->b, r->to.b, 16) <= 0;
}

bool ip_listed(const struct ip_list *l, struct str address)
{
	struct ip a;

	if (!l->n || !ip_parse(address, &a))
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (ip_within(&a, &l->v[i]))
			return true;
	return false;
}
