#include "cli/resource.h"

#include "cli/portal_site.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/str.h"
#include "db/store.h"
#include "db/users.h"

#include <stdio.h>

static bool is_none(const char *text)
{
	return !*text || strcmp(text, "none") == 0;
}

static json_t *list_of(struct cli *c, const char *option)
{
	json_t *list = json_array();
	const char *text;

	for (size_t i = 0; (text = option_nth(&c->options, option, i)); i++)
		if (!is_none(text))
			json_array_append_new(list, json_string(text));
	return list;
}

static json_t *value_of(struct cli *c, const struct doc_option *o)
{
	const char *text = o->kind == DOC_LIST ? option_nth(&c->options, o->option, 0) : option_text(&c->options, o->option);
	char iso[CLOCK_ISO_MAX];
	int64_t us;

	if (o->kind == DOC_FLAG)
		return option_flag(&c->options, o->option) ? json_true() : NULL;
	if (o->kind == DOC_INT)
		return option_int(&c->options, o->option, -1) >= 0 ? json_integer(option_int(&c->options, o->option, -1)) : NULL;
	if (!text)
		return NULL;
	switch (o->kind) {
	case DOC_OR_NULL:
		return is_none(text) ? json_null() : json_string(text);
	case DOC_YES:
		return json_boolean(strcmp(text, "yes") == 0);
	case DOC_LIST:
		return list_of(c, o->option);
	case DOC_TIME:
		if (is_none(text) || strcmp(text, "never") == 0)
			return json_null();
		return json_string(clock_parse_date(str_of(text), &us) ? clock_iso(us, us % 1000000 ? 6 : 0, iso) : text);
	default:
		return json_string(text);
	}
}

json_t *cli_document(struct cli *c, const struct doc_option *table)
{
	json_t *doc = jsn_keep(c->arena, json_object());

	for (; doc && table->option; table++) {
		json_t *v = value_of(c, table);

		if (v && json_object_set_new(doc, table->field, v) != 0)
			return NULL;
	}
	return doc;
}

gh_rc cli_file_field(struct cli *c, json_t *doc, const char *field, const char *file, size_t most, struct gh_err *err)
{
	struct str text;

	TRY(file_read(c->arena, file, most, &text, err));
	if (!utf8_valid(text))
		FAIL(err, INVALID, "%s is no text in UTF-8", file);
	if (!doc || json_object_set_new(doc, field, json_stringn(text.p ? text.p : "", text.n)) != 0)
		FAIL(err, NOMEM, "%s", file);
	return GH_RC_OK;
}

static void add_pieces(json_t *list, struct str text)
{
	size_t from = 0;

	for (size_t i = 0; i <= text.n; i++)
		if (i == text.n || strchr(", \t\r\n", text.p[i])) {
			if (i > from)
				json_array_append_new(list, json_stringn(text.p + from, i - from));
			from = i + 1;
		}
}

json_t *cli_list_of(struct str text)
{
	json_t *list = json_array();

	add_pieces(list, text);
	return list;
}

json_t *cli_list_field(struct cli *c, const char *option)
{
	json_t *list = option_nth(&c->options, option, 0) ? json_array() : NULL;
	const char *text;

	for (size_t i = 0; list && (text = option_nth(&c->options, option, i)); i++)
		if (strcmp(text, "none") != 0)
			add_pieces(list, str_of(text));
	return list;
}

/* ---- one transaction ------------------------------------------------------------------------------------------------------- */

gh_rc cli_change_begin(struct cli *c, struct cli_change *out, struct gh_err *err)
{
	struct store_site site;

	*out = (struct cli_change){ .c = c };
	TRY(portal_site(c, &site, err));
	TRY(cli_store(c, true, &out->store, err));
	TRY(resource_begin(out->store, c->arena, str_of(cli_actor(c)), &out->change, err));
	resource_portal(out->change, site.portal);
	return GH_RC_OK;
}

gh_rc cli_put(struct cli_change *ch, const char *kind, struct str id, json_t *doc, enum resource_how how, struct resource_outcome *out,
	      struct gh_err *err)
{
	if (!doc)
		FAIL(err, NOMEM, "%s", kind);
	ch->makes_id = !id.n && !jsn_get(doc, "id");
	return resource_write(ch->change, resource_kind_find(str_of(kind)), id, doc, how, out, err);
}

gh_rc cli_merge(struct cli_change *ch, const char *kind, struct str id, json_t *patch, struct resource_outcome *out, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(str_of(kind));
	json_t *doc;

	if (!patch)
		FAIL(err, NOMEM, "%s", kind);
	TRY(resource_merge(ch->store, ch->c->arena, k, id, patch, &doc, err));
	if (!doc)
		return cli_no_such(ch->c, ch->store, kind, id, err);
	return resource_write(ch->change, k, id, doc, RESOURCE_REPLACE, out, err);
}

gh_rc cli_no_such(struct cli *c, struct store *s, const char *kind, struct str id, struct gh_err *err)
{
	struct str near = resource_did_you_mean(s, c->arena, resource_kind_find(str_of(kind)), id);

	FAIL(err, NOT_FOUND, "there is no %s '%.*s'%.*s", kind, STR_ARG(str_first(id, 200)), STR_ARG(near));
}

gh_rc cli_no_api(struct cli *c, struct store *s, struct str id, int64_t revision, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("api"));
	bool there;

	TRY(resource_exists(s, k, id, &there, err));
	if (there && revision)
		FAIL(err, NOT_FOUND, "the API '%.*s' has no revision %lld", STR_ARG(str_first(id, 200)), (long long)revision);
	FAIL(err, NOT_FOUND, "there is no API '%.*s'%.*s", STR_ARG(str_first(id, 200)), STR_ARG(resource_did_you_mean(s, c->arena, k, id)));
}

gh_rc cli_find_user(struct cli *c, struct store *s, const char *email, struct store_user *out, struct gh_err *err)
{
	struct str id, near;
	bool found;

	TRY(store_user_find_email(s, c->arena, str_of(email), out, &found, err));
	if (found)
		return GH_RC_OK;
	if (resource_near(s, c->arena, resource_kind_find(STR("user")), str_of(email), &id, &near))
		FAIL(err, NOT_FOUND, "there is no user '%.200s'; did you mean '%.*s'?", email, STR_ARG(near));
	FAIL(err, NOT_FOUND, "there is no user '%.200s'", email);
}

gh_rc cli_lay(struct cli_change *ch, const char *kind, struct str id, json_t *doc, struct resource_outcome *out, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(str_of(kind));
	json_t *all;

	if (!doc)
		FAIL(err, NOMEM, "%s", kind);
	TRY(resource_merge(ch->store, ch->c->arena, k, id, doc, &all, err));
	return resource_write(ch->change, k, id, all ? all : doc, RESOURCE_PUT, out, err);
}

gh_rc cli_drop(struct cli_change *ch, const char *kind, struct str id, struct gh_err *err)
{
	return resource_remove(ch->change, resource_kind_find(str_of(kind)), id, NULL, err);
}

/* "product gold: name: must not be empty"; what is wrong with an id stands behind the id. */
static struct str told(const struct cli_change *ch, const struct resource_problem *p)
{
	struct str id = ch->makes_id ? STR("") : str_first(p->id, 100);
	struct str at = p->pointer.n && !str_eq(p->pointer, STR("/id")) ? str_from(p->pointer, 1) : STR("");

	return arena_printf(ch->c->arena, "%s%s%.*s: %.*s%s%.*s", p->kind ? p->kind->name : "", id.n ? " " : "", STR_ARG(id), STR_ARG(at),
			    at.n ? ": " : "", STR_ARG(p->message));
}

static gh_rc end(struct cli_change *ch, gh_rc so_far, bool dry_run, struct gh_err *err)
{
	const struct resource_problem *v;
	struct gh_err why = { .code = GH_OK };
	size_t n;
	gh_rc rc;

	if (so_far.code && err)
		why = *err;
	rc = resource_end(ch->change, so_far, dry_run, err);
	v = resource_problems(ch->change, &n);
	if (!rc.code || !n || so_far.code == GH_E_CONFLICT) {    /* in use: it says by what */
		if (so_far.code && err)
			*err = why;
		return rc;
	}
	for (size_t i = 0; i + 1 < n; i++)
		fprintf(stderr, "gatehouse: error: %.*s\n", STR_ARG(told(ch, &v[i])));
	return gh_err_set(err, rc.code, __FILE__, __LINE__, "%.*s", STR_ARG(told(ch, &v[n - 1])));
}

gh_rc cli_change_end(struct cli_change *ch, gh_rc so_far, struct gh_err *err)
{
	return end(ch, so_far, false, err);
}

/* ---- one resource ---------------------------------------------------------------------------------------------------------- */

gh_rc cli_create(struct cli *c, const char *kind, struct str id, json_t *doc, struct resource_outcome *out, struct gh_err *err)
{
	struct cli_change ch;

	TRY(cli_change_begin(c, &ch, err));
	return cli_change_end(&ch, cli_put(&ch, kind, id, doc, RESOURCE_CREATE, out, err), err);
}

gh_rc cli_try(struct cli *c, const char *kind, struct str id, json_t *doc, struct gh_err *err)
{
	struct cli_change ch;

	TRY(cli_change_begin(c, &ch, err));
	return end(&ch, cli_put(&ch, kind, id, doc, RESOURCE_CREATE, NULL, err), true, err);
}

gh_rc cli_replace(struct cli *c, const char *kind, struct str id, json_t *doc, struct gh_err *err)
{
	struct cli_change ch;

	TRY(cli_change_begin(c, &ch, err));
	return cli_change_end(&ch, cli_put(&ch, kind, id, doc, RESOURCE_PUT, NULL, err), err);
}

gh_rc cli_set(struct cli *c, const char *kind, struct str id, json_t *doc, struct gh_err *err)
{
	struct cli_change ch;

	TRY(cli_change_begin(c, &ch, err));
	return cli_change_end(&ch, cli_lay(&ch, kind, id, doc, NULL, err), err);
}

gh_rc cli_patch(struct cli *c, const char *kind, struct str id, json_t *patch, struct gh_err *err)
{
	struct cli_change ch;

	TRY(cli_change_begin(c, &ch, err));
	return cli_change_end(&ch, cli_merge(&ch, kind, id, patch, NULL, err), err);
}

gh_rc cli_remove(struct cli *c, const char *kind, struct str id, struct gh_err *err)
{
	struct cli_change ch;

	TRY(cli_change_begin(c, &ch, err));
	return cli_change_end(&ch, cli_drop(&ch, kind, id, err), err);
}
