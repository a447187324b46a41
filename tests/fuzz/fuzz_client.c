/* The caller behind proxies: whatever the fields hold, what is kept of them lies within, and an untrusted peer is itself. */
#include "core/client.h"

#include "core/str.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct client_trust trust;
	static struct arena *a;
	struct str text = { (const char *)data, size }, peers[] = { STR("10.0.0.1"), STR("203.0.113.9") };
	struct ip peer;
	struct client_found c;
	struct ip_set set;

	if (!a) {
		a = arena_new(1 << 24);
		if (!a || ip_set_parse(a, STR("10.0.0.0/8 2001:db8::/32"), &trust.proxies, NULL).code)
			abort();
	}
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		for (int forwarded = 0; forwarded < 2; forwarded++) {
			trust.forwarded = forwarded;
			client_find(&trust, peers[i], text, text, &c);
			if (!c.known || c.kept > size || !ip_parse(peers[i], &peer))
				abort();
			if (i == 1 && (c.behind || memcmp(&peer, &c.address, sizeof(peer)) != 0 || c.scheme.p || c.kept != size))
				abort();
		}
	struct arena *own = arena_new(1 << 22);

	if (own && !ip_set_parse(own, text, &set, NULL).code)
		for (size_t i = 1; i < set.n; i++)
			if (memcmp(set.v[i - 1].to.b, set.v[i].from.b, 16) >= 0)
				abort();
	arena_free(own);
	return 0;
}
