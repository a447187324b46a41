#include "portal/portal/portal.h"

#include "core/str.h"
#include "db/environments.h"

static const struct web_route routes[] = {
	{ "GET", "/", WEB_ANYBODY, portal_home },
	{ "GET", "/apis", WEB_ANYBODY, portal_apis },
	{ "GET", "/apis/{api}", WEB_ANYBODY, portal_api },
	{ "GET", "/apis/{api}/operations/{operation}", WEB_ANYBODY, portal_operation },
	{ "GET", "/static/{file*}", WEB_ANYBODY, web_static },
	{ NULL, NULL, WEB_ANYBODY, NULL },
};

/* A title set in the store wins over the configured one. One that cannot be read must not keep an error page from being shown. */
static GH_RC common(struct web *w, struct gh_err *err)
{
	struct str title = STR_NULL;
	bool found = false;

	if (store_setting_get(w->site->store, w->a, STR("portal.title"), &title, &found, err).code)
		found = false;
	liquid_set_text(w->page, "site_title", found && title.n ? title : config_text(&w->site->config, CONFIG_PORTAL_TITLE));
	return GH_RC_OK;
}

const struct web_app portal_app = {
	.program = "gatehouse-portal",
	.templates = "portal",
	.cookie = "gh_portal",
	.base_path = CONFIG_PORTAL_BASE_PATH,
	.routes = routes,
	.common = common,
};
