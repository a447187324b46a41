/* second_factor.c - `gatehouse user reset-second-factor`: for somebody who has lost both the phone and the recovery codes. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/str.h"
#include "db/accounts.h"
#include "db/users.h"

static gh_rc run(struct cli *c, struct gh_err *err)
{
	struct str email = str_of(c->options.args[0]);
	struct store_user user;
	struct store *s;
	gh_rc rc;

	TRY(cli_store(c, true, &s, err));
	TRY(cli_find_user(c, s, email.p, &user, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_tx_end(s, store_factor_delete(s, user.id, err), err);
	if (rc.code == GH_E_NOT_FOUND)
		FAIL(err, NOT_FOUND, "'%.*s' has no second factor", STR_ARG(str_first(email, 200)));
	return rc;
}

const struct command command_user_reset_second_factor = {
	.name = "user reset-second-factor", .args = "EMAIL", .least_args = 1, .most_args = 1,
	.summary = "switch off two-step sign-in for somebody who has lost phone and recovery codes", .run = run,
};
