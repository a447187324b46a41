/* kong_plugin.c - one row a plugin. What guarded calls and cannot be taken over closes the API: nothing gets easier to call by moving. */
#include "config/import/kong_plugin.h"

#include "config/import/kong_fields.h"
#include "config/import/policy_text.h"
#include "core/str.h"

enum { RATE_WINDOW_MAX = 300 };                  /* seconds that rate-limit-by-key takes */

void kong_plugins_init(struct kong_plugins *p, struct bundle *b)
{
	*p = (struct kong_plugins){ .bundle = b };
	buf_init(&p->first, POLICY_TEXT_MAX);
	buf_init(&p->inbound, POLICY_TEXT_MAX);
	buf_init(&p->outbound, POLICY_TEXT_MAX);
	buf_init(&p->late, POLICY_TEXT_MAX);
}

void kong_plugins_release(struct kong_plugins *p)
{
	buf_release(&p->first);
	buf_release(&p->inbound);
	buf_release(&p->outbound);
	buf_release(&p->late);
}

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return s.n > 0;
}

/* ---- conditions ----------------------------------------------------------------------------------------------------------------------- */

/* One value that begins with "~*" is an expression. */
static bool are_plain(const json_t *values)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)values, i, v)
		if (!json_is_string(v) || str_starts(jsn_string(v), STR("~*")))
			return false;
	return json_array_size(values) > 0;
}

void kong_headers(struct kong_plugins *p, const json_t *headers, struct str where)
{
	const char *name;
	json_t *values, *v;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)headers, name, values) {
		if (!is_token(str_of(name)) || !are_plain(values)) {
			policy_closed(&p->inbound, "a header as a condition, which is an expression");
			import_not_possible(p->bundle->report, where, "the header %.80s as a condition is an expression, or no plain name: calls are answered 501; write a <choose> "
					    "that refuses those without it, and take the return-response out of the policy", name);
			continue;
		}
		buf_fmt(&p->inbound, "    <check-header name=\"%s\" failed-check-httpcode=\"404\" failed-check-error-message=\"Not Found\" ignore-case=\"true\">\n",
			name);
		json_array_foreach(values, i, v) {
			buf_cstr(&p->inbound, "      <value>");
			policy_value(&p->inbound, jsn_string(v));
			buf_cstr(&p->inbound, "</value>\n");
		}
		buf_cstr(&p->inbound, "    </check-header>\n");
		import_approximated(p->bundle->report, where, "calls without the header %.80s that it asks for are answered 404 (check-header)", name);
	}
}

/* ---- limits ------------------------------------------------------------------------------------------------------------------------- */

static void counter_key(struct buf *b, const json_t *c, struct str where)
{
	struct str by = jsn_str(c, "limit_by"), header = jsn_str(c, "header_name");

	if (str_eq(by, STR("ip"))) {
		buf_cstr(b, "@(context.Request.IpAddress)");
	} else if (str_eq(by, STR("header")) && is_token(header)) {
		buf_fmt(b, "@(context.Request.Headers.GetValueOrDefault(&quot;%.*s&quot;, context.Request.IpAddress))", STR_ARG(header));
	} else if (str_eq(by, STR("service")) || str_eq(by, STR("path"))) {
		policy_value(b, where);
	} else {
		buf_cstr(b, "@(context.Subscription?.Id ?? context.Request.IpAddress)");
	}
}

static void one_limit(struct kong_plugins *p, const json_t *c, struct str where, int64_t calls, int64_t seconds)
{
	buf_fmt(&p->inbound, "    <%s calls=\"%lld\" renewal-period=\"%lld\" counter-key=\"", seconds <= RATE_WINDOW_MAX ? "rate-limit-by-key" :
		"quota-by-key", (long long)calls, (long long)seconds);
	counter_key(&p->inbound, c, where);
	buf_cstr(&p->inbound, "\" />\n");
}

static void rate_limiting(struct kong_plugins *p, const json_t *c, struct str where)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} windows[] = { { "second", 1 }, { "minute", 60 }, { "hour", 3600 }, { "day", 86400 }, { "month", 2592000 }, { "year", 31536000 } };
	const json_t *limits = jsn_arr(c, "limit"), *sizes = jsn_arr(c, "window_size");

	for (size_t i = 0; i < ARRAY_LEN(windows); i++)
		if (jsn_int(c, windows[i].name, 0) > 0)
			one_limit(p, c, where, jsn_int(c, windows[i].name, 0), windows[i].seconds);
	for (size_t i = 0; i < json_array_size(limits) && i < json_array_size(sizes); i++)      /* rate-limiting-advanced */
		one_limit(p, c, where, json_integer_value(json_array_get(limits, i)), json_integer_value(json_array_get(sizes, i)));
	import_approximated(p->bundle->report, where, "rate-limiting: windows up to 5 minutes slide (rate-limit-by-key), longer ones are fixed "
			    "(quota-by-key); exact over all workers");
}

/* ---- headers, queries ------------------------------------------------------------------------------------------------------------------ */

typedef void set_one(struct buf *b, struct str name, const char *action, struct str value);

static void set_list(struct buf *b, const json_t *list, const char *action, set_one *set)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		struct str pair = jsn_string(v);
		size_t colon = str_find_char(pair, ':');

		if (pair.n)
			set(b, str_first(pair, colon), action, colon == SIZE_MAX ? STR_NULL : str_trim(str_from(pair, colon + 1)));
	}
}

static bool is_plain_template(struct str s)
{
	return str_find(s, STR("$(")) == SIZE_MAX;
}

static void method_of(struct buf *b, struct str method)
{
	if (!method.n)
		return;
	buf_cstr(b, "    <set-method>");
	policy_value(b, method);
	buf_cstr(b, "</set-method>\n");
}

static bool templates(const json_t *list)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		if (!is_plain_template(jsn_string(v)))
			return true;
	return false;
}

static void transformer(struct kong_plugins *p, const json_t *c, struct str where, bool request)
{
	static const struct {
		const char *name, *action;
	} actions[] = { { "remove", "delete" }, { "replace", "override" }, { "add", "skip" }, { "append", "append" } };
	struct buf *to = request ? &p->inbound : &p->outbound;
	bool rest = false;

	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		const json_t *part = jsn_obj(c, actions[i].name);

		if (templates(jsn_get(part, "headers")) || templates(jsn_get(part, "querystring"))) {
			rest = true;             /* "$(headers.a)" is code of Kong's: as a text it would be wrong */
			continue;
		}
		set_list(to, jsn_get(part, "headers"), actions[i].action, policy_set_header);
		if (request)
			set_list(to, jsn_get(part, "querystring"), actions[i].action, policy_set_query);
		rest = rest || json_array_size(jsn_get(part, "body")) || json_array_size(jsn_get(part, "json"));
		if (request && i == 1 && jsn_str(part, "uri").n && str_find_char(jsn_str(part, "uri"), '$') == SIZE_MAX) {
			buf_cstr(to, "    <rewrite-uri template=\"");
			policy_value(to, jsn_str(part, "uri"));
			buf_cstr(to, "\" />\n");
		} else {
			rest = rest || jsn_str(part, "uri").n;
		}
	}
	if (request)
		method_of(to, jsn_str(c, "http_method"));
	rest = rest || json_array_size(jsn_get(jsn_obj(c, "rename"), "body")) || json_array_size(jsn_get(jsn_obj(c, "rename"), "json"));
	rest = rest || json_array_size(jsn_get(jsn_obj(c, "rename"), "headers")) || json_array_size(jsn_get(jsn_obj(c, "rename"), "querystring"));
	if (rest)
		import_not_possible(p->bundle->report, where, "%s-transformer: changes of bodies, renamed fields and templates ($(...)); write them with "
				    "set-body, set-header and rewrite-uri", request ? "request" : "response");
	else
		import_taken(p->bundle->report, "plugin", 1);
}

static void cors(struct kong_plugins *p, const json_t *c, struct str where)
{
	static const struct {
		const char *field, *list, *item, *otherwise;
	} lists[] = { { "origins", "allowed-origins", "origin", "*" }, { "methods", "allowed-methods", "method", "*" },
		      { "headers", "allowed-headers", "header", "*" }, { "exposed_headers", "expose-headers", "header", NULL } };
	struct buf *b = &p->inbound;

	buf_fmt(b, "    <cors%s>\n", jsn_bool(c, "credentials", false) ? " allow-credentials=\"true\"" : "");
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const json_t *values = jsn_arr(c, lists[i].field);
		size_t n = json_array_size(values);

		if (!n && !lists[i].otherwise)
			continue;
		buf_fmt(b, "      <%s", lists[i].list);
		if (i == 1 && jsn_int(c, "max_age", 0) > 0)
			buf_fmt(b, " preflight-result-max-age=\"%lld\"", (long long)jsn_int(c, "max_age", 0));
		buf_cstr(b, ">\n");
		for (size_t k = 0; k < n || (k == 0 && !n); k++) {
			buf_fmt(b, "        <%s>", lists[i].item);
			policy_value(b, n ? jsn_string(json_array_get(values, k)) : str_of(lists[i].otherwise));
			buf_fmt(b, "</%s>\n", lists[i].item);
		}
		buf_fmt(b, "      </%s>\n", lists[i].list);
	}
	buf_cstr(b, "    </cors>\n");
	import_taken(p->bundle->report, "plugin", 1);
	(void)where;
}

/* ---- who may call ------------------------------------------------------------------------------------------------------------------------ */

static void ip_filter(struct kong_plugins *p, const json_t *list, const char *action)
{
	size_t i;
	json_t *v;

	if (json_array_size(list) == 0)
		return;
	buf_fmt(&p->inbound, "    <ip-filter action=\"%s\">\n", action);
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		buf_cstr(&p->inbound, "      <address>");
		policy_value(&p->inbound, jsn_string(v));
		buf_cstr(&p->inbound, "</address>\n");
	}
	buf_cstr(&p->inbound, "    </ip-filter>\n");
}

static void ip_restriction(struct kong_plugins *p, const json_t *c, struct str where UNUSED)
{
	ip_filter(p, jsn_arr(c, "allow") ? jsn_arr(c, "allow") : jsn_arr(c, "whitelist"), "allow");
	ip_filter(p, jsn_arr(c, "deny") ? jsn_arr(c, "deny") : jsn_arr(c, "blacklist"), "forbid");
	import_taken(p->bundle->report, "plugin", 1);
}

static void key_auth(struct kong_plugins *p, const json_t *c, struct str where UNUSED)
{
	struct str name = jsn_string(json_array_get(jsn_arr(c, "key_names"), 0));

	p->key = true;
	p->key_anonymous = jsn_str(c, "anonymous").n > 0;
	p->key_name = name.n ? name : STR("apikey");
	p->key_in_header = jsn_bool(c, "key_in_header", true);
	p->key_in_query = jsn_bool(c, "key_in_query", true);
	import_taken(p->bundle->report, "plugin", 1);
}

/* What is asked of a token or of its owner beyond issuer, audience and scope. */
static const char *openid_rule(const json_t *c)
{
	static const char *const rules[] = { "groups_required", "roles_required", "claims_forbidden", "consumer_claim", "consumer_claims" };

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (json_array_size(jsn_get(c, rules[i])) || json_object_size(jsn_get(c, rules[i])) || jsn_str(c, rules[i]).n)
			return rules[i];
	return NULL;
}

static void openid_connect(struct kong_plugins *p, const json_t *c, struct str where)
{
	const json_t *list = jsn_arr(c, "audience_required") ? jsn_arr(c, "audience_required") : jsn_arr(c, "audience");
	struct policy_jwt jwt = { .issuer = jsn_str(c, "issuer"), .scopes = jsn_arr(c, "scopes_required") };

	for (; jwt.n < json_array_size(list) && jwt.n < ARRAY_LEN(jwt.audiences); jwt.n++)
		jwt.audiences[jwt.n] = jsn_string(json_array_get(list, jwt.n));
	if (!jsn_str(c, "issuer").n) {
		policy_closed(&p->inbound, "openid-connect without an issuer");
		import_not_possible(p->bundle->report, where, "openid-connect without an issuer: its calls are answered 501");
		return;
	}
	policy_jwt(&p->inbound, &jwt);
	if (openid_rule(c)) {
		policy_closed(&p->inbound, arena_printf(p->bundle->arena, "openid-connect with %s", openid_rule(c)).p);
		import_not_possible(p->bundle->report, where, "openid-connect with %s, which keeps calls out: they are answered 501 until you say it with "
				    "required-claims in validate-jwt and take the return-response out of the policy", openid_rule(c));
		return;
	}
	import_approximated(p->bundle->report, where, "openid-connect: bearer tokens of the issuer are checked (validate-jwt); signing in with "
			    "a browser is a feature of the identity-aware proxy, gatehouse iap; its other settings are left out");
}

/* ---- others -------------------------------------------------------------------------------------------------------------------------------- */

static void size_limit(struct kong_plugins *p, const json_t *c, struct str where)
{
	int64_t unit = str_eq(jsn_str(c, "size_unit"), STR("bytes")) ? 1 : str_eq(jsn_str(c, "size_unit"), STR("kilobytes")) ? 1000 : 1000000;
	int64_t bytes = jsn_int(c, "allowed_payload_size", 128) * unit;

	buf_fmt(&p->inbound, "    <validate-content unspecified-content-type-action=\"ignore\" max-size=\"%lld\" size-exceeded-action=\"prevent\" />\n",
		(long long)(bytes > 4194304 ? 4194304 : bytes));
	if (bytes > 4194304)
		import_approximated(p->bundle->report, where, "request-size-limiting: at most 4194304 bytes are looked at");
	else
		import_taken(p->bundle->report, "plugin", 1);
}

static void terminate(struct buf *b, const json_t *c)
{
	struct str body = jsn_str(c, "body").n ? jsn_str(c, "body") : jsn_str(c, "message"), type = jsn_str(c, "content_type");

	buf_fmt(b, "    <return-response>\n      <set-status code=\"%lld\" />\n", (long long)jsn_int(c, "status_code", 503));
	if (type.n)
		policy_set_header(b, STR("Content-Type"), "override", type);
	if (body.n) {
		buf_cstr(b, "      <set-body>");
		policy_value(b, body);
		buf_cstr(b, "</set-body>\n");
	}
	buf_cstr(b, "    </return-response>\n");
}

/* With a trigger only calls with a header or parameter of that name are ended. */
static void termination(struct kong_plugins *p, const json_t *c, struct str where)
{
	struct str trigger = jsn_str(c, "trigger");

	if (trigger.n && !is_token(trigger)) {
		policy_closed(&p->inbound, "request-termination with a trigger that is no plain name");
		import_not_possible(p->bundle->report, where, "request-termination: its trigger %.*s is no plain name; calls are answered 501", STR_ARG(trigger));
		return;
	}
	if (trigger.n)
		buf_fmt(&p->inbound, "    <choose>\n    <when condition=\"@(context.Request.Headers.ContainsKey(&quot;%.*s&quot;) || "
			"context.Request.OriginalUrl.Query.ContainsKey(&quot;%.*s&quot;))\">\n", STR_ARG(trigger), STR_ARG(trigger));
	terminate(&p->inbound, c);
	if (trigger.n)
		buf_cstr(&p->inbound, "    </when>\n    </choose>\n");
	import_taken(p->bundle->report, "plugin", 1);
}

static void vary(struct buf *b, const json_t *list, const char *element)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		buf_fmt(b, "      <%s>", element);
		policy_value(b, jsn_string(v));
		buf_fmt(b, "</%s>\n", element);
	}
}

static void proxy_cache(struct kong_plugins *p, const json_t *c, struct str where)
{
	if (p->everywhere) {
		import_not_possible(p->bundle->report, where, "proxy-cache of all services: an answer that was kept would be given before what guards a route; "
				    "make cache rules (gatehouse cache set), or write cache-lookup into the policies of APIs");
		return;
	}
	/* Kong keeps answers for each consumer apart */
	buf_cstr(&p->late, "    <cache-lookup vary-by-developer=\"true\" vary-by-developer-groups=\"false\">\n");
	vary(&p->late, jsn_arr(c, "vary_headers"), "vary-by-header");
	vary(&p->late, jsn_arr(c, "vary_query_params"), "vary-by-query-parameter");
	buf_cstr(&p->late, "    </cache-lookup>\n");
	buf_fmt(&p->outbound, "    <cache-store duration=\"%lld\" />\n", (long long)jsn_int(c, "cache_ttl", 300));
	import_approximated(p->bundle->report, where, "proxy-cache: which answers are kept is decided by RFC 9111, not by lists of statuses and types; they "
			    "are kept apart for each user, so give subscriptions whose answers differ a user");
}

static void correlation(struct kong_plugins *p, const json_t *c, struct str where UNUSED)
{
	struct str name = jsn_str(c, "header_name").n ? jsn_str(c, "header_name") : STR("Kong-Request-ID");

	buf_cstr(&p->inbound, "    <set-header name=\"");
	policy_value(&p->inbound, name);
	buf_cstr(&p->inbound, "\" exists-action=\"skip\">\n      <value>@(context.RequestId.ToString())</value>\n    </set-header>\n");
	if (jsn_bool(c, "echo_downstream", false) && is_token(name))
		buf_fmt(&p->outbound, "    <set-header name=\"%.*s\" exists-action=\"override\">\n      <value>@(context.Request.Headers.GetValueOrDefault("
			"&quot;%.*s&quot;, &quot;&quot;))</value>\n    </set-header>\n", STR_ARG(name), STR_ARG(name));
	import_taken(p->bundle->report, "plugin", 1);
}

static void request_transformer(struct kong_plugins *p, const json_t *c, struct str where)
{
	transformer(p, c, where, true);
}

static void response_transformer(struct kong_plugins *p, const json_t *c, struct str where)
{
	transformer(p, c, where, false);
}

static const struct {
	const char *name;
	void (*take)(struct kong_plugins *p, const json_t *config, struct str where);
} known[] = {
	{ "cors", cors }, { "correlation-id", correlation }, { "ip-restriction", ip_restriction }, { "key-auth", key_auth },
	{ "key-auth-enc", key_auth }, { "openid-connect", openid_connect }, { "proxy-cache", proxy_cache },
	{ "proxy-cache-advanced", proxy_cache }, { "rate-limiting", rate_limiting }, { "rate-limiting-advanced", rate_limiting },
	{ "request-size-limiting", size_limit }, { "request-termination", termination }, { "request-transformer", request_transformer },
	{ "request-transformer-advanced", request_transformer }, { "response-transformer", response_transformer },
	{ "response-transformer-advanced", response_transformer },
};

/* Plugins that keep calls out, and what says the same here. */
#define ELSEWHERE "say who may call with gatehouse access set"
#define IN_POLICY "write the check as an expression in a <choose>"
static const char *const guards[][2] = {
	{ "oauth2", "make clients (gatehouse caller create client), which get tokens at /-/oauth2/token, and gatehouse access set --api ID jwt" },
	{ "oauth2-introspection", "gatehouse access set --api ID 'introspect(endpoint=ADDRESS, client-id=ID, client-secret={{named-value}})'" },
	{ "mtls-auth", "gatehouse certificate set ID --file ca.pem --authority, and gatehouse access set --api ID 'cert(ca=ID)'" },
	{ "header-cert-auth", "gatehouse certificate set ID --file ca.pem --authority, and gatehouse access set --api ID 'cert(ca=ID)'; docs/operator.md says how the header is trusted" },
	{ "tls-handshake-modifier", "the web server asks for certificates; gatehouse access set --api ID 'cert(ca=ID)'" },
	{ "ldap-auth", "gatehouse access set --api ID 'jwt(issuer=ADDRESS)' of a provider in front of the directory, or basic" },
	{ "ldap-auth-advanced", "gatehouse access set --api ID 'jwt(issuer=ADDRESS)' of a provider in front of the directory, or basic" },
	{ "saml", "the identity-aware proxy signs people in with OpenID: gatehouse iap" }, { "session", "the identity-aware proxy keeps sessions: gatehouse iap" },
	{ "vault-auth", ELSEWHERE }, { "jwt-signer", "gatehouse access set --api ID 'jwt(issuer=ADDRESS)', with identity.token for a token to the backend" },
	{ "access-control-enforcement", ELSEWHERE }, { "forward-proxy", "<proxy url=\"ADDRESS\" /> in its policy" },
	{ "opa", "ask it with <send-request> and answer by <choose>" }, { "bot-detection", "<choose> over context.Request.Headers[\"User-Agent\"]" },
	{ "request-validator", "<validate-content> and <validate-parameters> with the API's description" },
	{ "oas-validation", "<validate-content> and <validate-parameters> with the API's description" }, { "websocket-validator", IN_POLICY },
	{ "json-threat-protection", "<validate-content> with max-size and a schema" }, { "xml-threat-protection", "<validate-content> with max-size and a schema" },
	{ "injection-protection", IN_POLICY }, { "pre-function", IN_POLICY }, { "post-function", IN_POLICY }, { "ai-prompt-guard", IN_POLICY },
	{ "ai-semantic-prompt-guard", IN_POLICY }, { "ai-azure-content-safety", IN_POLICY }, { "ai-aws-guardrails", IN_POLICY }, { "ai-lakera-guard", IN_POLICY },
	{ "ai-gcp-model-armor", IN_POLICY }, { "standard-webhooks", "check the signature in an expression, or gatehouse access set --api ID 'hmac(...)'" },
	{ "konnect-application-auth", ELSEWHERE }, { "application-registration", ELSEWHERE },
	{ "request-callout", "ask with <send-request> and answer by <choose>" },
};
/* Plugins that somebody wrote to keep calls out are named so; what the backend is shown is none of them. */
static const char *const guard_words[] = { "auth", "jwt", "oidc", "openid", "saml", "ldap", "token", "firewall", "waf" };

static const char *const logs[] = { "file-log", "http-log", "tcp-log", "udp-log", "syslog", "loggly", "kafka-log", "statsd", "statsd-advanced",
	"prometheus", "datadog", "zipkin", "opentelemetry" };

static bool listed(const char *const *list, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(name, str_of(list[i])))
			return true;
	return false;
}

static const char *advice_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(guards); i++)
		if (str_eq(name, str_of(guards[i][0])))
			return guards[i][1];
	for (size_t i = 0; i < ARRAY_LEN(guard_words) && str_find(name, STR("upstream")) == SIZE_MAX; i++)
		if (str_find(name, str_of(guard_words[i])) != SIZE_MAX)
			return ELSEWHERE;
	return NULL;
}

/* What of them becomes a rule is seen when all plugins of the route are known. */
static bool asks_who(struct kong_plugins *p, const json_t *plugin, struct str name)
{
	static const char *const names[KONG_ASKS__COUNT] = { "basic-auth", "hmac-auth", "jwt", "acl" };

	for (unsigned i = 0; i < KONG_ASKS__COUNT; i++)
		if (str_eq(name, str_of(names[i]))) {
			p->asks[i] = jsn_obj(plugin, "config") ? jsn_obj(plugin, "config") : jsn_keep(p->bundle->arena, json_object());
			return true;
		}
	return false;
}

void kong_plugin(struct kong_plugins *p, const json_t *plugin, struct str where)
{
	struct str name = jsn_str(plugin, "name"), at = arena_printf(p->bundle->arena, "plugin %.*s of %.*s", STR_ARG(name), STR_ARG(where));
	struct import_report *r = p->bundle->report;

	if (!jsn_bool(plugin, "enabled", true)) {
		import_not_possible(r, at, "it is switched off and left out");
		return;
	}
	kong_tell(r, "plugin", plugin, at);
	if (jsn_get(plugin, "consumer") || jsn_get(plugin, "consumer_group")) {
		import_not_possible(r, at, "it is for one consumer only; give that subscription a tier, or ask for it in a <choose>");
		return;
	}
	if (asks_who(p, plugin, name)) {
		kong_tell(r, arena_cstr(p->bundle->arena, name), jsn_get(plugin, "config"), at);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (str_eq(name, str_of(known[i].name))) {
			known[i].take(p, jsn_get(plugin, "config"), at);
			if (kong_fields(name))
				kong_tell(r, known[i].name, jsn_get(plugin, "config"), at);
			return;
		}
	}
	if (advice_of(name)) {
		policy_closed(&p->inbound, arena_printf(p->bundle->arena, "the plugin %.*s", STR_ARG(name)).p);
		import_not_possible(r, at, "it keeps calls out, and its rules cannot be taken over. Here: %s. Calls are answered 501 until you take the "
				    "return-response out of the policy", advice_of(name));
	} else if (listed(logs, ARRAY_LEN(logs), name)) {
		import_not_possible(r, at, "all calls are recorded here (gatehouse log, metrics); for a copy elsewhere make a logger and use log-to-eventhub");
	} else {
		import_not_possible(r, at, "there is no counterpart; it is left out");
	}
}
