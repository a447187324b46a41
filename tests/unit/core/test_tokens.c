/* The token cache: one who asks, what is read and what is not, damage, other processes, replacing. */
#include "tests/unit/check.h"

#include "core/tokens.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint8_t master[CRYPTO_KEY_BYTES] = { 7 };
static const int64_t S = 1000000, NOW = INT64_C(1800000000) * 1000000;
static char path[64];

static int setup(void **state)
{
	strcpy(path, "/tmp/test-tokens-XXXXXX");
	close(mkstemp(path));
	unlink(path);
	*state = NULL;
	return 0;
}

static int teardown(void **state UNUSED)
{
	unlink(path);
	return 0;
}

static struct tokens *opened(size_t entries)
{
	struct tokens *t = NULL;
	struct gh_err err = { 0 };

	if (tokens_open(&t, path, entries, master, &err).code)
		fprintf(stderr, "# %s\n", err.message);
	assert_non_null(t);
	return t;
}

static struct tokens_id id_of(const char *credential, const char *subject, uint8_t print)
{
	struct tokens_id id = { .environment = STR("default"), .credential = str_of(credential), .subject = str_of(subject), .print = { print } };

	tokens_id_seal(&id);
	return id;
}

static void life(void **state UNUSED)
{
	struct tokens *t = opened(16), *other = opened(16);
	struct tokens_id id = id_of("erp", NULL, 1);
	struct tokens_view v;

	tokens_get(t, &id, NOW, true, &v);
	CHECK_INT("nothing yet", v.state, TOKENS_NONE);
	CHECK("first claim", tokens_claim(t, &id, NOW, 10 * S));
	CHECK("second claim", !tokens_claim(other, &id, NOW, 10 * S));
	tokens_get(other, &id, NOW, true, &v);
	CHECK("somebody asks", v.asking && v.state == TOKENS_NONE);
	CHECK("a claim runs out", tokens_claim(other, &id, NOW + 10 * S, 10 * S));
	assert_int_equal(tokens_store(t, &id, STR("secret-token"), NOW, NOW + 60 * S, NOW + 90 * S, NULL).code, GH_OK);
	CHECK("nobody claims what is fresh", !tokens_claim(other, &id, NOW + 1 * S, 10 * S));
	tokens_get(other, &id, NOW + 59 * S, true, &v);
	CHECK_INT("live", v.state, TOKENS_LIVE);
	CHECK_STR("value", v.value, STR("secret-token"));
	tokens_get(other, &id, NOW + 60 * S, true, &v);
	CHECK_INT("due", v.state, TOKENS_DUE);
	CHECK("due is claimed", tokens_claim(t, &id, NOW + 60 * S, 10 * S) && !tokens_claim(other, &id, NOW + 60 * S, 10 * S));
	tokens_fail(t, &id, STR("answered 500"), NOW + 65 * S);
	tokens_get(other, &id, NOW + 61 * S, true, &v);
	CHECK("goes on after a failure", v.state == TOKENS_DUE && v.failures == 1 && !v.asking && v.retry_us == NOW + 65 * S);
	CHECK_STR("failure", v.failure, STR("answered 500"));
	CHECK("not before its time", !tokens_claim(other, &id, NOW + 64 * S, 10 * S));
	CHECK("then", tokens_claim(other, &id, NOW + 65 * S, 10 * S));
	tokens_get(t, &id, NOW + 90 * S, true, &v);
	CHECK_INT("expired", v.state, TOKENS_NONE);
	struct arena *a = arena_new(1 << 20);
	CHECK_STR("the last one, for its refresh token", tokens_last(t, &id, a), STR("secret-token"));
	struct tokens_row *rows;
	size_t n;
	assert_int_equal(tokens_list(t, a, NOW, &rows, &n, NULL).code, GH_OK);
	CHECK_INT("rows", n, 1);
	CHECK_INT("uses", rows[0].uses, 3);
	CHECK_INT("requests", rows[0].requests, 1);
	CHECK_INT("last used", rows[0].used_us, NOW + 61 * S);
	arena_free(a);
	tokens_close(t);
	tokens_close(other);
	check_done();
}

static void keys(void **state UNUSED)
{
	static const struct {
		const char *label, *credential, *subject;
		uint8_t print;
	} others[] = { { "another credential", "erq", NULL, 1 }, { "a caller's", "erp", "jwt", 1 }, { "another state", "erp", NULL, 2 } };
	struct tokens *t = opened(64);
	struct tokens_id id = id_of("erp", NULL, 1), a = id_of("erp", "jwt-a", 1), b = id_of("erp", "jwt-b", 1);
	struct tokens_view v;

	assert_int_equal(tokens_store(t, &id, STR("x"), NOW, NOW + S, NOW + 2 * S, NULL).code, GH_OK);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct tokens_id other = id_of(others[i].credential, others[i].subject, others[i].print);

		tokens_get(t, &other, NOW, false, &v);
		CHECK_INT(others[i].label, v.state, TOKENS_NONE);
	}
	assert_int_equal(tokens_store(t, &a, STR("for a"), NOW, NOW + S, NOW + 2 * S, NULL).code, GH_OK);
	assert_int_equal(tokens_store(t, &b, STR("for b"), NOW, NOW + S, NOW + 2 * S, NULL).code, GH_OK);
	tokens_get(t, &a, NOW, false, &v);
	CHECK_STR("a's", v.value, STR("for a"));
	tokens_get(t, &b, NOW, false, &v);
	CHECK_STR("b's", v.value, STR("for b"));
	CHECK_INT("purged", tokens_purge(t, STR_NULL, STR("erp")), 3);
	tokens_get(t, &b, NOW, false, &v);
	CHECK_INT("gone", v.state, TOKENS_NONE);
	tokens_close(t);
	check_done();
}

static void refusals(void **state UNUSED)
{
	struct tokens *t = opened(16);
	struct tokens_id id = id_of("erp", NULL, 1);
	struct tokens_view v;
	uint64_t first;

	assert_int_equal(tokens_store(t, &id, STR("one"), NOW, NOW + 60 * S, NOW + 90 * S, NULL).code, GH_OK);
	tokens_get(t, &id, NOW, true, &v);
	first = v.version;
	CHECK("worth another", tokens_refused(t, &id, first, NOW));
	tokens_get(t, &id, NOW, true, &v);
	CHECK_INT("void", v.state, TOKENS_NONE);
	CHECK("the others of the same token too", tokens_refused(t, &id, first, NOW));
	CHECK("one asks", tokens_claim(t, &id, NOW, S) && !tokens_claim(t, &id, NOW, S));
	assert_int_equal(tokens_store(t, &id, STR("two"), NOW, NOW + 60 * S, NOW + 90 * S, NULL).code, GH_OK);
	CHECK("a late one does not void the new token", tokens_refused(t, &id, first, NOW));
	tokens_get(t, &id, NOW, true, &v);
	CHECK_STR("still there", v.value, STR("two"));
	tokens_replayed(t, &id, false, NOW);
	CHECK("the new one was refused: not again at once", !tokens_refused(t, &id, v.version, NOW));
	CHECK("but a second later", tokens_refused(t, &id, v.version, NOW + S));
	tokens_replayed(t, &id, false, NOW + S);
	assert_int_equal(tokens_store(t, &id, STR("three"), NOW, NOW + 60 * S, NOW + 90 * S, NULL).code, GH_OK);
	tokens_get(t, &id, NOW, true, &v);
	CHECK("and then longer", !tokens_refused(t, &id, v.version, NOW + 2 * S));
	tokens_replayed(t, &id, true, NOW);
	CHECK("until one is accepted", tokens_refused(t, &id, v.version, NOW + 2 * S));
	tokens_close(t);
	check_done();
}

static void bounds(void **state UNUSED)
{
	struct tokens *t = opened(8);
	struct arena *a = arena_new(1 << 20);
	char *big = calloc(1, TOKENS_SLOT_BYTES);
	struct tokens_id id = id_of("erp", NULL, 1);
	struct tokens_row *rows;
	struct tokens_view v;
	size_t n;

	memset(big, 'x', TOKENS_SLOT_BYTES);
	CHECK_INT("too large", tokens_store(t, &id, (struct str){ big, TOKENS_SLOT_BYTES }, NOW, NOW + S, NOW + S, NULL).code, GH_E_LIMIT);
	CHECK_INT("large", tokens_store(t, &id, (struct str){ big, 14000 }, NOW, NOW + S, NOW + S, NULL).code, GH_OK);
	tokens_get(t, &id, NOW, true, &v);
	CHECK_INT("as it was", v.value.n, 14000);
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%d", i);
		id = id_of(name, NULL, 1);
		CHECK(name, tokens_claim(t, &id, NOW + i, S));
		assert_int_equal(tokens_store(t, &id, STR("t"), NOW + i, NOW + S, NOW + 2 * S, NULL).code, GH_OK);
		tokens_get(t, &id, NOW + i, true, &v);
		CHECK_INT(name, v.state, TOKENS_LIVE);
	}
	assert_int_equal(tokens_list(t, a, NOW, &rows, &n, NULL).code, GH_OK);
	CHECK_INT("no more than there is room for", n, 8);
	free(big);
	arena_free(a);
	tokens_close(t);
	check_done();
}

/* 8 processes want one token: one of them asks; killed in the middle, another does. */
static void processes(void **state UNUSED)
{
	int asked[2];
	char byte;
	int n = 0;

	assert_int_equal(pipe(asked), 0);
	tokens_close(opened(16));
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			struct tokens *t = opened(16);
			struct tokens_id id = id_of("erp", NULL, 1);
			struct tokens_view v;

			for (;;) {
				tokens_get(t, &id, NOW, true, &v);
				if (v.state == TOKENS_LIVE)
					_exit(0);
				if (!tokens_claim(t, &id, NOW, 3600 * S))
					continue;
				(void)!write(asked[1], "a", 1);
				if (!v.failures) {       /* the first one notes a failure and dies with a claim of its own */
					tokens_fail(t, &id, STR("x"), 0);
					if (tokens_claim(t, &id, NOW, 3600 * S))
						raise(SIGKILL);
					continue;
				}
				usleep(20000);
				(void)!tokens_store(t, &id, STR("v"), NOW, NOW + S, NOW + S, NULL).code;
				_exit(0);
			}
		}
	for (int i = 0; i < 8; i++)
		wait(NULL);
	close(asked[1]);
	while (read(asked[0], &byte, 1) == 1)
		n++;
	close(asked[0]);
	CHECK("once before the death and once after it", n == 2);
	check_done();
}

static void files(void **state UNUSED)
{
	static const uint8_t another[CRYPTO_KEY_BYTES] = { 8 };
	struct tokens *t, *u = NULL;
	struct tokens_id id = id_of("erp", NULL, 1);
	struct tokens_view v;
	struct stat st;
	char *bytes;
	int fd;

	CHECK_INT("looking where there is none", tokens_open(&u, path, 0, master, NULL).code, GH_E_NOT_FOUND);
	t = opened(16);
	assert_int_equal(tokens_store(t, &id, STR("plain-text-token"), NOW, NOW + S, NOW + S, NULL).code, GH_OK);
	assert_int_equal(stat(path, &st), 0);
	CHECK_INT("for its owner only", st.st_mode & 0777, 0600);
	bytes = malloc((size_t)st.st_size);
	fd = open(path, O_RDONLY);
	CHECK("read", read(fd, bytes, (size_t)st.st_size) == st.st_size);
	CHECK("sealed", memmem(bytes, (size_t)st.st_size, "plain-text-token", 16) == NULL);
	close(fd);
	free(bytes);
	CHECK_INT("looking with another key", tokens_open(&u, path, 0, another, NULL).code, GH_E_NOT_FOUND);
	tokens_close(t);
	t = opened(16);
	tokens_get(t, &id, NOW, true, &v);
	CHECK_STR("survives a restart", v.value, STR("plain-text-token"));
	assert_int_equal(tokens_open(&u, path, 16, another, NULL).code, GH_OK);
	tokens_get(u, &id, NOW, true, &v);
	CHECK_INT("void under another key", v.state, TOKENS_NONE);
	tokens_get(t, &id, NOW, true, &v);
	CHECK_STR("the old one is still mapped", v.value, STR("plain-text-token"));
	tokens_close(t);
	tokens_close(u);
	check_done();
}

/* What goes to other machines and comes back. */
static void outside(void **state UNUSED)
{
	static const uint8_t another[CRYPTO_KEY_BYTES] = { 9 };
	struct tokens *t = opened(16), *u = NULL;
	struct tokens_id id = id_of("erp", NULL, 1), other = id_of("crm", NULL, 1);
	struct arena *a = arena_new(65536);
	struct tokens_outside in = { STR("a token\nof two lines"), 90 * S, 60 * S }, out;
	struct str sealed, name, mark;

	assert_int_equal(tokens_wrap(t, a, &id, &in, &sealed, NULL).code, GH_OK);
	CHECK("sealed", memmem(sealed.p, sealed.n, "token", 5) == NULL);
	CHECK("opens", tokens_unwrap(t, a, &id, sealed, &out) && out.life_us == 90 * S && out.due_us == 60 * S);
	CHECK_STR("as it was", out.value, in.value);
	CHECK("not for another credential", !tokens_unwrap(t, a, &other, sealed, &out));
	CHECK("nor when it was cut", !tokens_unwrap(t, a, &id, str_first(sealed, sealed.n - 1), &out) && !tokens_unwrap(t, a, &id, STR_NULL, &out));
	name = tokens_outside_name(t, a, &id);
	mark = tokens_mark(t, a, in.value);
	CHECK("names", name.n == 32 && mark.n == 32 && !str_eq(name, mark) && !str_eq(name, tokens_outside_name(t, a, &other)));
	CHECK("no mark of nothing", !tokens_mark(t, a, STR_NULL).n);
	CHECK("nothing was forgotten", !tokens_purged_us(t));
	tokens_purge(t, STR_NULL, STR_NULL);
	CHECK("now it was", tokens_purged_us(t) > 0);
	assert_int_equal(tokens_open(&u, path, 16, another, NULL).code, GH_OK);
	CHECK("not under another master key", !tokens_unwrap(u, a, &id, sealed, &out));
	CHECK("which has other names", !str_eq(name, tokens_outside_name(u, a, &id)) && !str_eq(mark, tokens_mark(u, a, in.value)));
	tokens_close(t);
	tokens_close(u);
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(life, setup, teardown), cmocka_unit_test_setup_teardown(keys, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals, setup, teardown), cmocka_unit_test_setup_teardown(bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(processes, setup, teardown), cmocka_unit_test_setup_teardown(files, setup, teardown),
		cmocka_unit_test_setup_teardown(outside, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
