/* Addresses. Properties: parts are parts of the input and put together give it again; what uri_check_path lets through
 * holds, once decoded, no slash that was not written, no dot segment, no control byte; encoding and decoding are inverse; a
 * parameter that was removed is not found any more and the others are. */
#include "core/uri.h"

#include <stdlib.h>
#include <string.h>

#define MUST(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(struct str s)
{
	struct uri u;
	size_t n;

	if (!uri_parse(s, &u))
		return;
	n = u.path.n + (u.query.p ? u.query.n + 1 : 0) + (u.fragment.p ? u.fragment.n + 1 : 0)
	    + (u.scheme.p ? u.scheme.n + 1 : 0) + (u.host.p ? u.host.n + 2 : 0) + (u.userinfo.p ? u.userinfo.n + 1 : 0);
	MUST(n <= s.n && s.n - n <= (u.host.p ? 20u : 0u));      /* what is left is ":port", perhaps with zeros */
	MUST(u.port <= 65535);
	MUST(!u.path.n || (u.path.p >= s.p && u.path.p + u.path.n <= s.p + s.n));
	MUST(!u.host.n || !memchr(u.host.p, '/', u.host.n));
}

static void check_path(struct arena *a, struct str s)
{
	struct str decoded;
	size_t slashes = 0, after = 0, start = 0;

	if (uri_check_path(s) != URI_OK)
		return;
	decoded = uri_decode(a, s, false);
	MUST(decoded.p);
	for (size_t i = 0; i < s.n; i++)
		slashes += s.p[i] == '/';
	for (size_t i = 0; i <= decoded.n; i++) {
		struct str segment = { decoded.p + start, i - start };

		if (i < decoded.n && decoded.p[i] != '/') {
			MUST((unsigned char)decoded.p[i] >= 0x20 && decoded.p[i] != 0x7F && decoded.p[i] != '\\');
			continue;
		}
		MUST(!str_eq(segment, STR(".")) && !str_eq(segment, STR("..")) && !str_starts(segment, STR("..;")));
		after += i < decoded.n;
		start = i + 1;
	}
	MUST(slashes == after);
}

static void check_escapes(struct arena *a, struct str s)
{
	for (int keep = URI_KEEP_UNRESERVED; keep <= URI_KEEP_QUERY; keep++) {
		struct str encoded = uri_encode(a, s, (enum uri_set)keep);

		MUST(encoded.p && str_eq(uri_decode(a, encoded, false), s));
		MUST(uri_check_query(uri_encode(a, s, URI_KEEP_UNRESERVED)) != URI_BAD_ESCAPE);
	}
}

static size_t parameters(struct str query)
{
	struct str name, value;
	size_t n = 0;

	while (uri_query_next(&query, &name, &value))
		n++;
	return n;
}

static void check_query(struct arena *a, struct str s)
{
	struct str rest = s, name, value, found, without;
	size_t same = 0;

	if (!uri_query_next(&rest, &name, &value))
		return;
	name = uri_decode(a, name, false);
	MUST(name.p && uri_query_find(s, name, &found) && str_eq(found, value));
	MUST(uri_query_remove(a, s, name, &without));
	MUST(!uri_query_find(without, name, &found));
	for (struct str key, r = s; uri_query_next(&r, &key, &value);)
		same += uri_eq_decoded_ci(key, name);
	MUST(parameters(without) + same == parameters(s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = { (const char *)data, size };
	struct arena *a;

	if (size > 4096 || !(a = arena_new(1 << 20)))
		return 0;
	check_parts(s);
	check_path(a, s);
	check_escapes(a, s);
	check_query(a, s);
	arena_free(a);
	return 0;
}
