/* place.c - whether what a page is about lies where the account has the right, and which environment lists keep to. */
#include "portal/admin/admin.h"

#include "config/rights.h"
#include "core/str.h"
#include "db/environments.h"
#include "portal/admin/consent.h"

#define ENVIRONMENT_COOKIE "gh_environment"
enum { CHOICE_KEPT_S = 365 * 86400 };

/* ---- one thing ----------------------------------------------------------------------------------------------------------- */

static struct str asked(struct web *w, const char *name)
{
	struct str v = web_param(&w->rq.form, name);

	return str_trim(v.n ? v : web_param(&w->rq.query, name));
}

/* By how the route begins: the kind of the thing and where its id stands; NULL: in the address. */
static const struct {
	const char *begins, *kind, *field;
	bool source;                     /* it stays as it is: to see it is enough, what changes is elsewhere */
} things[] = {
	{ "/apis/{api}/promote", "api", NULL, true },
	{ "/apis/{api}", "api", NULL },
	{ "/policies/", "policy", "scope" },
	{ "/subscriptions/{id}", "subscription", NULL },
	{ "/credentials/{environment}", "environment", NULL },
	{ "/credentials/callback", "consent", NULL },
};

static GH_RC sees_thing(struct web *w, bool *yes, struct gh_err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(things); i++) {
		struct str id;

		if (strncmp(w->route->pattern, things[i].begins, strlen(things[i].begins)) != 0)
			continue;
		id = things[i].field ? asked(w, things[i].field) : w->rq.args[0];
		if (strcmp(things[i].kind, "consent") == 0) {    /* begun for one place; nothing was begun: nothing is done */
			id = admin_consent_environment(w);
			*yes = !id.n || web_may_in(w, w->route->right, id);
			return GH_RC_OK;
		}
		if (strcmp(things[i].kind, "environment") == 0) {
			*yes = web_may_in(w, w->route->right, id);
			return GH_RC_OK;
		}
		return resource_allowed(w->site->store, resource_kind_find(str_of(things[i].kind)), id,
					!things[i].source && strcmp(w->route->method, "GET") != 0, yes, err);
	}
	*yes = false;
	return GH_RC_OK;
}

/* ---- the environment that lists keep to ------------------------------------------------------------------------------------ */

/* What the frame of each page offers: nothing where there is nothing to choose. */
GH_RC admin_environments_put(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "places");
	bool all = web_may_everywhere(w, WEB_VIEW_APIS), any = false;
	struct str chosen = web_sealed_get(w, ENVIRONMENT_COOKIE);
	struct store_environment *v;
	size_t n, offered = 0;

	TRY(store_environments(w->site->store, w->a, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r;
		bool here = str_eq(chosen, v[i].id);

		if (!web_may_in(w, WEB_VIEW_APIS, v[i].id))
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "value", v[i].id);
		liquid_set_text(r, "label", v[i].name.n ? v[i].name : v[i].id);
		liquid_set_bool(r, "here", here);
		any |= here;
		offered++;
	}
	liquid_set_bool(w->page, "places_all", all);
	liquid_set_bool(w->page, "places_shown", all ? n > 1 : offered > 0);
	liquid_set_bool(w->page, "places_chosen", any);
	return GH_RC_OK;
}

gh_rc admin_environment_choose(struct web *w, struct gh_err *err)
{
	struct str wish = asked(w, "environment"), back = asked(w, "return"), args[4];

	if (wish.n && !web_may_in(w, WEB_VIEW_APIS, wish))
		FAIL(err, DENIED, "no right in this environment");
	TRY(web_sealed_put(w, ENVIRONMENT_COOKIE, wish.n ? wish : STR(""), CHOICE_KEPT_S, err));
	if (!str_starts(back, STR("/")) || !web_route_find(w->site->app->routes, STR("GET"), back, args, NULL))
		back = STR("/");
	return web_redirect(w, str_from(back, 1), err);
}

/* What the address says, else what was chosen in the frame, else the first one that the account may see. An account that may see all
 * keeps to none until it chooses. */
static GH_RC choose(struct web *w, bool *yes, struct gh_err *err)
{
	const struct web_param *named = web_param_find(&w->rq.query, "environment");
	struct str wish = named ? named->value : web_sealed_get(w, ENVIRONMENT_COOKIE);
	bool all = web_may_everywhere(w, w->route->right);
	struct store_environment *v;
	size_t n;

	w->environment = STR_NULL;
	*yes = all;
	TRY(store_environments(w->site->store, w->a, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		if (!web_may_in(w, w->route->right, v[i].id))
			continue;
		if (str_eq(v[i].id, wish)) {
			w->environment = v[i].id;
			*yes = true;
			return GH_RC_OK;
		}
		if (!all && !w->environment.n)
			w->environment = v[i].id;
	}
	if (!all)
		*yes = w->environment.n && !(named && named->value.n);   /* asked for one that is not his */
	return GH_RC_OK;
}

gh_rc admin_sees(struct web *w, bool *yes, struct gh_err *err)
{
	return w->route->about == WEB_ABOUT_ENVIRONMENT ? choose(w, yes, err) : sees_thing(w, yes, err);
}

GH_RC admin_shows(struct web *w, const char *kind, struct str id, bool *yes, struct gh_err *err)
{
	return resource_allowed(w->site->store, resource_kind_find(str_of(kind)), id, false, yes, err);
}

bool admin_shows_all(struct web *w, const char *kind)
{
	return !w->rights.n || rights_everywhere(&w->rights, resource_right(resource_kind_find(str_of(kind)), false));
}

enum { ROWS_AT_ONCE = 500 };

GH_RC admin_rows(struct web *w, const struct admin_source *from, const struct store_page *window, void **out, size_t *n, struct gh_err *err)
{
	struct store_page part = { .search = window->search, .limit = ROWS_AT_ONCE };
	size_t got, passed = 0;
	char *rows;

	if (admin_shows_all(w, from->kind))
		return from->fetch(w, from->ctx, window, out, n, err);
	*n = 0;
	*out = arena_alloc(w->a, window->limit, from->row_size);
	if (!*out)
		FAIL(err, NOMEM, "%s", from->kind);
	do {
		TRY(from->fetch(w, from->ctx, &part, (void **)&rows, &got, err));
		for (size_t i = 0; i < got && *n < window->limit; i++) {
			bool seen;

			TRY(admin_shows(w, from->kind, from->id(w, rows + i * from->row_size), &seen, err));
			if (!seen || passed++ < window->offset)
				continue;
			memcpy((char *)*out + (*n)++ * from->row_size, rows + i * from->row_size, from->row_size);
		}
		part.offset += got;
	} while (got == part.limit && *n < window->limit);
	return GH_RC_OK;
}
