#include "portal/portal/docs.h"

#include "core/str.h"

#include <unistd.h>

/* The whole description in Swagger UI, which `make` copies into www/vendor/. It is fed by the browser with the description
 * for callers, so it shows to nobody what he may not see. Its sheet has small pictures in it; the policy on content of this
 * one page allows these besides, and still no script or style but from here, and nothing from elsewhere. */

static const char policy[] = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
			     "frame-ancestors 'none'; object-src 'none'";

enum { SHOWN_OPEN = 40 };                /* operations; of more only their groups are shown at first */

static bool installed(struct web *w)
{
	struct str file = arena_printf(w->a, "%s/www/vendor/swagger-ui/swagger-ui-bundle.js", w->site->share_dir);

	return file.p && access(file.p, R_OK) == 0;
}

gh_rc portal_document(struct web *w, struct gh_err *err)
{
	struct store_api api;
	struct store_operation *ops;
	int64_t bytes;
	size_t n;
	bool viewer;

	TRY(portal_find_api(w, w->rq.args[0], &api, err));
	TRY(store_api_document_size(w->site->store, api.id, api.revision, &bytes, err));
	if (!bytes)
		FAIL(err, NOT_FOUND, "no description");
	viewer = installed(w) && bytes <= PORTAL_DESCRIPTION_MAX;
	liquid_set_bool(w->page, "viewer", viewer);
	TRY(store_operations_of(w->site->store, w->a, api.id, 0, &ops, &n, err));
	liquid_set_text(w->page, "expansion", n <= SHOWN_OPEN ? STR("list") : STR("none"));
	TRY(portal_put_downloads(w, &api, err));
	portal_put_api(w, liquid_set_record(w->page, "api"), &api);
	TRY(portal_put_own_keys(w, &api, liquid_set_list(w->page, "keys"), err));
	liquid_set_text(w->page, "here", arena_printf(w->a, "apis/%.*s/document", STR_ARG(api.id)));
	liquid_set_text(w->page, "title", arena_printf(w->a, "%.*s, the whole description", STR_ARG(api.name.n ? api.name : api.id)));
	TRY(web_page(w, "document", err));
	if (viewer)
		web_content_policy(w, str_of(policy));
	return GH_RC_OK;
}
