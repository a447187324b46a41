/* access.c - from a request to a subscription, or to the reason why not.
 *
 * The order of decisions is that of the reference system: a good key gives its subscription; an API that asks for no key
 * lets any other call in without one; an open product lets a call without a key in; all else is 401. */
#include "fcgi/access.h"

#include "core/log.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/users.h"
#include "fcgi/access_cache.h"

static const char *const reasons[ACCESS__COUNT] = {
	[ACCESS_KEY_MISSING] = "key_missing",         [ACCESS_KEY_INVALID] = "key_invalid",
	[ACCESS_KEY_SUSPENDED] = "key_suspended",     [ACCESS_KEY_EXPIRED] = "key_expired",
	[ACCESS_KEY_CANCELLED] = "key_cancelled",     [ACCESS_KEY_PENDING] = "key_pending",
	[ACCESS_KEY_NOT_STARTED] = "key_not_started", [ACCESS_KEY_WRONG_SCOPE] = "key_wrong_scope",
	[ACCESS_USER_BLOCKED] = "user_blocked",       [ACCESS_UNAVAILABLE] = "store_unavailable",
};

const char *access_reason(enum access_result r)
{
	return r < ACCESS__COUNT ? reasons[r] : NULL;
}

/* ---- where the key stands --------------------------------------------------------------------------------------------------- */

static const struct str second_header = STR_INIT("X-Api-Key");
static const struct str default_header = STR_INIT("Ocp-Apim-Subscription-Key");

/* An API with a name of its own takes only that one. */
static bool takes_second_header(const struct snap_api *api)
{
	return str_eq_ci(api->ctx.key_header, default_header);
}

/* The key as text, in `decoded` when it had to be decoded; STR_NULL: none. */
static struct str shown_key(const struct access_request *rq, char decoded[STORE_KEY_MAX])
{
	const struct snap_api *api = rq->api;
	struct str key = fields_get(rq->headers, api->ctx.key_header), raw;

	if (!key.n && takes_second_header(api))
		key = fields_get(rq->headers, second_header);
	if (key.n)
		return str_trim(key);
	if (!uri_query_find(rq->query, api->ctx.key_query, &raw) || !raw.n)
		return STR_NULL;
	if (!uri_has_escape(raw) || raw.n > STORE_KEY_MAX)
		return raw;
	return (struct str){ decoded, uri_decode_to(decoded, raw, false) };
}

bool access_strip(const struct snap_api *api, struct arena *a, struct fields *headers, struct str *query)
{
	fields_remove(headers, api->ctx.key_header);
	if (takes_second_header(api))
		fields_remove(headers, second_header);
	return uri_query_remove(a, *query, api->ctx.key_query, query);
}

/* ---- what the key is good for ------------------------------------------------------------------------------------------------ */

static enum access_result by_state(int64_t state)
{
	static const enum access_result table[] = {
		[STORE_SUB_SUBMITTED] = ACCESS_KEY_PENDING,  [STORE_SUB_ACTIVE] = ACCESS_GRANTED,
		[STORE_SUB_SUSPENDED] = ACCESS_KEY_SUSPENDED, [STORE_SUB_REJECTED] = ACCESS_KEY_CANCELLED,
		[STORE_SUB_CANCELLED] = ACCESS_KEY_CANCELLED, [STORE_SUB_EXPIRED] = ACCESS_KEY_EXPIRED,
	};

	return state >= 0 && state < (int64_t)ARRAY_LEN(table) ? table[state] : ACCESS_KEY_INVALID;
}

static enum access_result in_scope(const struct key_entry *e, const struct snapshot *s, const struct snap_api *api,
				   const struct snap_product **product)
{
	switch (e->scope) {
	case STORE_SCOPE_ALL_APIS:
		return ACCESS_GRANTED;
	case STORE_SCOPE_API:
		return str_eq(e->api_id, api->ctx.id) ? ACCESS_GRANTED : ACCESS_KEY_WRONG_SCOPE;
	default:
		*product = snapshot_product(s, e->product_id);
		for (size_t i = 0; *product && i < api->n_products; i++)
			if (api->products[i] == *product)
				return ACCESS_GRANTED;
		*product = NULL;
		return ACCESS_KEY_WRONG_SCOPE;
	}
}

enum access_result access_standing(const struct key_entry *e, int64_t now_us)
{
	enum access_result r;

	if (!e->known)
		return ACCESS_KEY_INVALID;
	if (e->key_ends_us && now_us >= e->key_ends_us)
		return ACCESS_KEY_EXPIRED;           /* one that was replaced */
	r = by_state(e->state);
	if (r != ACCESS_GRANTED)
		return r;
	if (e->subscription.start_us && now_us < e->subscription.start_us)
		return ACCESS_KEY_NOT_STARTED;
	if (e->subscription.end_us && now_us >= e->subscription.end_us)
		return ACCESS_KEY_EXPIRED;
	if (e->user.id.n && e->user_state == STORE_USER_BLOCKED)
		return ACCESS_USER_BLOCKED;
	return ACCESS_GRANTED;
}

enum access_result access_judge(const struct key_entry *e, const struct snapshot *s, const struct snap_api *api, int64_t now_us,
				const struct snap_product **product)
{
	enum access_result r = access_standing(e, now_us);

	return r == ACCESS_GRANTED ? in_scope(e, s, api, product) : r;
}

static const struct snap_product *open_product(const struct snap_api *api)
{
	for (size_t i = 0; i < api->n_products; i++)
		if (api->products[i]->ctx.published && !api->products[i]->ctx.subscription_required)
			return api->products[i];
	return NULL;
}

/* ---- the refusal ------------------------------------------------------------------------------------------------------------- */

/* A host goes into a quoted text: one that could end it is left out. */
static struct str safe_host(struct str host)
{
	struct str name;
	unsigned port;

	return uri_parse_authority(host, &name, &port) && str_find_char(host, '"') == SIZE_MAX
			       && str_find_char(host, '\\') == SIZE_MAX
		       ? host
		       : STR("");
}

bool access_refuse_key(const struct access_request *rq, struct arena *a, struct access *out)
{
	bool missing = out->result == ACCESS_KEY_MISSING;

	out->product = NULL;
	out->subscription = NULL;
	if (out->result == ACCESS_UNAVAILABLE) {
		out->status = 503;
		out->message = STR("Service is not available");
		return true;
	}
	out->status = 401;
	out->status_reason = STR("Access Denied");
	out->message = missing ? STR("Access denied due to missing subscription key. Make sure to include subscription key when "
				     "making requests to an API.")
			       : STR("Access denied due to invalid subscription key. Make sure to provide a valid key for an "
				     "active subscription.");
	out->error_reason = missing ? STR("SubscriptionKeyNotFound") : STR("SubscriptionKeyInvalid");
	out->error_message = missing ? STR("Access denied due to missing subscription key. Make sure to include subscription key "
					   "when making requests to this API.")
				     : out->message;
	out->challenge = arena_printf(a, "AzureApiManagementKey realm=\"%.*s://%.*s%.*s%.*s\",name=\"%.*s\",type=\"header\"",
				      STR_ARG(rq->scheme), STR_ARG(safe_host(rq->host)), STR_ARG(rq->mount), STR_ARG(rq->api->base_path),
				      STR_ARG(rq->api->ctx.key_header));
	return out->challenge.p;
}

/* ---- the key ---------------------------------------------------------------------------------------------------------------------- */

static bool by_subscription_key(struct access_cache *c, const struct snapshot *s, struct arena *a,
				const struct access_request *rq, struct access *out)
{
	char decoded[STORE_KEY_MAX];
	struct str key = shown_key(rq, decoded);
	struct key_entry *e = NULL;
	struct gh_err err;

	out->result = ACCESS_KEY_MISSING;
	if (key.n) {
		out->result = ACCESS_KEY_INVALID;
		if (key.n <= STORE_KEY_MAX && !(e = access_cache_get(c, s, key, &err))) {
			log_warn("a subscription cannot be looked up", KV_CSTR("error", err.message));
			out->result = ACCESS_UNAVAILABLE;
		}
	}
	if (e) {
		if (!arena_defer(a, key_entry_unref, e)) {
			key_entry_unref(e);
			return false;
		}
		out->result = access_judge(e, s, rq->api, rq->now_us, &out->product);
	}
	if (e && e->known) {
		out->key_prefix = e->prefix;
		out->subscription_id = e->subscription.id;
		out->application = e->application;
		out->subscription = &e->subscription;
		out->user = e->user.id.n ? &e->user : NULL;
	}
	return true;
}

bool access_check_key(struct access_cache *c, const struct snapshot *s, struct arena *a, const struct access_request *rq,
		      struct access *out)
{
	*out = (struct access){ 0 };
	return by_subscription_key(c, s, a, rq, out);
}

bool access_check(struct access_cache *c, const struct snapshot *s, struct arena *a, const struct access_request *rq,
		  struct access *out)
{
	const struct snap_product *open;

	if (!access_check_key(c, s, a, rq, out))
		return false;
	if (out->result == ACCESS_GRANTED)
		return true;
	open = open_product(rq->api);
	if ((open && out->result == ACCESS_KEY_MISSING) || !rq->api->key_required) {
		*out = (struct access){ .result = ACCESS_OPEN, .product = open };
		return true;
	}
	return access_refuse_key(rq, a, out);
}
