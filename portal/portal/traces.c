#include "portal/portal/portal.h"

#include "core/cache.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/traces.h"

/* What the policies did to one's own calls: a credential to have them traced, the last traces, one of them. Who may see what is
 * decided in db/traces.h, the same as for the command line. */

static const char *level_of(int64_t status)
{
	return status >= 200 && status < 300 ? "good" : status >= 400 ? "bad" : "other";
}

/* ---- the list --------------------------------------------------------------------------------------------------------------- */

static GH_RC put_subscriptions(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "subscriptions");
	struct store_subscription *v;
	size_t n;

	TRY(store_trace_subscriptions(w->site->store, w->a, w->user.id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name.n ? v[i].name : v[i].id);
	}
	return GH_RC_OK;
}

static GH_RC put_traces(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "traces");
	json_t *all = NULL, *t;
	struct portal_sight sight;
	struct cache *cache;
	size_t i;

	TRY(web_cache(w, &cache, err));
	TRY(portal_sight_load(w, &sight, err));
	if (cache)
		TRY(store_traces(w->site->store, w->a, cache, w->user.id, STR_NULL, &all, err));
	json_array_foreach(all, i, t) {
		struct liquid_record *r = liquid_push_record(list);
		struct str when = jsn_str(t, "time");
		int64_t us = 0;

		liquid_set_text(r, "id", jsn_str(t, "id"));
		web_put_ago(w, r, "when", clock_parse_iso(when, &us) ? us : 0);
		liquid_set_text(r, "method", jsn_str(t, "method"));
		liquid_set_text(r, "path", jsn_str(t, "path"));
		TRY(portal_put_names(w, &sight, r, &(struct portal_named){ .api = jsn_str(t, "api") }, err));
		liquid_set_int(r, "status", jsn_int(t, "status", 0));
		liquid_set_text(r, "level", str_of(level_of(jsn_int(t, "status", 0))));
	}
	return GH_RC_OK;
}

static GH_RC show_list(struct web *w, int status, struct str token, struct gh_err *err)
{
	TRY(put_subscriptions(w, err));
	TRY(put_traces(w, err));
	if (token.n)
		liquid_set_text(w->page, "token", token);
	else
		liquid_set(w->page, "token", LIQUID_NIL_VALUE);
	web_title(w, "Traces");
	w->rs.status = status;
	return web_page(w, "traces", err);
}

gh_rc portal_traces(struct web *w, struct gh_err *err)
{
	web_form(w);
	return show_list(w, 200, STR_NULL, err);
}

gh_rc portal_trace_token(struct web *w, struct gh_err *err)
{
	struct trace_claims claims = { .subscription = web_param(&w->rq.form, "subscription"),
				       .expires_s = clock_wall_us() / 1000000 + TRACE_TOKEN_LIFE_S };
	struct str token = STR_NULL;
	gh_rc rc;

	web_form(w);
	if (!claims.subscription.n) {
		web_form_error(w, "subscription", STR("Choose a subscription."));
		return show_list(w, 422, STR_NULL, err);
	}
	rc = store_trace_token(w->site->store, w->a, w->user.id, web_actor(w), &claims, &token, err);
	if (rc.code == GH_E_NOT_FOUND) {
		web_form_error(w, "subscription", STR("This subscription is not yours, or it is gone."));
		return show_list(w, 422, STR_NULL, err);
	}
	TRY(rc);
	return show_list(w, 200, token, err);
}

/* ---- one trace -------------------------------------------------------------------------------------------------------------- */

static void put_fields(struct liquid_record *to, const json_t *message)
{
	struct liquid_list *list = liquid_set_list(to, "headers");
	const json_t *field;
	size_t i;

	json_array_foreach(jsn_arr(message, "headers"), i, field) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "name", jsn_str(field, "name"));
		liquid_set_text(r, "value", jsn_str(field, "value"));
		liquid_set_text(r, "by", jsn_str(field, "by").n ? jsn_str(field, "by") : STR(""));
	}
}

static void put_text(struct liquid_record *r, const json_t *from, const char *name)
{
	struct str text = jsn_str(from, name);

	liquid_set_text(r, name, text.n ? text : STR(""));
}

static void put_message(struct web *w, const json_t *trace, const char *name)
{
	const json_t *message = jsn_obj(trace, name);
	struct liquid_record *r;

	if (!message) {
		liquid_set(w->page, name, LIQUID_NIL_VALUE);
		return;
	}
	r = liquid_set_record(w->page, name);
	put_text(r, message, "method");
	put_text(r, message, "url");
	liquid_set_int(r, "status", jsn_int(message, "status", 0));
	put_fields(r, message);
}

static struct str milliseconds(struct web *w, int64_t us)
{
	return web_textf(w, "{1} ms", LANG_STR(web_decimal(w, (double)us / 1000, 2)));
}

static void put_steps(struct web *w, const json_t *trace)
{
	struct liquid_list *list = liquid_set_list(w->page, "steps");
	const json_t *step;
	size_t i;

	json_array_foreach(jsn_arr(trace, "steps"), i, step) {
		struct liquid_record *r = liquid_push_record(list);

		put_text(r, step, "section");
		put_text(r, step, "scope");
		put_text(r, step, "policy");
		put_text(r, step, "decision");
		liquid_set_int(r, "line", jsn_int(step, "line", 0));
		liquid_set_text(r, "took", milliseconds(w, jsn_int(step, "us", 0)));
	}
}

static GH_RC put_facts(struct web *w, const json_t *trace, struct gh_err *err)
{
	static const char *const texts[] = { "id", "operation", "failure", "note" };
	const struct portal_named ids = { jsn_str(trace, "api"), jsn_str(trace, "product"), jsn_str(trace, "subscription") };
	const json_t *times = jsn_obj(trace, "timings"), *error = jsn_obj(trace, "lastError");
	struct portal_sight sight;
	int64_t status = jsn_int(trace, "status", 0), us = 0;
	struct str when = jsn_str(trace, "time");
	struct liquid_record *r = liquid_set_record(w->page, "trace");

	TRY(portal_sight_load(w, &sight, err));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		put_text(r, trace, texts[i]);
	TRY(portal_put_names(w, &sight, r, &ids, err));
	web_put_time(w, r, "when", clock_parse_iso(when, &us) ? us : 0);
	liquid_set_int(r, "status", status);
	liquid_set_text(r, "level", str_of(level_of(status)));
	liquid_set_text(r, "total", milliseconds(w, jsn_int(times, "totalUs", 0)));
	liquid_set_text(r, "backend", milliseconds(w, jsn_int(times, "backendUs", 0)));
	put_text(r, error, "source");
	put_text(r, error, "reason");
	put_text(r, error, "message");
	return GH_RC_OK;
}

gh_rc portal_trace(struct web *w, struct gh_err *err)
{
	struct cache *cache;
	json_t *trace = NULL;

	TRY(web_cache(w, &cache, err));
	if (!cache)
		FAIL(err, NOT_FOUND, "no traces yet");
	TRY(store_trace(w->site->store, w->a, cache, w->user.id, w->rq.args[0], &trace, err));
	TRY(put_facts(w, trace, err));
	put_message(w, trace, "request");
	put_message(w, trace, "backend");
	put_message(w, trace, "response");
	put_steps(w, trace);
	web_title(w, "Trace");
	return web_page(w, "trace", err);
}
