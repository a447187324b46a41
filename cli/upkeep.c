/* upkeep.c - `gatehouse backup`, `restore`, `migrate`, `audit`, `version`. */
#include "cli/output.h"
#include "core/str.h"
#include "core/version.h"
#include "db/audit.h"

#include <errno.h>
#include <unistd.h>

static const struct option backup_options[] = {
	{ "telemetry", OPTION_FLAG, NULL, "copy the recorded traffic as well, into FILE.telemetry", false },
	{ "force", OPTION_FLAG, NULL, "replace a file that is there", false },
	OPTION_END,
};

static gh_rc backup(struct cli *c, struct gh_err *err)
{
	const char *file = c->options.args[0];
	struct store *s;

	if (!option_flag(&c->options, "force") && access(file, F_OK) == 0)
		FAIL(err, CONFLICT, "%s is there already; --force replaces it", file);
	TRY(cli_store(c, false, &s, err));
	return store_backup(s, file, option_flag(&c->options, "telemetry"), err);
}

const struct command command_backup = {
	.name = "backup", .args = "FILE", .least_args = 1, .most_args = 1,
	.summary = "copy the configuration into one file while everything runs on",
	.help = "Secrets stand in the copy sealed with the master key. Keep the master key as well, and keep it apart.",
	.options = backup_options, .run = backup,
};

static gh_rc restore(struct cli *c, struct gh_err *err)
{
	const char *file = c->options.args[0];

	if (access(file, R_OK) < 0)
		FAIL(err, NOT_FOUND, "%s: %s", file, strerror(errno));
	return store_restore(c->state_dir, file, err);
}

const struct command command_restore = {
	.name = "restore", .args = "FILE", .least_args = 1, .most_args = 1,
	.summary = "put a backup in place of the configuration",
	.help = "What was there is kept as DIR/config.db.before-restore. Gateways take the restored configuration at once;\n"
		"everybody who is signed in signs in again.",
	.run = restore,
};

struct versions {
	int64_t config_before, config, telemetry_before, telemetry;
};

static gh_rc migrate_store(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "Configuration, schema before", "configBefore", COLUMN_INT, offsetof(struct versions, config_before), NULL },
		{ "Configuration, schema now", "config", COLUMN_INT, offsetof(struct versions, config), NULL },
		{ "Telemetry, schema before", "telemetryBefore", COLUMN_INT, offsetof(struct versions, telemetry_before), NULL },
		{ "Telemetry, schema now", "telemetry", COLUMN_INT, offsetof(struct versions, telemetry), NULL },
	};
	struct store_versions before, now;
	struct versions shown;
	struct store *s;
	bool found;

	TRY(store_versions(c->state_dir, &before, &found, err));
	if (!found && !before.config)
		FAIL(err, UNAVAILABLE, "there is no store in %s; make one with: gatehouse init --admin EMAIL", c->state_dir);
	TRY(store_open(&s, c->state_dir, STORE_CREATE, err));
	store_free(s);
	TRY(store_versions(c->state_dir, &now, &found, err));
	shown = (struct versions){ before.config, now.config, before.telemetry, now.telemetry };
	output_row(c, columns, ARRAY_LEN(columns), &shown, false);
	return GH_RC_OK;
}

const struct command command_migrate = {
	.name = "migrate", .summary = "bring the store up to this version's schema, keeping a copy of the old one",
	.run = migrate_store,
};

static const struct option audit_options[] = {
	{ "search", OPTION_TEXT, "TEXT", "only entries whose actor, action, kind or id contains it", false },
	{ "limit", OPTION_INT, "N", "at most so many, newest first (50)", false },
	OPTION_END,
};

static gh_rc audit(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ENTRY", "entry", COLUMN_INT, offsetof(struct store_audit_entry, seq), NULL },
		{ "TIME", "time", COLUMN_TIME, offsetof(struct store_audit_entry, at_us), NULL },
		{ "ACTOR", "actor", COLUMN_TEXT, offsetof(struct store_audit_entry, actor), NULL },
		{ "ACTION", "action", COLUMN_TEXT, offsetof(struct store_audit_entry, action), NULL },
		{ "KIND", "kind", COLUMN_TEXT, offsetof(struct store_audit_entry, kind), NULL },
		{ "ID", "id", COLUMN_TEXT, offsetof(struct store_audit_entry, id), NULL },
		{ "DETAIL", "detail", COLUMN_TEXT, offsetof(struct store_audit_entry, detail), NULL },
	};
	struct store_page page = { .search = str_of(option_text(&c->options, "search")),
				   .limit = (size_t)option_int(&c->options, "limit", STORE_PAGE_DEFAULT) };
	struct store_audit_entry *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_audit_list(s, c->arena, &page, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_audit = {
	.name = "audit", .summary = "show who changed what", .options = audit_options, .run = audit,
};

static gh_rc version(struct cli *c, struct gh_err *err UNUSED)
{
	static const struct column columns[] = { { "gatehouse", "version", COLUMN_TEXT, 0, NULL } };
	struct str number = STR(GATEHOUSE_VERSION);

	output_row(c, columns, 1, &number, false);
	return GH_RC_OK;
}

const struct command command_version = {
	.name = "version", .summary = "print the version", .run = version,
};
