/* Addresses of a Redis, and the slots of keys. */
#include "tests/unit/check.h"

#include "core/redis.h"
#include "core/redis_address.h"

static void addresses(void **state UNUSED)
{
	static const struct {
		struct str url;
		const char *problem;             /* part of the message; NULL: it is good */
		enum redis_kind kind;
		bool tls;
		struct str user, hosts, path, master;
		uint64_t database;
	} rows[] = {
		{ STR_INIT("redis://localhost"), NULL, REDIS_ONE, false, { 0 }, STR_INIT("localhost"), { 0 }, { 0 }, 0 },
		{ STR_INIT("rediss://gate%40x@r.example:6380/12"), NULL, REDIS_ONE, true, STR_INIT("gate@x"), STR_INIT("r.example:6380"), { 0 }, { 0 }, 12 },
		{ STR_INIT("redis://[::1]:7000"), NULL, REDIS_ONE, false, { 0 }, STR_INIT("[::1]:7000"), { 0 }, { 0 }, 0 },
		{ STR_INIT("redis+unix:///run/redis.sock"), NULL, REDIS_ONE, false, { 0 }, { 0 }, STR_INIT("/run/redis.sock"), { 0 }, 0 },
		{ STR_INIT("redis+sentinel://a,b:1/main/2"), NULL, REDIS_SENTINEL, false, { 0 }, STR_INIT("a,b:1"), { 0 }, STR_INIT("main"), 2 },
		{ STR_INIT("rediss+sentinel://a/main"), NULL, REDIS_SENTINEL, true, { 0 }, STR_INIT("a"), { 0 }, STR_INIT("main"), 0 },
		{ STR_INIT("redis+cluster://a:1,b:2"), NULL, REDIS_CLUSTER, false, { 0 }, STR_INIT("a:1,b:2"), { 0 }, { 0 }, 0 },
		{ .url = STR_INIT("http://a"), .problem = "is no address" },
		{ .url = STR_INIT("localhost:6379"), .problem = "is no address" },
		{ .url = STR_INIT("redis://u:p@a"), .problem = "redis.password_file" },
		{ .url = STR_INIT("redis://"), .problem = "names no host" },
		{ .url = STR_INIT("redis://a:0"), .problem = "host:port" },
		{ .url = STR_INIT("redis://a:70000"), .problem = "host:port" },
		{ .url = STR_INIT("redis://a b"), .problem = "host:port" },
		{ .url = STR_INIT("redis://a,b"), .problem = "several hosts" },
		{ .url = STR_INIT("redis://a/x"), .problem = "number of a database" },
		{ .url = STR_INIT("redis+sentinel://a"), .problem = "name of the master" },
		{ .url = STR_INIT("redis+cluster://a/1"), .problem = "no databases" },
		{ .url = STR_INIT("redis+unix://x"), .problem = "whole path" },
	};
	struct arena *a = arena_new(65536);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct redis_address at;
		struct gh_err err = { 0 };
		gh_rc rc = redis_address_read(&at, a, rows[i].url, &err);

		if (rows[i].problem ? !rc.code || !strstr(err.message, rows[i].problem)
				    : rc.code || at.kind != rows[i].kind || at.tls != rows[i].tls || !str_eq(at.user, rows[i].user)
					      || !str_eq(at.hosts, rows[i].hosts) || !str_eq(at.path, rows[i].path)
					      || !str_eq(at.master, rows[i].master) || at.database != rows[i].database)
			fail_msg("%.*s: %s", STR_ARG(rows[i].url), err.message);
	}
	arena_free(a);
}

/* The examples of the specification of the Cluster, and what redis-server itself says (CLUSTER KEYSLOT). */
static void slots(void **state UNUSED)
{
	static const struct {
		struct str key;
		unsigned slot;
	} rows[] = {
		{ STR_INIT("123456789"), 0x31C3 },	 { STR_INIT("foo"), 12182 },	     { STR_INIT("foo{hash_tag}"), 2515 },
		{ STR_INIT("{hash_tag}:b:60"), 2515 },	 { STR_INIT("foo{}{bar}"), 8363 },   { STR_INIT("foo{{bar}}zap"), 4015 },
		{ STR_INIT("foo{bar}{zap}"), 5061 },	 { STR_INIT(""), 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (redis_slot(rows[i].key) != rows[i].slot)
			fail_msg("%.*s: %u", STR_ARG(rows[i].key), redis_slot(rows[i].key));
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(addresses), cmocka_unit_test(slots) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
