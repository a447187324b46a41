#include "portal/admin/admin.h"

#include "core/str.h"
#include "db/pages.h"
#include "portal/web/markdown.h"

/* Pages of the portal: a list, and a form that shows what it will look like. What was entered stays in the form whatever is
 * wrong with it; who saves over somebody else's newer text is told first. */

enum { PAGES_ROWS = 100 };

static struct str audience_text(struct web *w, const struct store_portal_page *p)
{
	if (!str_eq(p->audience, STR("group")))
		return str_eq(p->audience, STR("users")) ? STR("Signed in") : str_eq(p->audience, STR("nobody")) ? STR("Nobody (draft)") : STR("Everybody");
	return p->group_id.n ? arena_printf(w->a, "Group %.*s", STR_ARG(p->group_id)) : STR("Nobody: its group is gone");
}

static struct str address_of(struct web *w, const struct store_portal_page *p)
{
	struct str base = web_portal_base(w->site, w->a);

	return p->api_id.n ? arena_printf(w->a, "%.*sapis/%.*s/pages/%.*s", STR_ARG(base), STR_ARG(p->api_id), STR_ARG(p->id))
			   : arena_printf(w->a, "%.*spages/%.*s", STR_ARG(base), STR_ARG(p->id));
}

gh_rc admin_page_list(struct web *w, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "pages");
	struct store_portal_page *v;
	size_t n, from, shown;

	TRY(store_portal_pages(w->site->store, w->a, &v, &n, err));
	shown = web_slice(w, n, PAGES_ROWS, &from);
	for (size_t i = from; i < from + shown; i++) {
		struct liquid_record *r = liquid_push_record(l);

		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "api", v[i].api_id.p ? v[i].api_id : STR(""));
		liquid_set_text(r, "title", v[i].title);
		liquid_set_text(r, "audience", audience_text(w, &v[i]));
		liquid_set_bool(r, "menu", v[i].in_menu && !v[i].api_id.n);
		liquid_set_text(r, "changed", web_date(w, v[i].changed_us));
		liquid_set_text(r, "by", str_starts(v[i].changed_by, STR("user:")) ? str_from(v[i].changed_by, 5) : v[i].changed_by);
		liquid_set_text(r, "address", address_of(w, &v[i]));
	}
	liquid_set_text(w->page, "title", STR("Pages"));
	return web_page(w, "pages", err);
}

/* ---- the form ---------------------------------------------------------------------------------------------------------- */

static GH_RC put_choices(struct web *w, const struct store_portal_page *p, bool *knows_group, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "apis");
	struct store_group *groups;
	struct store_api *apis;
	size_t n;

	TRY(store_apis(w->site->store, w->a, NULL, &apis, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(l);

		liquid_set_text(r, "id", apis[i].id);
		liquid_set_text(r, "name", apis[i].name.n ? apis[i].name : apis[i].id);
	}
	l = liquid_set_list(w->page, "groups");
	TRY(store_groups(w->site->store, w->a, &groups, &n, err));
	*knows_group = false;
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(l);

		liquid_set_text(r, "id", groups[i].id);
		liquid_set_text(r, "name", groups[i].name.n ? groups[i].name : groups[i].id);
		*knows_group = *knows_group || str_eq(groups[i].id, p->group_id);
	}
	return GH_RC_OK;
}

/* knows_group: without its group a page is for nobody; the form would else begin with "everybody". */
static void put_values(struct web *w, const struct store_portal_page *p, bool knows_group)
{
	const struct web_param *position = web_param_find(&w->rq.form, "position");
	bool group = str_eq(p->audience, STR("group"));

	web_form_value(w, "id", p->id);
	web_form_value(w, "api", p->api_id);
	web_form_value(w, "title", p->title);
	web_form_value(w, "body", p->body);
	web_form_value(w, "audience", group && !knows_group ? STR("nobody") : group ? arena_printf(w->a, "group:%.*s", STR_ARG(p->group_id)) : p->audience);
	web_form_value(w, "menu", p->in_menu ? STR("yes") : STR(""));
	web_form_value(w, "position", position ? position->value : arena_printf(w->a, "%lld", (long long)p->position));
	web_form_value(w, "changed", arena_printf(w->a, "%lld", (long long)p->changed_us));
}

/* The form with a page in it; is_new: its place can still be chosen. */
static GH_RC show_form(struct web *w, const struct store_portal_page *p, bool is_new, int status, struct gh_err *err)
{
	struct liquid_value nodes;
	bool knows_group;

	web_form(w);
	TRY(put_choices(w, p, &knows_group, err));
	put_values(w, p, knows_group);
	TRY(web_markdown(w->a, str_first(p->body, WEB_MARKDOWN_MAX), &nodes, err));
	liquid_set(w->page, "nodes", nodes);
	liquid_set_bool(w->page, "is_new", is_new);
	liquid_set_text(w->page, "address", is_new ? STR("") : address_of(w, p));
	liquid_set_text(w->page, "title", is_new ? STR("New page") : p->title.n ? p->title : p->id);
	w->rs.status = status;
	return web_page(w, "page", err);
}

gh_rc admin_page_form(struct web *w, struct gh_err *err)
{
	struct str id = web_param(&w->rq.query, "id");
	struct store_portal_page p = { .id = STR(""), .title = STR(""), .body = STR(""), .audience = STR("everybody"), .in_menu = true,
				       .api_id = web_param(&w->rq.query, "api") };
	bool found = false;

	if (id.n) {
		TRY(store_portal_page_find(w->site->store, w->a, p.api_id, id, &p, &found, err));
		if (!found)
			FAIL(err, NOT_FOUND, "no such page");
	}
	return show_form(w, &p, !id.n, 200, err);
}

/* What was sent, as a page; false: with errors beside the fields. */
static bool read_form(struct web *w, struct store_portal_page *p)
{
	struct str audience = web_param(&w->rq.form, "audience"), position = str_trim(web_param(&w->rq.form, "position"));
	bool good = true;

	*p = (struct store_portal_page){ .id = str_trim(web_param(&w->rq.form, "id")), .api_id = web_param(&w->rq.form, "api"),
					 .title = str_trim(web_param(&w->rq.form, "title")), .body = web_param(&w->rq.form, "body"),
					 .audience = audience.n ? audience : STR("everybody"),
					 .in_menu = web_param(&w->rq.form, "menu").n > 0 };
	if (!p->api_id.n)
		p->api_id = STR_NULL;
	if (str_starts(p->audience, STR("group:"))) {
		p->group_id = str_from(p->audience, 6);
		p->audience = STR("group");
	}
	p->body = admin_unix_lines(w, p->body.p ? p->body : STR(""));
	if (position.n && !str_to_i64(position, INT32_MIN, INT32_MAX, &p->position)) {
		web_form_error(w, "position", STR("Enter a whole number"));
		good = false;
	}
	if (!p->id.n) {
		web_form_error(w, "id", STR("Enter a name for the address"));
		good = false;
	}
	if (!p->title.n) {
		web_form_error(w, "title", STR("Enter a title"));
		good = false;
	}
	return good;
}

/* The page as it stands, in the transaction of the change. */
static GH_RC save(struct web *w, const struct store_portal_page *p, bool is_new, bool *clash, struct gh_err *err)
{
	struct str actor = arena_printf(w->a, "user:%.*s", STR_ARG(w->user.email));
	struct store_portal_page old;
	int64_t seen = 0;
	bool found;

	TRY(store_portal_page_find(w->site->store, w->a, p->api_id, p->id, &old, &found, err));
	if (!str_to_i64(web_param(&w->rq.form, "changed"), 0, INT64_MAX, &seen))
		seen = 0;
	*clash = is_new ? found : !found || old.changed_us != seen;
	return *clash ? GH_RC_OK : store_portal_page_set(w->site->store, p, actor, err);
}

static GH_RC keep(struct web *w, struct store_portal_page *p, bool is_new, struct gh_err *err)
{
	struct str actor = arena_printf(w->a, "user:%.*s", STR_ARG(w->user.email));
	struct liquid_record *form;
	struct gh_err why;
	bool clash = false;
	gh_rc rc;

	TRY(store_tx_begin(w->site->store, actor, err));
	rc = store_tx_end(w->site->store, save(w, p, is_new, &clash, &why), &why);
	if (!rc.code && !clash) {
		TRY(web_flash(w, "good", STR("The page is saved."), err));
		return web_redirect(w, STR("pages"), err);
	}
	if (rc.code && rc.code != GH_E_INVALID && rc.code != GH_E_LIMIT && rc.code != GH_E_CONFLICT && rc.code != GH_E_NOT_FOUND) {
		*err = why;
		return rc;
	}
	form = web_form(w);
	liquid_set_text(form, "error", rc.code ? arena_dup(w->a, str_of(why.message))
				     : is_new ? STR("There is a page of this name already. Choose another, or change that one.")
					      : STR("Somebody else changed this page meanwhile. Copy your text, then open it again."));
	return show_form(w, p, is_new, rc.code ? 422 : 409, err);
}

static GH_RC drop(struct web *w, const struct store_portal_page *p, struct gh_err *err)
{
	struct str actor = arena_printf(w->a, "user:%.*s", STR_ARG(w->user.email));
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, actor, err));
	TRY(store_tx_end(s, store_portal_page_delete(s, p->api_id, p->id, err), err));
	TRY(web_flash(w, "good", STR("The page is deleted."), err));
	return web_redirect(w, STR("pages"), err);
}

gh_rc admin_page_act(struct web *w, struct gh_err *err)
{
	struct str action = web_param(&w->rq.form, "action");
	bool is_new = web_param(&w->rq.form, "is_new").n > 0, good;
	struct store_portal_page p;

	good = read_form(w, &p);
	if (str_eq(action, STR("delete")))
		return drop(w, &p, err);
	if (!str_to_i64(web_param(&w->rq.form, "changed"), 0, INT64_MAX, &p.changed_us))
		p.changed_us = 0;
	if (!good || !str_eq(action, STR("save")))
		return show_form(w, &p, is_new, good ? 200 : 422, err);
	return keep(w, &p, is_new, err);
}
