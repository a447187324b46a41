/* What of the audit trail fits a filter. */
#include "tests/unit/db/fixture.h"

#include "db/audit.h"
#include "core/str.h"

static void filters(void **state)
{
	static const struct {
		const char *actor, *action, *kind, *id;
	} entries[] = {
		{ "user:Ann@example.com", "update", "api", "orders" },      { "user:bob@example.com", "update", "api", "Orders_2" },
		{ "cli:root", "delete", "product", "100%" },                { "cli:root", "update", "product", "back\\slash" },
		{ "token:ci", "update", "subscription", "ordersX2" },
	};
	static const struct {
		struct store_audit_filter f;
		const char *fit;             /* their places in `entries`, the newest first */
	} rows[] = {
		{ { .limit = 10 }, "43210" },
		{ { .actor = STR_INIT("ANN@"), .limit = 10 }, "0" },
		{ { .actor = STR_INIT(".com"), .limit = 10 }, "10" },
		{ { .actor = STR_INIT("nobody"), .limit = 10 }, "" },
		{ { .actor = STR_INIT("%"), .limit = 10 }, "" },
		{ { .id = STR_INIT("ORDERS"), .limit = 10 }, "410" },
		{ { .id = STR_INIT("s_2"), .limit = 10 }, "1" },
		{ { .id = STR_INIT("0%"), .limit = 10 }, "2" },
		{ { .id = STR_INIT("\\"), .limit = 10 }, "3" },
		{ { .id = STR_INIT("orders"), .actor = STR_INIT("bob"), .kind = STR_INIT("api"), .action = STR_INIT("update"), .limit = 10 }, "1" },
		{ { .kind = STR_INIT("product"), .limit = 10 }, "32" },
		{ { .kind = STR_INIT("prod"), .limit = 10 }, "" },
		{ { .action = STR_INIT("update"), .limit = 2 }, "43" },
		{ { .before_seq = 3, .limit = 10 }, "10" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		CHECK_OK(f, store_tx_begin(f->s, str_of(entries[i].actor), &f->err));
		CHECK_OK(f, store_audit_note(f->s, str_of(entries[i].action), str_of(entries[i].kind), str_of(entries[i].id), STR_NULL, &f->err));
		CHECK_OK(f, store_tx_commit(f->s, &f->err));
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_audit_entry *v = NULL;
		char fit[ARRAY_LEN(entries) + 1] = "";
		size_t n = 0;

		CHECK_OK(f, store_audit_find(f->s, f->a, &rows[i].f, &v, &n, &f->err));
		for (size_t k = 0; k < n; k++)
			fit[k] = (char)('0' + v[k].seq - 1);
		CHECK_STR(arena_printf(f->a, "row %zu", i).p, str_of(fit), str_of(rows[i].fit));
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { store_test(filters) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
