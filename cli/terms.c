/* terms.c - `gatehouse terms …`: the terms of use that people agree to when they make an account. */
#include "cli/resource.h"
#include "core/file.h"
#include "core/str.h"
#include "db/environments.h"

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct str text;

	TRY(file_read(c->arena, c->options.args[0], STORE_TEXT_MAX, &text, err));
	if (!utf8_valid(text) || !str_trim(text).n)
		FAIL(err, INVALID, "%s: the terms are no UTF-8 text", c->options.args[0]);
	return cli_replace(c, "terms", STR("portal"), jsn_keep(c->arena, json_pack("{s:s%}", "text", text.p, text.n)), err);
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
	return cli_replace(c, "terms", STR("portal"), jsn_keep(c->arena, json_pack("{s:n}", "text")), err);
}

const struct command command_terms_unset = { .name = "terms unset", .summary = "take the terms of use away", .run = unset };
