/* tier.c - `gatehouse tier …`: what subscriptions to a product may be limited to, by name. */
#include "cli/limit_option.h"
#include "cli/output.h"
#include "cli/resource.h"
#include "config/limit_list.h"
#include "core/str.h"

#include <string.h>

static const char *const approvals[] = { "auto", "manual", NULL };

struct printed {
	struct store_tier tier;
	struct str limits;
};

static const struct column columns[] = {
	{ "ID", "id", COLUMN_TEXT, offsetof(struct printed, tier.id), NULL },
	{ "PRODUCT", "product", COLUMN_TEXT, offsetof(struct printed, tier.product_id), NULL },
	{ "NAME", "name", COLUMN_TEXT, offsetof(struct printed, tier.name), NULL },
	{ "APPROVAL", "approval", COLUMN_NAME, offsetof(struct printed, tier.approval), approvals },
	{ "DEPRECATED", "deprecated", COLUMN_BOOL, offsetof(struct printed, tier.deprecated), NULL },
	{ "LIMITS", "limits", COLUMN_TEXT, offsetof(struct printed, limits), NULL },
};

static gh_rc with_limits(struct cli *c, struct store *s, const struct store_tier *t, struct printed *out, struct gh_err *err)
{
	struct store_limit *v;
	size_t n;

	TRY(store_tier_limits(s, c->arena, t->id, &v, &n, err));
	*out = (struct printed){ .tier = *t, .limits = limit_text(c->arena, v, n) };
	return GH_RC_OK;
}

/* ---- create -------------------------------------------------------------------------------------------------------------- */

static const struct option create_options[] = {
	{ "product", OPTION_TEXT, "ID", "product whose subscriptions may have it", true },
	{ "name", OPTION_TEXT, "NAME", "name that developers read (the id)", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is for", false },
	{ "approval", OPTION_TEXT, "auto|manual", "whether somebody decides who gets it (auto)", false },
	LIMIT_OPTIONS,
	OPTION_END,
};

static const struct doc_option fields[] = {
	{ "product", "product", DOC_TEXT }, { "name", "name", DOC_TEXT }, { "description", "description", DOC_TEXT }, { "approval", "approval", DOC_TEXT },
	{ "deprecated", "deprecated", DOC_YES }, DOC_END
};

static gh_rc create(struct cli *c, struct gh_err *err)
{
	struct str id = str_of(c->options.args[0]);
	struct store_limit v[STORE_TIER_LIMITS_MAX];
	json_t *doc = cli_document(c, fields);
	struct store_tier t;
	struct printed p;
	struct store *s;
	bool found;
	size_t n;

	TRY(limit_options(c, v, &n, err));
	if (!option_text(&c->options, "name"))
		json_object_set_new(doc, "name", json_stringn(id.p, id.n));
	json_object_set_new(doc, "limits", limit_list(v, n));
	TRY(cli_create(c, "tier", id, doc, NULL, err));
	TRY(cli_store(c, false, &s, err));
	TRY(store_tier_find(s, c->arena, id, &t, &found, err));
	TRY(with_limits(c, s, &t, &p, err));
	output_row(c, columns, ARRAY_LEN(columns), &p, false);
	return GH_RC_OK;
}

const struct command command_tier_create = {
	.name = "tier create", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "make a tier: limits that a subscription to a product may have", .options = create_options, .run = create,
	.help = "All its limits hold at once. They hold besides those of the product's policy document.\n" LIMIT_ALGORITHMS_HELP,
};

/* ---- set ------------------------------------------------------------------------------------------------------------------ */

static const struct option set_options[] = {
	{ "name", OPTION_TEXT, "NAME", "name that developers read", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is for", false },
	{ "approval", OPTION_TEXT, "auto|manual", "whether somebody decides who gets it; auto grants what waits", false },
	{ "deprecated", OPTION_TEXT, "yes|no", "whether it takes no new subscription", false },
	LIMIT_OPTIONS,
	{ "no-limits", OPTION_FLAG, NULL, "take its limits away", false },
	OPTION_END,
};

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct store_limit v[STORE_TIER_LIMITS_MAX];
	json_t *doc = cli_document(c, fields);
	size_t n;

	TRY(limit_options(c, v, &n, err));
	if (n && option_flag(&c->options, "no-limits"))
		return cli_usage(c, err, "--no-limits and a limit at once are not possible");
	if (n || option_flag(&c->options, "no-limits"))
		json_object_set_new(doc, "limits", limit_list(v, n));
	return cli_patch(c, "tier", str_of(c->options.args[0]), doc, err);
}

const struct command command_tier_set = {
	.name = "tier set", .args = "ID", .least_args = 1, .most_args = 1, .summary = "change a tier; its subscriptions are bound at once",
	.options = set_options, .run = set,
	.help = "What is not named stays as it is; limits that are given take the place of all that it had.",
};

/* ---- list, delete ---------------------------------------------------------------------------------------------------------- */

static const struct option list_options[] = {
	{ "product", OPTION_TEXT, "ID", "only of this product", false },
	OPTION_END,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_tier *tiers;
	struct printed *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_tiers(s, c->arena, str_of(option_text(&c->options, "product")), &tiers, &n, err));
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "%zu tiers", n);
	for (size_t i = 0; i < n; i++)
		TRY(with_limits(c, s, &tiers[i], &rows[i], err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_tier_list = {
	.name = "tier list", .summary = "list the tiers with their limits", .options = list_options, .run = list,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	gh_rc rc = cli_remove(c, "tier", str_of(c->options.args[0]), err);

	if (rc.code == GH_E_CONFLICT)
		FAIL(err, CONFLICT, "subscriptions have tier '%.200s': give them another one, or deprecate it with `gatehouse tier set --deprecated yes`",
		     c->options.args[0]);
	return rc;
}

const struct command command_tier_delete = {
	.name = "tier delete", .args = "ID", .least_args = 1, .most_args = 1, .summary = "delete a tier that no subscription has", .run = delete,
};
