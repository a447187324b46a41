#include "portal/portal/json.h"

#include "core/cache.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/traces.h"

/* Traces of one's own calls: a debug credential, the last traces, one of them. Who may see which is decided in db/traces.h, as
 * for the pages and the command line. */

/* The header field that takes the credential (fcgi/call_trace.h). */
#define TRACE_FIELD "Apim-Debug-Authorization"

gh_rc portal_json_traces(struct web *w, struct gh_err *err)
{
	struct str subscription = web_param(&w->rq.query, "subscription");
	json_t *all = NULL, *items;
	struct portal_window win;
	struct cache *cache;

	TRY(web_cache(w, &cache, err));
	if (cache)
		TRY(store_traces(w->site->store, w->a, cache, w->user.id, subscription.n ? subscription : STR_NULL, &all, err));
	win = portal_json_window(w, json_array_size(all));
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append(items, json_array_get(all, i));
	return portal_json_list(w, &win, items, err);
}

gh_rc portal_json_trace_credential(struct web *w, struct gh_err *err)
{
	struct trace_claims claims = { .expires_s = clock_wall_us() / 1000000 + TRACE_TOKEN_LIFE_S };
	struct str token;
	json_t *body;
	gh_rc rc;

	TRY(web_json_body(w, &body, err));
	if (!body)
		return GH_RC_OK;
	claims.subscription = jsn_str(body, "subscription");
	if (!claims.subscription.n) {
		web_json_field(w, "subscription", "This is the id of one of your subscriptions");
	} else {
		rc = store_trace_token(w->site->store, w->a, w->user.id, web_actor(w), &claims, &token, err);
		if (rc.code != GH_E_NOT_FOUND)
			TRY(rc);
		else
			web_json_field(w, "subscription", "This subscription is not yours, or it is gone");
	}
	if (w->fields) {
		web_json_error(w, 422, NULL, NULL);
		return GH_RC_OK;
	}
	return portal_json_answer(w, 201, json_pack("{s:s, s:o, s:o}", "header", TRACE_FIELD, "credential", portal_json_text(token), "expiresAt",
						    portal_json_time(claims.expires_s * 1000000)), err);
}

gh_rc portal_json_trace(struct web *w, struct gh_err *err)
{
	struct cache *cache;
	json_t *trace = NULL;

	TRY(web_cache(w, &cache, err));
	if (!cache)
		FAIL(err, NOT_FOUND, "no traces yet");
	TRY(store_trace(w->site->store, w->a, cache, w->user.id, w->rq.args[0], &trace, err));
	return portal_json_answer(w, 200, json_incref(trace), err);
}
