/* import_bundle.c - `gatehouse import apiops|aws|kong`: what another system has becomes resources, in one transaction.
 *
 * First everything is tried and taken back. Policies that do not compile here are closed, they answer 501, and it is tried again: a
 * policy that was left out would let calls through. What is wrong beyond that is told, and nothing is changed. What only adds is done
 * at once; what takes the place of something, or counts for the calls of others too, is shown first, and --yes or an answer on the
 * terminal goes ahead, as with apply. */
#include "cli/config_files.h"
#include "config/files/export.h"
#include "config/files/layout.h"
#include "config/import/apiops.h"
#include "config/import/foreign.h"
#include "core/file.h"
#include "core/str.h"
#include "db/apis.h"

#include <stdio.h>

enum { ROUNDS_MAX = 4, SHOWN_MAX = 64 << 20 };

#define COMMON_OPTIONS                                                                                           \
	{ "env", OPTION_TEXT, "ENV", "environment that its APIs are put into (default)", false },                \
	{ "dry-run", OPTION_FLAG, NULL, "show what would be, and change nothing", false },                       \
	{ "yes", OPTION_FLAG, NULL, "also replace what is there, without asking", false },                       \
	CONFIG_FILES_OPTIONS

static const struct option options[] = { COMMON_OPTIONS, OPTION_END };

static const struct option aws_options[] = {
	COMMON_OPTIONS,
	{ "path", OPTION_TEXT, "PATH", "where the gateway serves the API; without it the base path, or one made from the title", false },
	{ "name", OPTION_TEXT, "ID", "id of the API; without it one made from the title", false },
	OPTION_END,
};

static const struct option kong_options[] = {
	COMMON_OPTIONS,
	{ "name", OPTION_TEXT, "ID", "name of the gateway, for the product of its keys and their ids; without it its control plane or workspace, else kong", false },
	OPTION_END,
};

static GH_RC settle(struct cli *c, struct store *s, struct bundle *b, struct plan_options *o, struct files_set *set, struct plan *p,
		    struct gh_err *err)
{
	gh_rc rc = GH_RC_OK;

	TRY(bundle_keep_secrets(b, s, err));
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		TRY(bundle_set(b, c->options.args[0], set, err));
		rc = plan_run(s, c->arena, set, o, p, err);
		if (rc.code != GH_E_INVALID || !bundle_close_policies(b, set))
			break;
	}
	return rc;
}

static void put_json(struct cli *c, const struct bundle *b, const struct plan *p, bool declined)
{
	json_t *v = json_pack("{s:o, s:o}", "plan", plan_json(p), "report", import_report_json(b->report));

	if (declined)
		json_object_set_new(v, "applied", json_false());
	jsn_write(&c->out, v, 0);
	buf_char(&c->out, '\n');
	json_decref(v);
}

static void answer(struct cli *c, const struct bundle *b, const struct plan *p, bool dry_run, bool shown)
{
	if (c->json) {
		put_json(c, b, p, false);
		return;
	}
	if (dry_run)
		plan_text(p, &c->out);
	else
		buf_fmt(&c->out, "%zu created, %zu changed, %zu as they were\n", plan_count(p, PLAN_CREATE), plan_count(p, PLAN_CHANGE), p->same);
	if (!shown)
		import_report_text(b->report, &c->out);
}

/* Whether a rule or policy that the plan makes is for something that was there before. */
static bool is_for_others(const struct plan *p, const struct plan_change *c)
{
	static const char *const kinds[] = { "access-rule", "network-rule", "policy", "cache-rule", "traffic-rule", "sign-in", "consumer-rule" };
	struct layout_owner o = layout_owner(c->kind, c->doc ? c->doc->doc : NULL);
	bool counts = false;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		counts = counts || strcmp(c->kind->name, kinds[i]) == 0;
	for (size_t i = 0; i < p->n && counts && o.kind; i++)
		if (p->changes[i].action == PLAN_CREATE && strcmp(p->changes[i].kind->name, o.kind) == 0 && str_eq(p->changes[i].id, o.id))
			return false;
	return counts && o.kind && c->doc;
}

/* Whether all that the plan does is to add, and nothing of it counts for calls of what is there already. */
static GH_RC only_adds(struct cli *c, struct store *s, const struct plan *p, bool *out, struct gh_err *err)
{
	const struct store_page one = { .limit = 1 };
	struct store_api *v;
	bool everywhere = false;
	size_t n = 0;

	*out = plan_count(p, PLAN_CREATE) == p->n;
	for (size_t i = 0; i < p->n; i++) {
		everywhere = everywhere || p->changes[i].everything;
		*out = *out && !is_for_others(p, &p->changes[i]);
	}
	if (everywhere)
		TRY(store_apis(s, c->arena, &one, &v, &n, err));
	*out = *out && n == 0;
	return GH_RC_OK;
}

/* With --format json on standard error, as plan and apply do: standard output is for one object alone. */
static GH_RC show(struct cli *c, const struct bundle *b, const struct plan *p, struct gh_err *err)
{
	struct buf text;

	buf_init(&text, SHOWN_MAX);
	import_report_text(b->report, &text);
	plan_text(p, &text);
	buf_cstr(&text, "lines with ~ replace what is there; a global policy counts for all APIs, a rule or policy for all calls of what it names\n");
	if (c->json)
		fwrite(text.p ? text.p : "", 1, text.n, stderr);
	else
		buf_str(&c->out, buf_view(&text));
	buf_release(&text);
	return cli_flush(c, err);
}

/* *yes false: it was shown, and whoever was asked said no. */
static GH_RC agreed(struct cli *c, struct store *s, const struct bundle *b, const struct plan *p, bool *yes, bool *shown, struct gh_err *err)
{
	TRY(only_adds(c, s, p, yes, err));
	if (*yes)
		return GH_RC_OK;
	*shown = !option_flag(&c->options, "yes");
	if (*shown)
		TRY(show(c, b, p, err));
	return config_files_agreed(c, yes, err);
}

static GH_RC into_store(struct cli *c, struct bundle *b, struct gh_err *err)
{
	struct plan_options o = { .actor = str_of(cli_actor(c)), .dry_run = true, .impact = true, .passwords_stand = true };
	bool dry_run = option_flag(&c->options, "dry-run"), yes = true, shown = false;
	struct files_set *set = arena_new_of(c->arena, struct files_set);
	struct store *s;
	struct plan p, done;
	gh_rc rc;

	if (!set)
		FAIL(err, NOMEM, "import");
	TRY(config_files_options(c, &o, err));
	TRY(cli_store(c, true, &s, err));
	TRY(bundle_check_gateway(b, s, err));
	rc = settle(c, s, b, &o, set, &p, err);
	if (!rc.code && !dry_run)
		TRY(agreed(c, s, b, &p, &yes, &shown, err));
	if (!yes) {
		if (c->json)
			put_json(c, b, &p, true);
		else
			buf_cstr(&c->out, "nothing was changed\n");
		c->exit_code = 1;
		return GH_RC_OK;
	}
	if (!rc.code && !dry_run) {
		o.dry_run = false;
		o.impact = false;
		o.agreed = &p;
		rc = plan_run(s, c->arena, set, &o, &done, err);
	}
	if (rc.code == GH_E_INVALID && set->total_problems) {
		config_files_problems(c, set, "");
		fprintf(stderr, "nothing was changed\n");
		if (!c->json)
			import_report_text(b->report, &c->out);
		return GH_RC_OK;
	}
	TRY(rc);
	answer(c, b, &p, dry_run, shown);
	return GH_RC_OK;
}

static GH_RC begin(struct cli *c, struct bundle *b, struct import_report *r, struct gh_err *err)
{
	import_report_init(r, c->arena);
	TRY(bundle_init(b, c->arena, r, err));
	b->environment = str_of(option_text(&c->options, "env"));
	return GH_RC_OK;
}

static gh_rc run_apiops(struct cli *c, struct gh_err *err)
{
	struct import_report r;
	struct bundle b;
	struct tree t;

	TRY(begin(c, &b, &r, err));
	tree_init(&t, c->arena);
	TRY(tree_read(&t, c->options.args[0], err));
	TRY(import_apiops(&b, &t, err));
	return into_store(c, &b, err);
}

static gh_rc from_file(struct cli *c, bool aws, struct gh_err *err)
{
	const char *file = c->options.args[0];
	struct text_where at = { 0, 0 };
	struct import_report r;
	struct bundle b;
	struct str text;
	gh_rc rc;

	TRY(begin(c, &b, &r, err));
	TRY(file_read(c->arena, file, FILES_ONE_MAX, &text, err));
	if (aws)
		rc = import_aws(&b, text, str_of(option_text(&c->options, "name")), str_of(option_text(&c->options, "path")), &at, err);
	else
		rc = import_kong(&b, text, str_of(option_text(&c->options, "name")), &at, err);
	if (rc.code == GH_E_SYNTAX || rc.code == GH_E_INVALID || rc.code == GH_E_LIMIT) {
		fprintf(stderr, "%s:%u:%u: error: %s\n", file, at.line ? at.line : 1, at.column ? at.column : 1, err->message);
		c->exit_code = 1;
		return GH_RC_OK;
	}
	TRY(rc);
	return into_store(c, &b, err);
}

static gh_rc run_aws(struct cli *c, struct gh_err *err)
{
	return from_file(c, true, err);
}

static gh_rc run_kong(struct cli *c, struct gh_err *err)
{
	return from_file(c, false, err);
}

#define CLOSED "Policies that do not compile here answer 501 until they are mended; the report names them. Doing it again updates. What takes the\n" \
	"place of something that is there, and a global policy beside other APIs, is shown first and waits for --yes or an answer.\n"

const struct command command_import_apiops = {
	.name = "import apiops", .args = "DIR", .least_args = 1, .most_args = 1,
	.summary = "take over an Azure API Management instance, from the folder of APIOps' extractor",
	.help = CLOSED, .options = options, .run = run_apiops,
};

const struct command command_import_aws = {
	.name = "import aws", .args = "FILE", .least_args = 1, .most_args = 1,
	.summary = "take over an API of Amazon API Gateway, from its OpenAPI export with extensions",
	.help = CLOSED, .options = aws_options, .run = run_aws,
};

const struct command command_import_kong = {
	.name = "import kong", .args = "FILE", .least_args = 1, .most_args = 1,
	.summary = "take over the configuration of a Kong gateway, from decK's YAML",
	.help = CLOSED, .options = kong_options, .run = run_kong,
};
