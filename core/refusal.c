#include "core/refusal.h"

#include "core/str.h"

struct row {
	struct str word, layer, fix;
};

#define ROW(word, layer, fix) { STR_INIT(word), STR_INIT(layer), STR_INIT(fix) },
#define ACCESS_ROW(name, word, status, message, fix) ROW(word, "access", fix)

static const struct row rows[] = {
	ACCESS_REFUSALS(ACCESS_ROW)
	ROW("key_missing", "access", "Send the subscription key in its header field or query parameter.")
	ROW("key_invalid", "access", "Nobody has this key: compare it with the one that the portal shows, or rotate it.")
	ROW("key_suspended", "access", "Make the subscription active again: `gatehouse subscription set-state`.")
	ROW("key_expired", "access", "The subscription or the replaced key has ended: use the new key, or extend the subscription.")
	ROW("key_cancelled", "access", "The subscription was cancelled or rejected: make a new one.")
	ROW("key_pending", "access", "The subscription waits for approval by the product's owner.")
	ROW("key_not_started", "access", "The subscription begins later.")
	ROW("key_wrong_scope", "access", "The key is good, but for another product or API: subscribe to one that holds this API.")
	ROW("user_blocked", "access", "The owner of the subscription is blocked.")
	ROW("store_unavailable", "access", "The store cannot be read: look at the gateway's log and `gatehouse doctor`.")
	ROW("RateLimitExceeded", "policy", "Wait for as long as Retry-After says; send fewer calls at once, or ask for a higher limit or tier.")
	ROW("QuotaExceeded", "policy", "The calls of this period are used up: wait for the next one, or ask for a higher limit or tier.")
	ROW("no_route", "routing", "No API is served under this host and path: compare it with `gatehouse api list`.")
	ROW("api_not_found", "routing", "No API is served under this host and path: compare it with `gatehouse api list`.")
	ROW("operation_not_found", "routing", "The API has no operation for this method and path: `gatehouse api show`.")
	ROW("version_not_found", "routing", "The API has no such version.")
	ROW("revision_not_found", "routing", "The API has no such revision.")
	ROW("api_retired", "routing", "This version is retired, or its sunset date has passed: move to another one; its page in the portal leads there.")
	ROW("bad_request_target", "routing", "Send the path without dot segments, encoded slashes and broken escapes.")
	ROW("bad_path", "routing", "Send the path without dot segments, encoded slashes and broken escapes.")
	ROW("backend_connect", "backend", "Check that the backend runs, and its address and port.")
	ROW("backend_dns", "backend", "Check the backend's name.")
	ROW("backend_tls", "backend", "Check the backend's certificate: name, authority, dates; and the client certificate it asks for.")
	ROW("backend_timeout", "backend", "The backend is too slow for the configured time.")
	ROW("backend_url", "backend", "Set the API's backend address.")
	ROW("backend_refused_credential", "backend", "Check the credential that the backend is shown (`gatehouse credential show`): secret, scope, "
					     "audience; the token endpoint gave a token, the backend did not take it.")
	ROW("token_unavailable", "gateway", "The token endpoint gives no token: check that it can be reached, and the client's id and secret.")
	ROW("credential_unusable", "gateway", "Set the credential of the backend for this environment: `gatehouse credential set`.")
	ROW("subject_token_missing", "access", "Send an access token: the backend is called on behalf of its owner.")
	ROW("subject_token_refused", "access", "Get a new access token: the token endpoint does not take the one that was sent.")
	ROW("no_configuration", "gateway", "The gateway is starting, or its configuration was refused: `gatehouse doctor`.")
	ROW("overload", "gateway", "More calls at once than gateway.max_in_flight: add workers or machines.")
};

struct refusal_help refusal_help(struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq(rows[i].word, word))
			return (struct refusal_help){ rows[i].layer, rows[i].fix };
	if (str_starts(word, STR("backend_")))
		return (struct refusal_help){ STR("backend"), STR_NULL };
	/* the reference system's words begin with a capital: RateLimitExceeded, JwtInvalid */
	return (struct refusal_help){ word.n && word.p[0] >= 'A' && word.p[0] <= 'Z' ? STR("policy") : STR("gateway"), STR_NULL };
}
