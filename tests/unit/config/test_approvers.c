/* Who is told that a subscription waits: whoever may decide on it, where it belongs. */
#include "tests/unit/db/fixture.h"

#include "config/rights.h"
#include "db/apis.h"
#include "db/environments.h"
#include "db/roles.h"
#include "db/subscriptions.h"
#include "db/users.h"

static struct str add(struct fixture *f, const char *id, const char *account_role, const char *role, const char *environment)
{
	struct store_user u = { .id = str_of(id), .email = arena_printf(f->a, "%s@example.com", id), .role = str_of(account_role),
				.state = STORE_USER_ACTIVE };
	struct store_assignment v = { .id = str_of(id), .role = str_of(role), .environment_id = environment ? str_of(environment) : STR_NULL };

	CHANGE(f, store_user_create(f->s, f->a, &u, &v.user_id, &f->err));
	if (role[0])
		CHANGE(f, store_assignment_create(f->s, &v, &f->err));
	return v.user_id;
}

static void where_it_belongs(void **state)
{
	struct fixture *f = *state;
	struct store_user *v;
	struct str got = STR(""), user;
	size_t n;

	CHANGE(f, store_environment_create(f->s, &(struct store_environment){ .id = STR("sandbox"), .name = STR("Sandbox"), .path_prefix = STR("sandbox"), .kind = STR("sandbox"), .business_group_id = STR("default") }, &f->err));
	CHANGE(f, store_role_create(f->s, &(struct store_role){ .id = STR("gate"), .name = STR("Gate"), .description = STR(""),
								.permissions = STR("view-subscriptions manage-subscriptions") }, &f->err));
	CHANGE(f, store_api_create(f->s, &(struct store_api){ .id = STR("orders"), .name = STR("Orders"), .path = STR("orders"),
							      .environment_id = STR("sandbox") }, &f->err));
	add(f, "admin", "administrator", "", NULL);
	add(f, "auditor", "auditor", "", NULL);
	add(f, "here", "developer", "approver", "sandbox");
	add(f, "elsewhere", "developer", "approver", "default");
	add(f, "own", "developer", "gate", "sandbox");
	add(f, "reader", "developer", "analyst", "sandbox");
	add(f, "all", "developer", "approver", NULL);
	user = add(f, "nobody", "developer", "", NULL);
	CHANGE(f, store_subscription_create(f->s, f->a, &(struct store_subscription){ .id = STR("s"), .name = STR(""), .scope = STORE_SCOPE_API,
					    .api_id = STR("orders"), .user_id = user, .state = STORE_SUB_SUBMITTED }, NULL, NULL, NULL, &f->err));
	CHECK_OK(f, rights_approvers(f->s, f->a, STR("s"), &v, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		got = arena_printf(f->a, "%.*s%s%.*s", STR_ARG(got), i ? " " : "", STR_ARG(v[i].id));
	CHECK_STR("those who may decide there", got, STR("admin all here own"));
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(where_it_belongs, fixture_setup, fixture_teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
