#include "db/traces.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/trace_view.h"
#include "db/audit.h"
#include "db/sql.h"
#include "db/teams.h"

#include <stdlib.h>

/* ---- who may --------------------------------------------------------------------------------------------------------------- */

static gh_rc is_administrator(struct store *s, struct arena *a, struct str user_id, bool *yes, struct gh_err *err)
{
	struct store_user user;
	bool found;

	*yes = str_is_null(user_id);
	if (*yes)
		return GH_RC_OK;
	TRY(store_user_find(s, a, user_id, &user, &found, err));
	*yes = found && user.state == STORE_USER_ACTIVE && str_eq(user.role, STR("administrator"));
	return GH_RC_OK;
}

static gh_rc may_see(struct store *s, struct arena *a, struct str user_id, struct str subscription, bool *yes, struct gh_err *err)
{
	struct store_subscription sub;
	bool found;

	*yes = false;
	if (!subscription.n)
		return GH_RC_OK;
	TRY(store_subscription_find(s, a, subscription, &sub, &found, err));
	return found ? store_subscription_owned_by(s, &sub, user_id, yes, err) : GH_RC_OK;
}

/* ---- credentials ------------------------------------------------------------------------------------------------------------- */

static gh_rc check_claims(struct store *s, struct arena *a, struct str user_id, const struct trace_claims *claims, struct gh_err *err)
{
	struct store_subscription sub;
	bool admin, found, yes;

	TRY(is_administrator(s, a, user_id, &admin, err));
	if (claims->admin) {
		if (!admin)
			FAIL(err, DENIED, "only an administrator may have all calls traced");
		return GH_RC_OK;
	}
	TRY(store_subscription_find(s, a, claims->subscription, &sub, &found, err));
	yes = found && admin;
	if (found && !admin)
		TRY(store_subscription_owned_by(s, &sub, user_id, &yes, err));
	if (!yes)
		FAIL(err, NOT_FOUND, "there is no subscription '%.*s'", STR_ARG(str_first(claims->subscription, 200)));
	return GH_RC_OK;
}

static gh_rc note_issue(struct store *s, struct arena *a, struct str actor, const struct trace_claims *claims, struct gh_err *err)
{
	struct str detail = arena_printf(a, "{\"expires\":%lld}", (long long)claims->expires_s);
	gh_rc rc;

	TRY(store_tx_begin(s, actor, err));
	rc = store_audit_note(s, STR("issue"), STR("trace-token"), claims->admin ? STR("all") : claims->subscription, detail, err);
	return store_tx_end(s, rc, err);
}

gh_rc store_trace_token(struct store *s, struct arena *a, struct str user_id, struct str actor, const struct trace_claims *claims,
			struct str *token, struct gh_err *err)
{
	uint8_t key[CRYPTO_KEY_BYTES];
	gh_rc rc;

	TRY(check_claims(s, a, user_id, claims, err));
	if (!s->has_key)
		FAIL(err, UNAVAILABLE, "there is no master key in %s; run `gatehouse init` first", s->dir);
	trace_token_key(s->key, key);
	rc = trace_token_make(a, key, claims, token, err);
	crypto_wipe(key, sizeof(key));
	TRY(rc);
	return note_issue(s, a, actor, claims, err);
}

/* ---- lists -------------------------------------------------------------------------------------------------------------------- */

gh_rc store_trace_subscriptions(struct store *s, struct arena *a, struct str user_id, struct store_subscription **out, size_t *n,
				struct gh_err *err)
{
	const struct store_page page = { .limit = STORE_TRACE_SUBSCRIPTIONS_MAX };

	if (!user_id.n)
		return store_subscriptions(s, a, NULL, &page, out, n, err);
	TRY(store_own_subscriptions(s, a, user_id, out, n, err));
	*n = *n < STORE_TRACE_SUBSCRIPTIONS_MAX ? *n : STORE_TRACE_SUBSCRIPTIONS_MAX;
	return GH_RC_OK;
}

static gh_rc add_list(struct arena *a, struct cache *c, struct str key, json_t *all, struct gh_err *err)
{
	struct str lines;

	TRY(cache_get(c, TRACE_LIST_SPACE, key, clock_wall_us(), a, &lines, err));
	for (struct str line; lines.n && str_split(&lines, '\n', &line);) {
		json_t *one, *other;
		bool known = false;
		size_t i;

		if (!line.n || jsn_parse(line, NULL, &one, NULL, NULL).code)
			continue;
		json_array_foreach(all, i, other)
			known |= str_eq(jsn_str(other, "id"), jsn_str(one, "id"));
		if (known || json_array_append(all, one) < 0)
			known = true;
		json_decref(one);
	}
	return GH_RC_OK;
}

static int newest_first(const void *x, const void *y)
{
	return str_cmp(jsn_str(*(json_t *const *)y, "time"), jsn_str(*(json_t *const *)x, "time"));
}

static gh_rc sorted(struct arena *a, json_t *all, json_t **out, struct gh_err *err)
{
	size_t n = json_array_size(all);
	json_t **v = arena_alloc(a, n + 1, sizeof(*v));

	*out = jsn_keep(a, json_array());
	if (!v || !*out)
		FAIL(err, NOMEM, "a list of traces");
	for (size_t i = 0; i < n; i++)
		v[i] = json_array_get(all, i);
	qsort(v, n, sizeof(*v), newest_first);
	for (size_t i = 0; i < n && i < TRACE_LIST_MAX; i++)
		if (json_array_append(*out, v[i]) < 0)
			FAIL(err, NOMEM, "a list of traces");
	return GH_RC_OK;
}

gh_rc store_traces(struct store *s, struct arena *a, struct cache *c, struct str user_id, struct str subscription, json_t **out,
		   struct gh_err *err)
{
	json_t *all = jsn_keep(a, json_array());
	struct store_subscription *subs;
	bool admin, yes;
	size_t n;

	if (!all)
		FAIL(err, NOMEM, "a list of traces");
	TRY(is_administrator(s, a, user_id, &admin, err));
	if (admin) {
		TRY(add_list(a, c, subscription.p ? subscription : STR(""), all, err));
		return sorted(a, all, out, err);
	}
	if (subscription.n) {
		TRY(may_see(s, a, user_id, subscription, &yes, err));
		if (yes)
			TRY(add_list(a, c, subscription, all, err));
		return sorted(a, all, out, err);
	}
	TRY(store_trace_subscriptions(s, a, user_id, &subs, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(add_list(a, c, subs[i].id, all, err));
	return sorted(a, all, out, err);
}

/* ---- one trace ------------------------------------------------------------------------------------------------------------------ */

gh_rc store_trace(struct store *s, struct arena *a, struct cache *c, struct str user_id, struct str id, json_t **out,
		  struct gh_err *err)
{
	struct str text;
	bool admin, yes;

	TRY(cache_get(c, TRACE_CACHE_SPACE, id, clock_wall_us(), a, &text, err));
	TRY(is_administrator(s, a, user_id, &admin, err));
	yes = !str_is_null(text);
	if (yes)
		TRY(jsn_parse_in(a, text, NULL, out, NULL, err));
	if (yes && !admin) {
		TRY(may_see(s, a, user_id, jsn_str(*out, "subscription"), &yes, err));
		if (!yes && !jsn_str(*out, "subscription").n)
			TRY(may_see(s, a, user_id, jsn_str(*out, "owner"), &yes, err));
	}
	if (!yes)
		FAIL(err, NOT_FOUND, "there is no trace '%.*s'; traces are kept for an hour", STR_ARG(str_first(id, 200)));
	return admin ? GH_RC_OK : trace_view_consumer(a, *out, err);
}
