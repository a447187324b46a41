#include "fcgi/life.h"

#include "core/http_date.h"
#include "core/str.h"
#include "core/uri.h"
#include "fcgi/call_trace.h"
#include "fcgi/snapshot_impl.h"

/* ---- with the snapshot ------------------------------------------------------------------------------------------------ */

/* The API's page in the portal. Without web.public_url it is relative to the call, which is right where both share a host. */
static struct str page_of(struct build *b, struct str id)
{
	struct str base = b->config ? config_text(b->config, CONFIG_PORTAL_BASE_PATH) : STR("/");
	struct str host = b->config ? config_text(b->config, CONFIG_WEB_PUBLIC_URL) : STR_NULL;
	bool slash = base.n && base.p[base.n - 1] == '/';

	while (host.n && host.p[host.n - 1] == '/')
		host.n--;
	return arena_printf(b->rows, "%.*s%.*s%sapis/%.*s", STR_ARG(host), STR_ARG(base), slash ? "" : "/",
			    STR_ARG(uri_encode(b->rows, id, URI_KEEP_UNRESERVED)));
}

gh_rc life_build(struct build *b, const struct store_api *row, const struct snap_life **out)
{
	struct snap_life *l;
	struct str page;

	*out = NULL;
	if (row->state != STORE_API_DEPRECATED && row->state != STORE_API_RETIRED)
		return GH_RC_OK;
	l = arena_new_of(b->a, struct snap_life);
	page = page_of(b, row->id);
	if (!l || !page.p)
		FAIL(b->err, NOMEM, "no memory for the APIs");
	l->retired = row->state == STORE_API_RETIRED;
	l->sunset_us = row->sunset_us;
	l->deprecation = row->deprecated_us ? arena_printf(b->a, "@%lld", (long long)(row->deprecated_us / 1000000)) : STR_NULL;
	l->sunset = row->sunset_us ? http_date_text(b->a, row->sunset_us / 1000000) : STR_NULL;
	l->link = arena_printf(b->a, "<%.*s>; rel=\"deprecation\"; type=\"text/html\"%s%.*s%s", STR_ARG(page), l->sunset.n ? ", <" : "",
			       STR_ARG(l->sunset.n ? page : STR("")), l->sunset.n ? ">; rel=\"sunset\"; type=\"text/html\"" : "");
	if (!l->link.p)
		FAIL(b->err, NOMEM, "no memory for the APIs");
	*out = l;
	return GH_RC_OK;
}

/* ---- with a call ------------------------------------------------------------------------------------------------------ */

bool life_refused(struct call *k, struct gate_state *g)
{
	const struct snap_life *l = g->route.api ? g->route.api->life : NULL;
	const struct reason_info *why = reason_info(REASON_API_RETIRED);
	const struct last_error error = {
		.set = true, .source = STR_INIT("configuration"), .reason = STR_INIT("ApiRetired"), .status = why->status,
		.message = STR_INIT("The API has passed its sunset date or was retired."), .public_message = why->message,
	};

	if (!l || (!l->retired && (!l->sunset_us || k->x.started_us < l->sunset_us)))
		return false;
	gate_note_key(k, g);             /* its owner finds the refusal among his calls */
	k->word = why->word;
	call_trace_begin(k, g, true);
	gate_fail(k, g, &error);
	return true;
}

size_t life_fields(struct call *k, struct field out[LIFE_FIELDS])
{
	const struct snap_life *l = k->gate && k->gate->route.api ? k->gate->route.api->life : NULL;
	size_t n = 0;

	if (!l)
		return 0;
	fields_remove(&k->x.response.headers, STR("Deprecation"));
	fields_remove(&k->x.response.headers, STR("Sunset"));
	if (l->deprecation.n)
		out[n++] = (struct field){ .name = STR("Deprecation"), .value = l->deprecation };
	if (l->sunset.n)
		out[n++] = (struct field){ .name = STR("Sunset"), .value = l->sunset };
	out[n++] = (struct field){ .name = STR("Link"), .value = l->link };
	return n;
}
