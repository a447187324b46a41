/* subscription_rotate.c - `gatehouse subscription rotate`: a new key while the old one goes on for a while. */
#include "cli/output.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/subscriptions.h"

static const struct option options[] = {
	{ "key", OPTION_TEXT, "primary|secondary|both", "which one (primary)", false },
	{ "overlap", OPTION_TEXT, "DURATION", "how long the old key stays good: 90s, 30m, 24h, 7d (0)", false },
	{ "secondary", OPTION_FLAG, NULL, "as --key secondary", false },
	{ "keep-old", OPTION_INT, "SECONDS", "as --overlap, in seconds", false },
	OPTION_END,
};

struct rotated {
	struct str id, key, primary, secondary;
	int64_t old_ends_us;
};

static gh_rc overlap_of(struct cli *c, int64_t *seconds, struct gh_err *err)
{
	const char *text = option_text(&c->options, "overlap");

	*seconds = option_int(&c->options, "keep-old", 0);
	if (!text)
		return GH_RC_OK;
	if (option_int(&c->options, "keep-old", -1) >= 0)
		return cli_usage(c, err, "give --overlap or --keep-old, not both");
	if (!clock_parse_duration(str_of(text), seconds))
		return cli_usage(c, err, "--overlap takes a duration such as 90s, 30m, 24h or 7d, not '%.40s'", text);
	return GH_RC_OK;
}

static gh_rc replace(struct cli *c, struct store *s, const char *which, int64_t overlap_s, struct rotated *out, struct gh_err *err)
{
	if (strcmp(which, "secondary") != 0)
		TRY(store_key_replace(s, c->arena, out->id, STORE_KEY_PRIMARY, STR_NULL, overlap_s, &out->primary, err));
	if (strcmp(which, "primary") != 0)
		TRY(store_key_replace(s, c->arena, out->id, STORE_KEY_SECONDARY, STR_NULL, overlap_s, &out->secondary, err));
	return GH_RC_OK;
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	static const struct column one[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct rotated, id), NULL },
		{ "NEW KEY", "key", COLUMN_TEXT, offsetof(struct rotated, key), NULL },
		{ "OLD KEY ENDS", "oldEnds", COLUMN_TIME, offsetof(struct rotated, old_ends_us), NULL },
	};
	static const struct column both[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct rotated, id), NULL },
		{ "PRIMARY KEY", "primaryKey", COLUMN_TEXT, offsetof(struct rotated, primary), NULL },
		{ "SECONDARY KEY", "secondaryKey", COLUMN_TEXT, offsetof(struct rotated, secondary), NULL },
		{ "OLD KEYS END", "oldEnds", COLUMN_TIME, offsetof(struct rotated, old_ends_us), NULL },
	};
	const char *which = option_text_or(&c->options, "key", option_flag(&c->options, "secondary") ? "secondary" : "primary");
	struct rotated out = { .id = str_of(c->options.args[0]) };
	struct store_subscription sub;
	int64_t overlap_s = 0;
	struct store *s;
	bool found;

	TRY(overlap_of(c, &overlap_s, err));
	TRY(cli_store(c, true, &s, err));
	TRY(store_subscription_find(s, c->arena, out.id, &sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no subscription '%.*s'", STR_ARG(str_first(out.id, 200)));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	TRY(store_tx_end(s, replace(c, s, which, overlap_s, &out, err), err));
	out.key = out.primary.p ? out.primary : out.secondary;
	out.old_ends_us = clock_wall_us() + overlap_s * 1000000;
	if (strcmp(which, "both") == 0)
		output_row(c, both, ARRAY_LEN(both), &out, false);
	else
		output_row(c, one, ARRAY_LEN(one), &out, false);
	return GH_RC_OK;
}

const struct command command_subscription_rotate = {
	.name = "subscription rotate", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "put a new key in place of one, or of both, and print it",
	.help = "The old key is refused on every worker from the end of the overlap on.", .options = options, .run = run,
};
