/* token.c - `gatehouse token …`: the tokens that the workers hold for backends. Their values are never shown. */
#include "cli/output.h"
#include "cli/token_cache.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/str.h"
#include "db/audit.h"
#include "db/store.h"

static const struct option purge_options[] = {
	{ "credential", OPTION_TEXT, "ID", "only the tokens of this credential", false },
	{ "environment", OPTION_TEXT, "ENV", "only of this environment", false },
	OPTION_END,
};

GH_RC token_cache_open(struct cli *c, struct tokens **out, struct gh_err *err)
{
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	char path[PATHS_MAX];
	bool found;
	gh_rc rc;

	*out = NULL;
	TRY(paths_join(path, c->state_dir, "tokens", err));
	TRY(paths_master_key(c->state_dir, key, &found, err));
	if (!found)
		FAIL(err, UNAVAILABLE, "there is no master key, so the token cache cannot be opened");
	rc = tokens_open(out, path, 0, key, err);
	crypto_wipe(key, sizeof(key));
	return rc.code == GH_E_NOT_FOUND ? GH_RC_OK : rc;
}

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ENVIRONMENT", "environment", COLUMN_TEXT, offsetof(struct tokens_row, environment), NULL },
		{ "CREDENTIAL", "credential", COLUMN_TEXT, offsetof(struct tokens_row, credential), NULL },
		{ "CALLER", "caller", COLUMN_TEXT, offsetof(struct tokens_row, subject), NULL },
		{ "LIVE", "live", COLUMN_BOOL, offsetof(struct tokens_row, live), NULL },
		{ "ISSUED", "issued", COLUMN_TIME, offsetof(struct tokens_row, issued_us), NULL },
		{ "EXPIRES", "expires", COLUMN_TIME, offsetof(struct tokens_row, expires_us), NULL },
		{ "LAST USED", "lastUsed", COLUMN_TIME, offsetof(struct tokens_row, used_us), NULL },
		{ "USES", "uses", COLUMN_INT, offsetof(struct tokens_row, uses), NULL },
		{ "REQUESTS", "requests", COLUMN_INT, offsetof(struct tokens_row, requests), NULL },
		{ "FAILURE", "failure", COLUMN_TEXT, offsetof(struct tokens_row, failure), NULL },
	};
	struct tokens_row *rows = NULL;
	struct tokens *t;
	size_t n = 0;
	gh_rc rc = GH_RC_OK;

	TRY(token_cache_open(c, &t, err));
	if (t)
		rc = tokens_list(t, c->arena, clock_wall_us(), &rows, &n, err);
	tokens_close(t);
	if (!rc.code)
		output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return rc;
}

const struct command command_token_list = {
	.name = "token list", .summary = "list the tokens that are held for backends, without their values",
	.help = "CALLER tells tokens on behalf of callers apart: the beginning of a digest of the caller's token.", .run = list,
};

static gh_rc purge(struct cli *c, struct gh_err *err)
{
	struct str credential = str_of(option_text(&c->options, "credential")), env = str_of(option_text(&c->options, "environment"));
	struct tokens *t;
	struct store *s;
	size_t n = 0;

	TRY(cli_store(c, true, &s, err));
	TRY(token_cache_open(c, &t, err));
	if (t)
		n = tokens_purge(t, env, credential);
	tokens_close(t);
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	TRY(store_tx_end(s, store_audit_note(s, STR("purge"), STR("token"), credential.p ? credential : STR("*"), STR_NULL, err), err));
	if (c->json)
		buf_fmt(&c->out, "{\"purged\":%zu}\n", n);
	else
		buf_fmt(&c->out, "%zu token%s forgotten\n", n, n == 1 ? "" : "s");
	return GH_RC_OK;
}

const struct command command_token_purge = {
	.name = "token purge", .summary = "forget tokens; the next call asks for new ones", .options = purge_options, .run = purge,
};
