/* kong_fields.c - the members of decK's entities (https://developer.konghq.com/gateway/entities/). decK writes defaults out too, so
 * a table holds them: they say nothing. */
#include "config/import/kong_fields.h"

#include "core/str.h"

#define TLS_TO_BACKEND "TLS to the backend: gatehouse backend set --help, and name that backend in the API"
#define END { NULL, NULL, NULL }

static const struct import_field file[] = {
	{ "_format_version", NULL, NULL }, { "_info", NULL, NULL }, { "_transform", NULL, NULL }, { "_workspace", NULL, NULL }, { "_konnect", NULL, NULL },
	{ "_plugin_configs", NULL, NULL }, { "services", NULL, NULL }, { "routes", NULL, NULL }, { "plugins", NULL, NULL }, { "upstreams", NULL, NULL },
	{ "consumers", NULL, NULL }, { "certificates", "TLS ends at the web server: put them there", NULL }, { "snis", "TLS ends at the web server: name hosts there", NULL },
	{ "ca_certificates", "put them in with gatehouse certificate set --authority", NULL },
	{ "consumer_groups", "make tiers of the product: gatehouse tier create", NULL }, { "vaults", "secrets by reference: docs/secrets.md", NULL },
	{ "licenses", "none is needed", NULL }, { "keys", "keys of issuers are fetched, or stand in validate-jwt", NULL },
	{ "key_sets", "keys of issuers are fetched, or stand in validate-jwt", NULL }, { "filter_chains", "filters in WebAssembly are not run; write a policy", NULL },
	{ "rbac_roles", "roles of people are made here: docs/roles.md", NULL }, { "partials", "shared parts of plugins are not put in", NULL }, END,
};
static const struct import_field service[] = {
	{ "id", NULL, NULL }, { "name", NULL, NULL }, { "tags", NULL, NULL }, { "url", NULL, NULL }, { "protocol", NULL, NULL }, { "host", NULL, NULL }, { "port", NULL, NULL },
	{ "path", NULL, NULL }, { "enabled", NULL, NULL }, { "routes", NULL, NULL }, { "plugins", NULL, NULL }, { "read_timeout", NULL, NULL },
	{ "created_at", NULL, NULL }, { "updated_at", NULL, NULL },
	{ "retries", "write <retry> around forward-request, or give the backend a second member", "5" },
	{ "connect_timeout", "the time to connect is one for all: the setting gateway.connect_timeout_ms", "60000" },
	{ "write_timeout", "one time counts for the whole call: read_timeout", "60000" },
	{ "client_certificate", TLS_TO_BACKEND, NULL }, { "ca_certificates", TLS_TO_BACKEND, NULL }, { "tls_verify", NULL, NULL },
	{ "tls_verify_depth", TLS_TO_BACKEND, NULL }, { "tls_sans", TLS_TO_BACKEND, NULL }, END,
};
static const struct import_field route[] = {
	{ "id", NULL, NULL }, { "name", NULL, NULL }, { "tags", NULL, NULL }, { "service", NULL, NULL }, { "plugins", NULL, NULL }, { "paths", NULL, NULL },
	{ "methods", NULL, NULL }, { "hosts", NULL, NULL }, { "strip_path", NULL, NULL }, { "protocols", NULL, NULL }, { "expression", NULL, NULL },
	{ "created_at", NULL, NULL }, { "updated_at", NULL, NULL }, { "https_redirect_status_code", NULL, NULL },
	{ "path_handling", "paths are put behind that of the backend, as v0 does", "\"v0\"" },
	{ "regex_priority", "the longest path counts", NULL }, { "priority", "the longest path counts", NULL },
	{ "headers", NULL, NULL },
	{ "preserve_host", "use <set-header name=\"Host\"> in its policy", NULL },
	{ "request_buffering", NULL, NULL }, { "response_buffering", NULL, NULL },
	{ "snis", "a condition on the name in TLS, which ends at the web server", NULL },
	{ "sources", "a condition on addresses; use <ip-filter> in its policy", NULL },
	{ "destinations", "a condition on addresses of the gateway", NULL }, END,
};
static const struct import_field upstream[] = {
	{ "id", NULL, NULL }, { "name", NULL, NULL }, { "tags", NULL, NULL }, { "algorithm", NULL, NULL }, { "targets", NULL, NULL }, { "healthchecks", NULL, NULL },
	{ "created_at", NULL, NULL }, { "updated_at", NULL, NULL }, { "slots", NULL, NULL }, { "hash_on", NULL, NULL }, { "hash_on_header", NULL, NULL },
	{ "hash_on_cookie", NULL, NULL }, { "hash_on_cookie_path", NULL, NULL }, { "sticky_sessions_cookie_path", NULL, NULL },
	{ "hash_fallback", "there is one thing to hash on", "\"none\"" }, { "hash_fallback_header", "there is one thing to hash on", NULL },
	{ "hash_on_query_arg", "parameters cannot be hashed on; use header:NAME", NULL }, { "hash_fallback_query_arg", "there is one thing to hash on", NULL },
	{ "hash_on_uri_capture", "parts of the path cannot be hashed on; use path", NULL }, { "hash_fallback_uri_capture", "there is one thing to hash on", NULL },
	{ "sticky_sessions_cookie", "gatehouse backend set --affinity-cookie", NULL },
	{ "host_header", "use <set-header name=\"Host\"> in the policies of its APIs", NULL },
	{ "client_certificate", TLS_TO_BACKEND, NULL }, { "use_srv_name", "names of services (SRV) are not looked up", NULL }, END,
};
static const struct import_field target[] = {
	{ "id", NULL, NULL }, { "target", NULL, NULL }, { "weight", NULL, NULL }, { "tags", NULL, NULL }, { "upstream", NULL, NULL }, { "created_at", NULL, NULL },
	{ "updated_at", NULL, NULL }, { "failover", "give that member a later priority: gatehouse backend set --member", NULL }, END,
};
static const struct import_field consumer[] = {
	{ "id", NULL, NULL }, { "username", NULL, NULL }, { "custom_id", NULL, NULL }, { "tags", NULL, NULL }, { "keyauth_credentials", NULL, NULL },
	{ "created_at", NULL, NULL }, { "updated_at", NULL, NULL },
	{ "jwt_secrets", NULL, NULL }, { "basicauth_credentials", NULL, NULL }, { "hmacauth_credentials", NULL, NULL },
	{ "oauth2_credentials", "gatehouse caller create makes clients of the token endpoint here", NULL },
	{ "mtls_auth_credentials", "gatehouse access set 'cert(...)'", NULL },
	{ "acls", NULL, NULL }, { "groups", "give its subscription a tier", NULL },
	{ "plugins", "limits of one consumer: a tier, or gatehouse consumer-rule set", NULL }, END,
};
static const struct import_field plugin[] = {
	{ "id", NULL, NULL }, { "name", NULL, NULL }, { "instance_name", NULL, NULL }, { "enabled", NULL, NULL }, { "config", NULL, NULL }, { "_config", NULL, NULL },
	{ "service", NULL, NULL }, { "route", NULL, NULL }, { "consumer", NULL, NULL }, { "consumer_group", NULL, NULL }, { "protocols", NULL, NULL },
	{ "tags", NULL, NULL }, { "run_on", NULL, NULL }, { "created_at", NULL, NULL }, { "updated_at", NULL, NULL },
	{ "ordering", "policies run in the order of their text", NULL }, { "condition", "put it into a <choose>", NULL },
	{ "partials", "shared parts of plugins are not put in", NULL }, END,
};

/* ---- configurations of plugins --------------------------------------------------------------------------------------------------- */

#define WHERE_COUNTED "counters are shared by all workers, and by all machines with Redis (docs/redis.md)"
#define ANSWER "the answer of a refusal is written in <on-error>"

static const struct import_field rate_limiting[] = {
	{ "second", NULL, NULL }, { "minute", NULL, NULL }, { "hour", NULL, NULL }, { "day", NULL, NULL }, { "month", NULL, NULL }, { "year", NULL, NULL },
	{ "limit", NULL, NULL }, { "window_size", NULL, NULL }, { "limit_by", NULL, NULL }, { "identifier", NULL, NULL }, { "header_name", NULL, NULL }, { "path", NULL, NULL },
	{ "policy", WHERE_COUNTED, "\"local\"" }, { "strategy", WHERE_COUNTED, "\"local\"" }, { "redis", WHERE_COUNTED, NULL }, { "sync_rate", NULL, NULL },
	{ "redis_host", WHERE_COUNTED, NULL }, { "redis_port", NULL, NULL }, { "redis_timeout", NULL, NULL }, { "redis_database", NULL, NULL },
	{ "redis_password", NULL, NULL }, { "redis_username", NULL, NULL }, { "redis_ssl", NULL, NULL }, { "redis_ssl_verify", NULL, NULL },
	{ "redis_server_name", NULL, NULL }, { "fault_tolerant", NULL, NULL }, { "hide_client_headers", NULL, NULL }, { "namespace", NULL, NULL },
	{ "dictionary_name", NULL, NULL }, { "lock_dictionary_name", NULL, NULL }, { "window_type", NULL, NULL }, { "disable_penalty", NULL, NULL },
	{ "retry_after_jitter_max", NULL, NULL }, { "error_code", ANSWER, "429" }, { "error_message", ANSWER, "\"API rate limit exceeded\"" },
	{ "consumer_groups", "make tiers of the product: gatehouse tier create", NULL }, { "enforce_consumer_groups", NULL, NULL }, END,
};
static const struct import_field key_auth[] = {
	{ "key_names", NULL, NULL }, { "key_in_header", NULL, NULL }, { "key_in_query", NULL, NULL }, { "hide_credentials", NULL, NULL }, { "run_on_preflight", NULL, NULL },
	{ "realm", NULL, NULL }, { "key_in_body", "keys are looked for in header and query only", NULL }, { "identity_realms", "keys of this installation only", NULL },
	{ "anonymous", "calls without a key are refused; let them in with gatehouse access set 'key | anonymous'", NULL }, END,
};
#define ANONYMOUS { "anonymous", NULL, NULL }, { "realm", NULL, NULL }, { "run_on_preflight", NULL, NULL }, { "hide_credentials", NULL, NULL }
static const struct import_field basic_auth[] = {
	ANONYMOUS, { "brute_force_protection", "wrong passwords are remembered for a minute; a limit by address is <rate-limit-by-key>", NULL }, END,
};
static const struct import_field hmac_auth[] = {
	ANONYMOUS, { "clock_skew", NULL, NULL }, { "algorithms", NULL, NULL },
	{ "enforce_headers", "what must be signed is fixed: the request's line and host, a time, and of a body its digest", NULL },
	{ "validate_request_body", NULL, NULL }, END,
};
static const struct import_field jwt[] = {
	ANONYMOUS, { "key_claim_name", NULL, NULL }, { "secret_is_base64", NULL, NULL }, { "claims_to_verify", NULL, NULL }, { "header_names", NULL, NULL },
	{ "maximum_expiration", "how long tokens may be good is not limited", "0" },
	{ "uri_param_names", "tokens come in a header field only", "[\"jwt\"]" }, { "cookie_names", "tokens come in a header field only", NULL }, END,
};
static const struct import_field acl[] = {
	{ "allow", NULL, NULL }, { "deny", NULL, NULL }, { "whitelist", NULL, NULL }, { "blacklist", NULL, NULL },
	{ "hide_groups_header", "the groups of callers are in X-Consumer-Groups; identity.headers of the access rule names what is sent", NULL },
	{ "include_consumer_groups", "only groups of the consumer's acls count", NULL },
	{ "always_use_authenticated_groups", "only groups of the consumer's acls count", NULL }, END,
};
static const struct import_field cors[] = {
	{ "origins", NULL, NULL }, { "methods", NULL, NULL }, { "headers", NULL, NULL }, { "exposed_headers", NULL, NULL }, { "credentials", NULL, NULL }, { "max_age", NULL, NULL },
	{ "allow_origin_absent", NULL, NULL }, { "preflight_continue", "preflight requests are answered here", NULL },
	{ "private_network", "Access-Control-Allow-Private-Network: use <set-header> in outbound", NULL }, END,
};
static const struct import_field ip_restriction[] = {
	{ "allow", NULL, NULL }, { "deny", NULL, NULL }, { "whitelist", NULL, NULL }, { "blacklist", NULL, NULL }, { "status", ANSWER, "403" }, { "message", ANSWER, NULL }, END,
};
static const struct import_field transformer[] = {
	{ "http_method", NULL, NULL }, { "remove", NULL, NULL }, { "rename", NULL, NULL }, { "replace", NULL, NULL }, { "add", NULL, NULL }, { "append", NULL, NULL },
	{ "allow", "a list of what may pass: use set-body and <set-header exists-action=\"delete\">", NULL }, { "dots_in_keys", NULL, NULL }, END,
};
static const struct import_field correlation[] = {
	{ "header_name", NULL, NULL }, { "generator", NULL, NULL }, { "echo_downstream", NULL, NULL }, END,
};
static const struct import_field proxy_cache[] = {
	{ "cache_ttl", NULL, NULL }, { "strategy", NULL, NULL }, { "memory", NULL, NULL }, { "vary_headers", NULL, NULL }, { "vary_query_params", NULL, NULL },
	{ "response_code", NULL, NULL }, { "request_method", NULL, NULL }, { "content_type", NULL, NULL }, { "cache_control", NULL, NULL }, { "storage_ttl", NULL, NULL },
	{ "ignore_uri_case", NULL, NULL }, { "response_headers", NULL, NULL }, { "bypass_on_err", NULL, NULL }, { "redis", NULL, NULL }, END,
};
static const struct import_field size_limit[] = {
	{ "allowed_payload_size", NULL, NULL }, { "size_unit", NULL, NULL }, { "require_content_length", "use <check-header name=\"Content-Length\">", NULL }, END,
};
static const struct import_field termination[] = {
	{ "status_code", NULL, NULL }, { "message", NULL, NULL }, { "body", NULL, NULL }, { "content_type", NULL, NULL }, { "trigger", NULL, NULL },
	{ "echo", "the request is not sent back; use an expression in set-body", NULL }, END,
};

static const struct {
	const char *of;
	const struct import_field *fields;
} tables[] = {
	{ "file", file }, { "service", service }, { "route", route }, { "upstream", upstream }, { "target", target }, { "consumer", consumer }, { "plugin", plugin },
	{ "rate-limiting", rate_limiting }, { "rate-limiting-advanced", rate_limiting }, { "key-auth", key_auth }, { "key-auth-enc", key_auth }, { "cors", cors }, { "basic-auth", basic_auth }, { "hmac-auth", hmac_auth }, { "jwt", jwt }, { "acl", acl },
	{ "ip-restriction", ip_restriction }, { "request-transformer", transformer }, { "request-transformer-advanced", transformer },
	{ "response-transformer", transformer }, { "response-transformer-advanced", transformer }, { "correlation-id", correlation }, { "proxy-cache", proxy_cache },
	{ "proxy-cache-advanced", proxy_cache }, { "request-size-limiting", size_limit }, { "request-termination", termination },
};

const struct import_field *kong_fields(struct str of)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (str_eq(of, str_of(tables[i].of)))
			return tables[i].fields;
	return NULL;
}

void kong_tell(struct import_report *r, const char *of, const json_t *object, struct str what)
{
	import_fields(r, object, what, kong_fields(str_of(of)));
}
