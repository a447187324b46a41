/* invite.c - `gatehouse user invite`: a link with which somebody makes an account of a given role and groups. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/str.h"
#include "db/accounts.h"
#include "db/mail.h"
#include "db/notices.h"
#include "db/users.h"

enum { DAY_S = 86400 };

struct printed {
	struct str email, link;
	int64_t ends_us;
};

static const struct option options[] = {
	{ "role", OPTION_TEXT, "administrator|operator|publisher|auditor|developer", "what the user may do", true },
	{ "first-name", OPTION_TEXT, "NAME", "first name", false },
	{ "last-name", OPTION_TEXT, "NAME", "last name", false },
	{ "group", OPTION_MANY, "ID", "make the user a member", false },
	{ "portal", OPTION_TEXT, "URL", "address of the portal, where web.public_url is not set", false },
	OPTION_END,
};

static gh_rc link_data(struct cli *c, struct str *out, struct gh_err *err)
{
	json_t *data = jsn_keep(c->arena, json_pack("{s:s, s:s, s:s, s:[]}", "role", option_text(&c->options, "role"), "first",
						   option_text_or(&c->options, "first-name", ""), "last",
						   option_text_or(&c->options, "last-name", ""), "groups"));
	const char *group;

	if (!data)
		FAIL(err, INVALID, "a name is no UTF-8 text");
	for (size_t i = 0; (group = option_nth(&c->options, "group", i)); i++)
		json_array_append_new(jsn_arr(data, "groups"), json_string(group));
	*out = jsn_text(c->arena, data, 0);
	return GH_RC_OK;
}

/* The account that will come of it must be one that could be made now: the same checks as of `user create`, of a call and of a file. */
static gh_rc check_account(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "role", "role", DOC_TEXT }, { "first-name", "firstName", DOC_TEXT }, { "last-name", "lastName", DOC_TEXT },
						    { "group", "groups", DOC_LIST }, DOC_END };
	json_t *doc = cli_document(c, fields);

	if (doc)
		json_object_set_new(doc, "email", json_string(c->options.args[0]));
	return cli_try(c, "user", STR_NULL, doc, err);
}

/* "https://apis.example/" with the portal's base path. */
static gh_rc portal_address(struct cli *c, const struct config *config, struct str *out, struct gh_err *err)
{
	struct str url = str_of(option_text(&c->options, "portal"));

	*out = url.p ? store_site_address(c->arena, url, STR("")) : store_site_of(c->arena, config).portal;
	if (!out->n)
		FAIL(err, INVALID, "set web.public_url in gatehouse.conf, or name the portal's address with --portal");
	return GH_RC_OK;
}

static gh_rc invite_in(struct cli *c, struct store *s, struct store_link *link, struct str portal, int64_t days,
		       struct str *address, struct gh_err *err)
{
	const char *name = option_text_or(&c->options, "first-name", c->options.args[0]);
	json_t *data = jsn_keep(c->arena, json_pack("{s:s, s:s, s:I}", "name", name, "inviter", "The administrator", "days", (json_int_t)days));
	struct str token;

	if (!data)
		FAIL(err, NOMEM, "mail");
	TRY(store_links_drop(s, "invitation", link->email, err));
	TRY(store_link_create(s, c->arena, link, &token, err));
	*address = arena_printf(c->arena, "%.*slink/%.*s", STR_ARG(portal), STR_ARG(token));
	json_object_set_new(data, "link", json_stringn(address->p, address->n));
	return store_mail_add(s, link->email, "invitation", data, err);
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "EMAIL", "email", COLUMN_TEXT, offsetof(struct printed, email), NULL },
		{ "LINK", "link", COLUMN_TEXT, offsetof(struct printed, link), NULL },
		{ "ENDS", "ends", COLUMN_TIME, offsetof(struct printed, ends_us), NULL },
	};
	struct store_link link = { .kind = STR("invitation"), .email = str_of(c->options.args[0]) };
	struct printed p = { .email = link.email };
	struct config config;
	char conf[PATHS_MAX];
	struct str portal;
	struct store *s;
	int64_t seconds;

	TRY(paths_join(conf, c->state_dir, "gatehouse.conf", err));
	TRY(config_load(&config, c->arena, conf, err));
	TRY(portal_address(c, &config, &portal, err));
	TRY(check_account(c, err));
	TRY(cli_store(c, true, &s, err));
	seconds = config_int(&config, CONFIG_WEB_INVITATION_S);
	link.ends_us = p.ends_us = clock_wall_us() + seconds * 1000000;
	TRY(link_data(c, &link.data, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	TRY(store_tx_end(s, invite_in(c, s, &link, portal, (seconds + DAY_S - 1) / DAY_S, &p.link, err), err));
	output_row(c, columns, ARRAY_LEN(columns), &p, false);
	return GH_RC_OK;
}

const struct command command_user_invite = {
	.name = "user invite", .args = "EMAIL", .least_args = 1, .most_args = 1,
	.summary = "send somebody a link to make an account, and print it", .options = options, .run = run,
};
