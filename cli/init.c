/* init.c - `gatehouse init`: a state directory with its master key, its store and one administrator. What it began it
 * removes again when it fails, so that it can be run again. */
#include "cli/output.h"
#include "cli/password.h"
#include "core/file.h"
#include "core/str.h"
#include "db/products.h"
#include "db/users.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ID_MAX = 512 };

static const struct option options[] = {
	{ "admin", OPTION_TEXT, "EMAIL", "e-mail address that the administrator signs in with", true },
	{ "admin-id", OPTION_TEXT, "ID", "id of that person, where files of another installation have it; without it one is made", false },
	{ "password-file", OPTION_TEXT, "FILE", "its first line is the password; without it one is made and printed", false },
	OPTION_END,
};

static bool exists(struct cli *c, const char *name)
{
	char path[PATHS_MAX];

	return !paths_join(path, c->state_dir, name, NULL).code && access(path, F_OK) == 0;
}

static gh_rc add_administrator(struct cli *c, struct store *s, struct str password, struct gh_err *err)
{
	struct store_user user = { .id = str_of(option_text(&c->options, "admin-id")), .email = str_of(option_text(&c->options, "admin")), .role = STR("administrator"),
				   .state = STORE_USER_ACTIVE };
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	struct str id;
	gh_rc rc;

	if (user.id.n)
		TRY(store_check_id("user", user.id, err));
	if (user.id.n > ID_MAX || !utf8_valid(user.id))          /* no document could name it (config/change.c) */
		FAIL(err, INVALID, "--admin-id: an id has 1 to %d characters of UTF-8", ID_MAX);
	TRY(crypto_password_hash(password, hash, err));
	user.password_hash = str_of(hash);
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_user_create(s, c->arena, &user, &id, err);
	if (!rc.code)
		rc = store_group_add(s, STR("administrators"), id, err);
	if (!rc.code)
		rc = store_group_add(s, STR("developers"), id, err);
	return store_tx_end(s, rc, err);
}

static gh_rc make(struct cli *c, struct str password, struct gh_err *err)
{
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	struct store *s;
	bool found;
	gh_rc rc;

	TRY(paths_master_key(c->state_dir, key, &found, err));
	crypto_wipe(key, sizeof(key));
	if (!found)
		TRY(paths_master_key_create(c->state_dir, err));
	TRY(store_open(&s, c->state_dir, STORE_CREATE, err));
	rc = add_administrator(c, s, password, err);
	store_free(s);
	return rc;
}

static void remove_what_was_made(struct cli *c, bool key_was_there)
{
	static const char *const files[] = { "config.db", "config.db-wal", "config.db-shm", "telemetry.db", "telemetry.db-wal",
					     "telemetry.db-shm", "generation", "master.key" };
	char path[PATHS_MAX];

	for (size_t i = 0; i < ARRAY_LEN(files) - (key_was_there ? 1 : 0); i++)
		if (!paths_join(path, c->state_dir, files[i], NULL).code)
			unlink(path);
}

struct made {
	struct str state, administrator, password;
};

static gh_rc run(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "State directory", "state", COLUMN_TEXT, offsetof(struct made, state), NULL },
		{ "Administrator", "administrator", COLUMN_TEXT, offsetof(struct made, administrator), NULL },
		{ "Password", "password", COLUMN_TEXT, offsetof(struct made, password), NULL },
	};
	struct made made = { .state = str_of(c->state_dir), .administrator = str_of(option_text(&c->options, "admin")) };
	bool key_was_there, generated;
	struct str password;
	gh_rc rc;

	if (exists(c, "config.db") || exists(c, "telemetry.db"))
		FAIL(err, CONFLICT, "there is a store in %s already", c->state_dir);
	TRY(cli_password(c, option_text(&c->options, "password-file"), &password, &generated, err));
	TRY(file_make_dirs(c->state_dir, 0700, err));
	key_was_there = exists(c, "master.key");
	rc = make(c, password, err);
	if (rc.code) {
		remove_what_was_made(c, key_was_there);
		return rc;
	}
	if (generated)
		made.password = password;
	output_row(c, columns, ARRAY_LEN(columns) - (generated ? 0 : 1), &made, false);
	if (generated && !c->json)
		buf_cstr(&c->out, "\nThe password is not kept and will not be shown again.\n");
	return GH_RC_OK;
}

const struct command command_init = {
	.name = "init",
	.summary = "make the state directory, the master key, the store and an administrator",
	.help = "The master key (DIR/master.key, or GATEHOUSE_MASTER_KEY when it is set) opens every secret in the store.\n"
		"Keep a copy of it apart from the backups.",
	.options = options,
	.run = run,
};
