#include "tests/unit/check.h"

#include "core/client.h"

static void addresses(void **state UNUSED)
{
	static const struct { const char *label, *text, *want; } rows[] = {
		{ "IPv4", "192.0.2.1", "192.0.2.1" },
		{ "blanks around it", " 192.0.2.1 ", "192.0.2.1" },
		{ "IPv6", "2001:DB8:0:0::1", "2001:db8::1" },
		{ "brackets", "[2001:db8::1]", "2001:db8::1" },
		{ "IPv4 in IPv6", "::ffff:192.0.2.1", "192.0.2.1" },
		{ "a port", "192.0.2.1:80", NULL },
		{ "octal is no address", "0192.0.2.1", NULL },
		{ "three parts", "192.0.2", NULL },
		{ "a name", "localhost", NULL },
		{ "a zone", "fe80::1%eth0", NULL },
		{ "nothing", "", NULL },
		{ "much", "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111:2222:3333:4444", NULL },
	};
	char text[IP_TEXT_MAX];
	struct ip a;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool good = ip_parse(str_of(rows[i].text), &a);

		CHECK(rows[i].label, good == (rows[i].want != NULL));
		if (good && rows[i].want)
			CHECK_STR(rows[i].label, ip_text(&a, text), str_of(rows[i].want));
	}
	static const char *const kinds[][2] = {
		{ "127.0.0.1", "loopback" }, { "127.255.0.1", "loopback" }, { "::1", "loopback" }, { "10.0.0.1", "private" },
		{ "172.16.0.1", "private" }, { "172.31.255.255", "private" }, { "172.32.0.1", "public_ipv4" }, { "192.168.3.4", "private" },
		{ "169.254.1.1", "link_local" }, { "100.64.0.1", "shared" }, { "100.128.0.1", "public_ipv4" }, { "8.8.8.8", "public_ipv4" },
		{ "fd00::1", "private" }, { "fe80::1", "link_local" }, { "2001:db8::1", "public_ipv6" }, { "::ffff:10.0.0.1", "private" },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		CHECK_STR(kinds[i][0], ip_parse(str_of(kinds[i][0]), &a) ? str_of(ip_kind(&a)) : STR(""), str_of(kinds[i][1]));
	CHECK("a zero byte", !ip_parse((struct str){ "1.2.3.4\0x", 9 }, &a));
	check_done();
}

static void sets(void **state UNUSED)
{
	static const struct { const char *label, *set, *address; bool want; } rows[] = {
		{ "one address", "192.0.2.1", "192.0.2.1", true },
		{ "its neighbour", "192.0.2.1", "192.0.2.2", false },
		{ "first of a network", "10.1.0.0/16", "10.1.0.0", true },
		{ "last of it", "10.1.0.0/16", "10.1.255.255", true },
		{ "one before", "10.1.0.0/16", "10.0.255.255", false },
		{ "one behind", "10.1.0.0/16", "10.2.0.0", false },
		{ "bits behind the length", "10.1.2.3/16", "10.1.9.9", true },
		{ "everything of IPv4", "0.0.0.0/0", "255.255.255.255", true },
		{ "but not of IPv6", "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0 is everything", "::/0", "192.0.2.1", true },
		{ "IPv6", "2001:db8::/32", "2001:db8:ffff::1", true },
		{ "not IPv6", "2001:db8::/32", "2001:db9::1", false },
		{ "an odd length", "2001:db8::/33", "2001:db8:8000::", false },
		{ "in IPv6 clothes", "10.0.0.0/8", "::ffff:10.9.9.9", true },
		{ "networks in networks", "10.0.0.0/8,10.1.0.0/16 10.200.0.0/16", "10.250.0.1", true },
		{ "many, in no order", "192.168.0.0/16\n10.0.0.0/8, 172.16.0.0/12", "172.31.0.1", true },
		{ "between them", "192.168.0.0/16\n10.0.0.0/8, 172.16.0.0/12", "172.32.0.1", false },
		{ "a tab and brackets", "192.0.2.1, 2001:db8::/32\t[::1]", "::1", true },
		{ "none", "", "10.0.0.1", false },
	};
	static const char *const bad[] = { "10.0.0.0/33", "10.0.0.0/", "2001:db8::/129", "10.0.0.0/8x", "localhost", "/8", "10.0.0.0/-1" };
	struct arena *a = arena_new(1 << 20);
	struct ip address;
	struct ip_set set;
	struct gh_err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].label, ip_set_parse(a, str_of(rows[i].set), &set, &err).code, GH_OK);
		CHECK(rows[i].label, ip_parse(str_of(rows[i].address), &address));
		CHECK(rows[i].label, (ip_set_find(&set, &address) != NULL) == rows[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK_INT(bad[i], ip_set_parse(a, str_of(bad[i]), &set, &err).code, GH_E_INVALID);
	arena_free(a);
	check_done();
}

/* Trusted: 10.0.0.0/8 and 2001:db8:f::/48. */
static void walk(void **state UNUSED)
{
	static const struct { const char *label; bool forwarded; const char *peer, *hops, *proto, *want, *kept, *scheme; } rows[] = {
		{ "no proxy", false, "203.0.113.9", "", "", "203.0.113.9", "", "" },
		{ "no proxy is believed nothing", false, "203.0.113.9", "198.51.100.1", "https", "203.0.113.9", "198.51.100.1", "" },
		{ "one proxy", false, "10.0.0.1", "203.0.113.9", "https", "203.0.113.9", "", "https" },
		{ "a tale of the caller", false, "10.0.0.1", "127.0.0.1, 203.0.113.9", "", "203.0.113.9", "127.0.0.1,", "" },
		{ "a tale of trusted addresses", false, "10.0.0.1", "10.0.0.7, 203.0.113.9", "", "203.0.113.9", "10.0.0.7,", "" },
		{ "two proxies", false, "10.0.0.1", "203.0.113.9, 10.0.0.2", "", "203.0.113.9", "", "" },
		{ "two proxies and a tale", false, "10.0.0.1", "1.1.1.1,203.0.113.9,10.0.0.2", "", "203.0.113.9", "1.1.1.1,", "" },
		{ "a proxy that says nothing", false, "10.0.0.1", "", "", "10.0.0.1", "", "" },
		{ "what is no address ends the walk", false, "10.0.0.1", "203.0.113.9, unknown", "", "10.0.0.1", "203.0.113.9, unknown", "" },
		{ "and at the proxy that wrote it", false, "10.0.0.1", "203.0.113.9, x, 10.0.0.2", "", "10.0.0.2", "203.0.113.9, x,", "" },
		{ "all are trusted", false, "10.0.0.1", "10.0.0.3, 10.0.0.2", "", "10.0.0.3", "", "" },
		{ "IPv6", false, "2001:db8:f::1", "2001:db8:1::9", "", "2001:db8:1::9", "", "" },
		{ "a port", false, "10.0.0.1", "203.0.113.9:4711", "", "203.0.113.9", "", "" },
		{ "brackets and port", false, "10.0.0.1", "[2001:db8:1::9]:4711", "", "2001:db8:1::9", "", "" },
		{ "IPv6 without brackets has no port", false, "10.0.0.1", "2001:db8:1::9", "", "2001:db8:1::9", "", "" },
		{ "empty entries", false, "10.0.0.1", "203.0.113.9,, ,", "", "203.0.113.9", "", "" },
		{ "the last scheme", false, "10.0.0.1", "203.0.113.9", "https, http", "203.0.113.9", "", "http" },
		{ "an odd scheme", false, "10.0.0.1", "203.0.113.9", "gopher", "203.0.113.9", "", "" },
		{ "a quote means nothing here", false, "10.0.0.1", "\"a, 203.0.113.9", "", "203.0.113.9", "\"a,", "" },
		{ "the peer in IPv6 clothes", false, "::ffff:10.0.0.1", "203.0.113.9", "", "203.0.113.9", "", "" },
		{ "a peer that is no address", false, "unix:", "203.0.113.9", "https", "", "203.0.113.9", "" },

		{ "Forwarded", true, "10.0.0.1", "for=203.0.113.9;proto=https", "http", "203.0.113.9", "", "https" },
		{ "quoted IPv6 with a port", true, "10.0.0.1", "For=\"[2001:db8:1::9]:4711\"", "", "2001:db8:1::9", "", "" },
		{ "a tale in Forwarded", true, "10.0.0.1", "for=127.0.0.1;proto=https, for=203.0.113.9", "", "203.0.113.9",
		  "for=127.0.0.1;proto=https,", "" },
		{ "a comma in quotes", true, "10.0.0.1", "for=203.0.113.9;host=\"a,for=1.1.1.1\"", "", "203.0.113.9", "", "" },
		{ "a backslash in quotes", true, "10.0.0.1", "for=203.0.113.9;host=\"a\\\",for=1.1.1.1\"", "", "203.0.113.9", "", "" },
		{ "a quote that never ends hides all behind it", true, "10.0.0.1", "for=203.0.113.9;host=\"a, for=1.1.1.1", "", "203.0.113.9", "", "" },
		{ "hidden by the proxy", true, "10.0.0.1", "for=_hidden;proto=https", "", "10.0.0.1", "for=_hidden;proto=https", "https" },
		{ "an entry without for", true, "10.0.0.1", "for=203.0.113.9, proto=https", "", "10.0.0.1", "for=203.0.113.9, proto=https", "https" },
		{ "for twice", true, "10.0.0.1", "for=203.0.113.9;for=1.1.1.1", "", "10.0.0.1", "for=203.0.113.9;for=1.1.1.1", "" },
		{ "the scheme of the caller's own hop", true, "10.0.0.1", "for=203.0.113.9;proto=https, for=10.0.0.2;proto=http", "",
		  "203.0.113.9", "", "https" },
	};
	struct arena *a = arena_new(1 << 20);
	struct client_trust trust = { 0 };
	struct gh_err err;

	CHECK_INT("set", ip_set_parse(a, STR("10.0.0.0/8 2001:db8:f::/48"), &trust.proxies, &err).code, GH_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str hops = str_of(rows[i].hops);
		char text[IP_TEXT_MAX];
		struct client_found c;

		trust.forwarded = rows[i].forwarded;
		client_find(&trust, str_of(rows[i].peer), hops, str_of(rows[i].proto), &c);
		CHECK_STR(rows[i].label, c.known ? ip_text(&c.address, text) : STR(""), str_of(rows[i].want));
		CHECK_STR(rows[i].label, str_first(hops, c.kept), str_of(rows[i].kept));
		CHECK_STR(rows[i].label, c.scheme.p ? c.scheme : STR(""), str_of(rows[i].scheme));
	}
	arena_free(a);
	check_done();
}

static void long_chains(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct client_trust trust = { 0 };
	char text[8192] = "203.0.113.9", shown[IP_TEXT_MAX];
	struct client_found c;
	size_t n = strlen(text);

	assert_int_equal(ip_set_parse(a, STR("10.0.0.0/8"), &trust.proxies, NULL).code, GH_OK);
	for (int i = 0; i < CLIENT_HOPS_MAX - 1; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ", 10.0.0.%d", i);
	client_find(&trust, STR("10.0.0.1"), (struct str){ text, n }, STR(""), &c);
	CHECK_STR("as long as may be", ip_text(&c.address, shown), STR("203.0.113.9"));
	n += (size_t)snprintf(text + n, sizeof(text) - n, ", 10.1.1.1");
	client_find(&trust, STR("10.0.0.1"), (struct str){ text, n }, STR(""), &c);
	CHECK_STR("one more: the oldest that is looked at", ip_text(&c.address, shown), STR("10.0.0.0"));
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(sets),
		cmocka_unit_test(walk),
		cmocka_unit_test(long_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
