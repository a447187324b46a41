/* terms.c - `gatehouse terms …`: the terms of use that people agree to when they make an account. */
#include "cli/output.h"
#include "core/file.h"
#include "core/str.h"
#include "db/environments.h"

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct str text;
	struct store *s;

	TRY(file_read(c->arena, c->options.args[0], STORE_TEXT_MAX, &text, err));
	if (!utf8_valid(text) || memchr(text.p, 0, text.n) || !str_trim(text).n)
		FAIL(err, INVALID, "%s: the terms are no UTF-8 text", c->options.args[0]);
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_setting_set(s, STR("portal.terms"), text, err), err);
}

const struct command command_terms_set = {
	.name = "terms set", .args = "FILE", .least_args = 1, .most_args = 1,
	.summary = "set the terms of use (Markdown); everybody is asked to agree at the next page", .run = set,
};

static gh_rc show(struct cli *c, struct gh_err *err)
{
	struct str text;
	struct store *s;
	bool found;

	TRY(cli_store(c, false, &s, err));
	TRY(store_setting_get(s, c->arena, STR("portal.terms"), &text, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there are no terms of use");
	buf_str(&c->out, text);
	return GH_RC_OK;
}

const struct command command_terms_show = { .name = "terms show", .summary = "print the terms of use", .run = show };

static gh_rc unset(struct cli *c, struct gh_err *err)
{
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_setting_unset(s, STR("portal.terms"), err), err);
}

const struct command command_terms_unset = { .name = "terms unset", .summary = "take the terms of use away", .run = unset };
