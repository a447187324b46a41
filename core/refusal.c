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
	ROW("bad_request", "gateway", "The request is no valid HTTP: look at what the client, or a proxy before the gateway, "
	    "sends.")
	ROW("bad_header", "gateway", "A header field has a name or a value that HTTP does not allow, such as a line break: "
	    "send it encoded.")
	ROW("bad_length", "gateway", "Send one Content-Length that is the length of the body.")
	ROW("bad_method", "gateway", "Use a method that is expected here.")
	ROW("client_timeout", "gateway", "The caller sent its body too slowly, or stopped: look at its network, or raise "
	    "gateway.idle_timeout_ms.")
	ROW("client_gone", "gateway", "The caller did not wait for the answer: compare its time-out with the time that the "
	    "call took.")
	ROW("body_too_large", "gateway", "Send less, in several requests, or raise the limit: gateway.max_body_bytes, that "
	    "of held bodies, or max-size of the policy.")
	ROW("uri_too_long", "gateway", "Send long values in the body in place of the address.")
	ROW("headers_too_large", "gateway", "Send fewer or smaller header fields; often cookies have grown.")
	ROW("expectation", "gateway", "Send no Expect field but 100-continue.")
	ROW("internal", "gateway", "An error of the gateway: look for the request id in its log.")
	ROW("no_memory", "gateway", "The call needed more memory than it may use: raise gateway.request_memory_bytes, or "
	    "let the policies hold less.")
	ROW("draining", "gateway", "The gateway was being stopped: send the call again.")
	ROW("limits_unavailable", "gateway", "The counters cannot be reached: look at Redis, or at the gateway's log and "
	    "`gatehouse doctor`.")
	ROW("overload_priority", "gateway", "The gateway is busy and serves more important calls first: send the call again "
	    "later, add workers or machines, or give the product a higher priority.")
	ROW("overload_backend", "gateway", "Too many calls wait for this backend: it is too slow for what comes, or "
	    "gateway.backend_share_percent is too small.")
	ROW("sign_in_required", "access", "Sign in with the browser, or send a token: this API is behind a sign-in.")
	ROW("sign_in_state", "access", "Begin anew at the API's address, in one browser that keeps cookies, and sign in "
	    "without a long pause.")
	ROW("sign_in_failed", "access", "What the identity provider answered stands in the gateway's log: compare client id, "
	    "secret and redirect address there.")
	ROW("sign_in_groups", "access", "Put the account into one of the groups that may use this, at the identity provider.")
	ROW("sign_in_unavailable", "access", "The identity provider cannot be reached: check its address, its name and "
	    "certificate, and that it runs.")
	ROW("ip_denied", "access", "Calls from this address are not allowed: `gatehouse network list`. Behind a proxy, name "
	    "it in gateway.trusted_proxies.")
	ROW("CallerIpNotAllowed", "policy", "The policy ip-filter does not let this address through: add it there. Behind a "
	    "proxy, name the proxy in gateway.trusted_proxies.")
	ROW("https_required", "access", "Call the same address with https.")
	ROW("method_not_allowed_for_consumer", "access", "The subscription's own rules leave this method out: `gatehouse "
	    "consumer-rule list`.")
	ROW("operation_not_allowed_for_consumer", "access", "The subscription's own rules leave this operation out: "
	    "`gatehouse consumer-rule list`.")
	ROW("invalid_client", "access", "Compare client id and secret with those of the application; it must be active.")
	ROW("invalid_request", "access", "The token request is not as RFC 6749 has it; its answer says which part.")
	ROW("invalid_scope", "access", "Ask for scopes that the application's subscriptions hold.")
	ROW("unsupported_grant_type", "access", "Send grant_type=client_credentials.")
	ROW("backend_garbage", "backend", "The backend's answer is no valid HTTP: check that the address is one of a web "
	    "server, and http or https as it should be.")
	ROW("backend_cut_off", "backend", "The backend ended the connection in the middle of its answer: look at its log, "
	    "and at proxies before it.")
	ROW("backend_send", "backend", "The backend ended the connection while the request was sent: look at its log, and at "
	    "its limit for bodies.")
	ROW("backend_headers", "backend", "The backend sends more header fields than gateway.max_header_bytes allows: mend "
	    "it, or raise that.")
	ROW("backend_body", "backend", "The answer is larger than what may be held for the policies: raise "
	    "gateway.max_held_body_bytes, or let the body stream.")
	ROW("backend_redirects", "backend", "The backend sends round in circles: set its address to where it leads in the end.")
	ROW("backend_breaker_open", "backend", "It failed too often and is left alone for a while: `gatehouse backend list`; "
	    "mend the backend, it is asked again by itself.")
	ROW("backend_full", "backend", "More calls at once than the backend may have: raise its limit, or send fewer.")
	ROW("backend_connect_timeout", "backend", "Nobody accepts the connection: check address and port, firewalls between, "
	    "and that the backend is not too busy.")
	ROW("backend_tls_timeout", "backend", "The backend accepts connections but does not finish the handshake: check that "
	    "this port speaks TLS.")
	ROW("backend_idle", "backend", "The backend fell silent in the middle of its answer: look at its log, or raise "
	    "gateway.idle_timeout_ms for answers with pauses.")
	ROW("backend_total", "backend", "The answer takes longer than is allowed for all of it: raise the timeout of "
	    "forward-request or of the backend, or make it quicker.")
	ROW("fault_injected", "gateway", "A fault for tests was asked for: `gatehouse fault list`, `gatehouse fault end`.")
	ROW("Forbidden", "policy", "The policies refuse this call: look at the place that is named.")
	ROW("ConcurrencyLimitExceeded", "policy", "As many calls are under way as limit-concurrency lets through: send fewer "
	    "at once, or raise it.")
	ROW("JwtInvalid", "policy", "The token is not what the policy asks for; what was decided says why: get a new one "
	    "from the issuer, or compare claims, audience and issuer with the policy.")
	ROW("HeaderNotFound", "policy", "Send the header field that the policy check-header asks for, with a value that it allows.")
	ROW("ClientCertificateNotFound", "policy", "Show a client certificate in the TLS handshake; the web server must ask "
	    "for it and hand it over.")
	ROW("ClientCertificateInvalid", "policy", "The certificate is not one that the policy takes; what was decided says "
	    "why: dates, authority, revocation, or names.")
	ROW("CertificateNotFound", "policy", "The policy names a certificate that is not there: `gatehouse certificate list`.")
	ROW("CertificateInvalid", "policy", "The certificate that the policy names cannot be used: set it anew with its key, "
	    "`gatehouse certificate set`.")
	ROW("ValidationError", "policy", "The message is not as the API describes it; what was decided says where: mend the "
	    "message, or the description.")
	ROW("ExpressionValueEvaluationFailure", "policy", "An expression failed: look at the place that is named, and try it "
	    "with `gatehouse policy run` or `gatehouse expr`.")
	ROW("LiquidTemplateFailure", "policy", "The template failed: look at the place that is named, and try it with "
	    "`gatehouse policy run`.")
	ROW("ConversionFailure", "policy", "The body is not of the form that the policy converts: compare what was sent with "
	    "its Content-Type.")
	ROW("TransformationFailure", "policy", "The style sheet failed, or the body is no XML: try both with `gatehouse "
	    "policy run`.")
	ROW("StepLimitExceeded", "policy", "The policies took more steps than they may: look for a loop or a retry without an end.")
	ROW("BackendConnectionFailure", "backend", "The address that the policy asks cannot be reached: check its name, port "
	    "and certificate, and that it runs.")
	ROW("Timeout", "backend", "What the policy asks is too slow for its timeout: raise that, or make it quicker.")
	ROW("BackendErrorStatusCode", "backend", "The backend answered with an error: find it in the backend's own log by "
	    "its id of the call.")
	ROW("BackendNotFound", "policy", "The policy names a backend that is not there: `gatehouse backend list`.")
	ROW("AuthorizationNotFound", "policy", "The policy names a credential that is not there: `gatehouse credential list`.")
	ROW("CallbackParameterInvalid", "policy", "The name of the callback may have letters, digits, _ and . only.")
	ROW("overload", "gateway", "More calls at once than gateway.max_in_flight: add workers or machines.")
};

/* Words for the same thing: of policies, of the reference system. */
static const struct alias {
	struct str word, layer, same;
} aliases[] = {
	{ STR_INIT("BodyTooLarge"), STR_INIT("gateway"), STR_INIT("body_too_large") },
	{ STR_INIT("MemoryLimitExceeded"), STR_INIT("policy"), STR_INIT("no_memory") },
	{ STR_INIT("CountersUnavailable"), STR_INIT("policy"), STR_INIT("limits_unavailable") },
	{ STR_INIT("sign_in_redirect"), STR_INIT("access"), STR_INIT("sign_in_required") },
	{ STR_INIT("CallerIpBlocked"), STR_INIT("policy"), STR_INIT("CallerIpNotAllowed") },
	{ STR_INIT("FailedToParseCallerIP"), STR_INIT("policy"), STR_INIT("CallerIpNotAllowed") },
	{ STR_INIT("HttpsRequired"), STR_INIT("access"), STR_INIT("https_required") },
	{ STR_INIT("SubscriptionKeyNotFound"), STR_INIT("access"), STR_INIT("key_missing") },
	{ STR_INIT("SubscriptionKeyInvalid"), STR_INIT("access"), STR_INIT("key_invalid") },
	{ STR_INIT("OperationNotFound"), STR_INIT("routing"), STR_INIT("operation_not_found") },
	{ STR_INIT("ApiRetired"), STR_INIT("routing"), STR_INIT("api_retired") },
	{ STR_INIT("TokenNotPresent"), STR_INIT("policy"), STR_INIT("JwtInvalid") },
	{ STR_INIT("TokenSignatureInvalid"), STR_INIT("policy"), STR_INIT("JwtInvalid") },
	{ STR_INIT("TokenSignatureKeyNotFound"), STR_INIT("policy"), STR_INIT("JwtInvalid") },
	{ STR_INIT("TokenExpired"), STR_INIT("policy"), STR_INIT("JwtInvalid") },
	{ STR_INIT("TokenIssuerNotAllowed"), STR_INIT("policy"), STR_INIT("JwtInvalid") },
	{ STR_INIT("TokenAudienceNotAllowed"), STR_INIT("policy"), STR_INIT("JwtInvalid") },
	{ STR_INIT("TokenClaimNotFound"), STR_INIT("policy"), STR_INIT("JwtInvalid") },
	{ STR_INIT("TokenClaimValueNotAllowed"), STR_INIT("policy"), STR_INIT("JwtInvalid") },
	{ STR_INIT("HeaderValueNotAllowed"), STR_INIT("policy"), STR_INIT("HeaderNotFound") },
	{ STR_INIT("TokenAcquisitionFailure"), STR_INIT("policy"), STR_INIT("token_unavailable") },
	{ STR_INIT("TokenUnavailable"), STR_INIT("policy"), STR_INIT("token_unavailable") },
	{ STR_INIT("AuthorizationFailed"), STR_INIT("policy"), STR_INIT("token_unavailable") },
	{ STR_INIT("SubjectTokenMissing"), STR_INIT("access"), STR_INIT("subject_token_missing") },
};

static const struct row *row_of(struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq(rows[i].word, word))
			return &rows[i];
	return NULL;
}

/* Of a word that policies made up, or that has no row: where to look. */
static struct refusal_help somewhere(struct str word)
{
	static const struct row places[] = {
		ROW("backend", "backend", "Look for the call in the backend's own log, and at `gatehouse backend list`.")
		ROW("policy", "policy", "Look at the place in the policies that is named; `gatehouse policy run` tries them offline.")
		ROW("gateway", "gateway", "Look for the request id in the gateway's log.")
	};
	/* the reference system's words begin with a capital: RateLimitExceeded, JwtInvalid */
	bool policy = word.n && word.p[0] >= 'A' && word.p[0] <= 'Z';
	const struct row *at = &places[str_starts(word, STR("backend_")) ? 0 : policy ? 1 : 2];

	return (struct refusal_help){ at->layer, word.n ? at->fix : STR_NULL };
}

struct refusal_help refusal_help(struct str word)
{
	const struct row *row = row_of(word);

	if (row)
		return (struct refusal_help){ row->layer, row->fix };
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (str_eq(aliases[i].word, word))
			return (struct refusal_help){ aliases[i].layer, row_of(aliases[i].same)->fix };
	return somewhere(word);
}
