/* What the reference's pages say of each attribute, held against the tables that documents are checked by: required or not,
 * the default where a page names one, and whether an expression may stand there. The rows are facts of the pages, written
 * down apart from our tables; where the two differ on purpose, a comment of the table (policy/elements) says why:
 * set-status takes no reason in many deployed documents, and a page's own example leaves estimate-prompt-tokens out. */
#include "tests/unit/check.h"

#include "policy/element.h"

enum { OPTIONAL, REQUIRED };
enum { LITERAL, EXPRESSION };

static const struct {
	const char *policy, *attribute;
	int required;
	const char *def;             /* NULL: the page names none */
	int expression;
} rows[] = {
	{ "authentication-basic", "password", REQUIRED, NULL, EXPRESSION },
	{ "authentication-basic", "username", REQUIRED, NULL, EXPRESSION },
	{ "authentication-certificate", "body", OPTIONAL, NULL, EXPRESSION },
	{ "authentication-certificate", "certificate-id", OPTIONAL, NULL, EXPRESSION },
	{ "authentication-certificate", "password", OPTIONAL, NULL, EXPRESSION },
	{ "authentication-certificate", "thumbprint", OPTIONAL, NULL, EXPRESSION },
	{ "authentication-managed-identity", "client-id", OPTIONAL, NULL, LITERAL },
	{ "authentication-managed-identity", "ignore-error", OPTIONAL, "false", EXPRESSION },
	{ "authentication-managed-identity", "output-token-variable-name", OPTIONAL, NULL, LITERAL },
	{ "authentication-managed-identity", "resource", REQUIRED, NULL, EXPRESSION },
	{ "azure-openai-emit-token-metric", "namespace", OPTIONAL, NULL, LITERAL },
	{ "azure-openai-semantic-cache-lookup", "embeddings-backend-auth", OPTIONAL, NULL, EXPRESSION },
	{ "azure-openai-semantic-cache-lookup", "embeddings-backend-id", REQUIRED, NULL, EXPRESSION },
	{ "azure-openai-semantic-cache-lookup", "ignore-system-messages", OPTIONAL, "false", EXPRESSION },
	{ "azure-openai-semantic-cache-lookup", "max-message-count", OPTIONAL, NULL, EXPRESSION },
	{ "azure-openai-semantic-cache-lookup", "score-threshold", REQUIRED, NULL, EXPRESSION },
	{ "azure-openai-semantic-cache-store", "cache-response", OPTIONAL, "false", EXPRESSION },
	{ "azure-openai-semantic-cache-store", "duration", REQUIRED, NULL, EXPRESSION },
	{ "azure-openai-token-limit", "counter-key", REQUIRED, NULL, EXPRESSION },
	{ "azure-openai-token-limit", "estimate-prompt-tokens", OPTIONAL, NULL, EXPRESSION },
	{ "azure-openai-token-limit", "token-quota", OPTIONAL, NULL, EXPRESSION },
	{ "azure-openai-token-limit", "token-quota-period", OPTIONAL, NULL, EXPRESSION },
	{ "azure-openai-token-limit", "tokens-per-minute", OPTIONAL, NULL, EXPRESSION },
	{ "cache-lookup", "allow-private-response-caching", OPTIONAL, "false", EXPRESSION },
	{ "cache-lookup", "caching-type", OPTIONAL, "prefer-external", LITERAL },
	{ "cache-lookup", "downstream-caching-type", OPTIONAL, "none", EXPRESSION },
	{ "cache-lookup", "must-revalidate", OPTIONAL, "true", EXPRESSION },
	{ "cache-lookup", "vary-by-developer", REQUIRED, NULL, EXPRESSION },
	{ "cache-lookup", "vary-by-developer-groups", REQUIRED, NULL, EXPRESSION },
	{ "cache-lookup-value", "caching-type", OPTIONAL, "prefer-external", LITERAL },
	{ "cache-lookup-value", "default-value", OPTIONAL, NULL, EXPRESSION },
	{ "cache-lookup-value", "key", REQUIRED, NULL, EXPRESSION },
	{ "cache-lookup-value", "variable-name", REQUIRED, NULL, LITERAL },
	{ "cache-remove-value", "caching-type", OPTIONAL, "prefer-external", LITERAL },
	{ "cache-remove-value", "fail-on-cache-removal-error", OPTIONAL, "false", EXPRESSION },
	{ "cache-remove-value", "key", REQUIRED, NULL, EXPRESSION },
	{ "cache-store", "cache-response", OPTIONAL, "false", EXPRESSION },
	{ "cache-store", "duration", REQUIRED, NULL, EXPRESSION },
	{ "cache-store-value", "caching-type", OPTIONAL, "prefer-external", LITERAL },
	{ "cache-store-value", "duration", REQUIRED, NULL, EXPRESSION },
	{ "cache-store-value", "key", REQUIRED, NULL, EXPRESSION },
	{ "cache-store-value", "value", REQUIRED, NULL, EXPRESSION },
	{ "check-header", "failed-check-error-message", REQUIRED, NULL, EXPRESSION },
	{ "check-header", "failed-check-httpcode", REQUIRED, NULL, EXPRESSION },
	{ "check-header", "ignore-case", REQUIRED, NULL, EXPRESSION },
	{ "check-header", "name", REQUIRED, NULL, EXPRESSION },
	{ "cors", "allow-credentials", OPTIONAL, "false", EXPRESSION },
	{ "cors", "terminate-unmatched-request", OPTIONAL, NULL, EXPRESSION },
	{ "emit-metric", "name", REQUIRED, NULL, LITERAL },
	{ "emit-metric", "namespace", OPTIONAL, "API Management", LITERAL },
	{ "emit-metric", "value", OPTIONAL, "1", EXPRESSION },
	{ "find-and-replace", "from", REQUIRED, NULL, EXPRESSION },
	{ "find-and-replace", "to", REQUIRED, NULL, EXPRESSION },
	{ "forward-request", "buffer-request-body", OPTIONAL, "false", EXPRESSION },
	{ "forward-request", "buffer-response", OPTIONAL, "true", EXPRESSION },
	{ "forward-request", "continue-timeout", OPTIONAL, NULL, EXPRESSION },
	{ "forward-request", "fail-on-error-status-code", OPTIONAL, "false", LITERAL },
	{ "forward-request", "follow-redirects", OPTIONAL, "false", EXPRESSION },
	{ "forward-request", "http-version", OPTIONAL, "1", EXPRESSION },
	{ "forward-request", "timeout", OPTIONAL, NULL, EXPRESSION },
	{ "forward-request", "timeout-ms", OPTIONAL, NULL, EXPRESSION },
	{ "get-authorization-context", "authorization-id", REQUIRED, NULL, EXPRESSION },
	{ "get-authorization-context", "context-variable-name", REQUIRED, NULL, EXPRESSION },
	{ "get-authorization-context", "identity", OPTIONAL, NULL, EXPRESSION },
	{ "get-authorization-context", "identity-type", OPTIONAL, "managed", EXPRESSION },
	{ "get-authorization-context", "ignore-error", OPTIONAL, "false", EXPRESSION },
	{ "get-authorization-context", "provider-id", REQUIRED, NULL, EXPRESSION },
	{ "include-fragment", "fragment-id", REQUIRED, NULL, LITERAL },
	{ "ip-filter", "action", REQUIRED, NULL, EXPRESSION },
	{ "json-to-xml", "apply", REQUIRED, NULL, EXPRESSION },
	{ "json-to-xml", "attribute-block-name", OPTIONAL, NULL, EXPRESSION },
	{ "json-to-xml", "consider-accept-header", OPTIONAL, "true", EXPRESSION },
	{ "json-to-xml", "namespace-prefix", OPTIONAL, NULL, EXPRESSION },
	{ "json-to-xml", "namespace-separator", OPTIONAL, "_", EXPRESSION },
	{ "json-to-xml", "parse-date", OPTIONAL, "true", LITERAL },
	{ "jsonp", "callback-parameter-name", REQUIRED, NULL, EXPRESSION },
	{ "limit-concurrency", "key", REQUIRED, NULL, EXPRESSION },
	{ "limit-concurrency", "max-count", REQUIRED, NULL, LITERAL },
	{ "llm-content-safety", "backend-id", REQUIRED, NULL, EXPRESSION },
	{ "llm-content-safety", "enforce-on-completions", OPTIONAL, NULL, EXPRESSION },
	{ "llm-content-safety", "shield-prompt", OPTIONAL, "false", EXPRESSION },
	{ "llm-content-safety", "window-overlap-size", OPTIONAL, NULL, EXPRESSION },
	{ "llm-content-safety", "window-size", OPTIONAL, NULL, EXPRESSION },
	{ "llm-emit-token-metric", "namespace", OPTIONAL, NULL, LITERAL },
	{ "llm-semantic-cache-lookup", "embeddings-backend-auth", OPTIONAL, NULL, EXPRESSION },
	{ "llm-semantic-cache-lookup", "embeddings-backend-id", REQUIRED, NULL, EXPRESSION },
	{ "llm-semantic-cache-lookup", "ignore-system-messages", OPTIONAL, "false", EXPRESSION },
	{ "llm-semantic-cache-lookup", "max-message-count", OPTIONAL, NULL, EXPRESSION },
	{ "llm-semantic-cache-lookup", "score-threshold", REQUIRED, NULL, EXPRESSION },
	{ "llm-semantic-cache-store", "cache-response", OPTIONAL, "false", EXPRESSION },
	{ "llm-semantic-cache-store", "duration", REQUIRED, NULL, EXPRESSION },
	{ "llm-token-limit", "counter-key", REQUIRED, NULL, EXPRESSION },
	{ "llm-token-limit", "estimate-prompt-tokens", OPTIONAL, NULL, EXPRESSION },
	{ "llm-token-limit", "token-quota", OPTIONAL, NULL, EXPRESSION },
	{ "llm-token-limit", "token-quota-period", OPTIONAL, NULL, EXPRESSION },
	{ "llm-token-limit", "tokens-per-minute", OPTIONAL, NULL, EXPRESSION },
	{ "log-to-eventhub", "logger-id", REQUIRED, NULL, LITERAL },
	{ "log-to-eventhub", "partition-id", OPTIONAL, NULL, LITERAL },
	{ "log-to-eventhub", "partition-key", OPTIONAL, NULL, EXPRESSION },
	{ "mock-response", "content-type", OPTIONAL, NULL, LITERAL },
	{ "mock-response", "status-code", OPTIONAL, "200", LITERAL },
	{ "proxy", "password", OPTIONAL, NULL, EXPRESSION },
	{ "proxy", "url", REQUIRED, NULL, EXPRESSION },
	{ "proxy", "username", OPTIONAL, NULL, EXPRESSION },
	{ "quota", "bandwidth", OPTIONAL, NULL, LITERAL },
	{ "quota", "calls", OPTIONAL, NULL, LITERAL },
	{ "quota", "renewal-period", REQUIRED, NULL, LITERAL },
	{ "quota-by-key", "bandwidth", OPTIONAL, NULL, LITERAL },
	{ "quota-by-key", "calls", OPTIONAL, NULL, LITERAL },
	{ "quota-by-key", "counter-key", REQUIRED, NULL, EXPRESSION },
	{ "quota-by-key", "first-period-start", OPTIONAL, "0001-01-01T00:00:00Z", LITERAL },
	{ "quota-by-key", "increment-condition", OPTIONAL, NULL, EXPRESSION },
	{ "quota-by-key", "increment-count", OPTIONAL, "1", EXPRESSION },
	{ "quota-by-key", "renewal-period", REQUIRED, NULL, LITERAL },
	{ "rate-limit", "calls", REQUIRED, NULL, LITERAL },
	{ "rate-limit", "remaining-calls-header-name", OPTIONAL, NULL, LITERAL },
	{ "rate-limit", "remaining-calls-variable-name", OPTIONAL, NULL, LITERAL },
	{ "rate-limit", "renewal-period", REQUIRED, NULL, LITERAL },
	{ "rate-limit", "retry-after-header-name", OPTIONAL, "Retry-After", LITERAL },
	{ "rate-limit", "retry-after-variable-name", OPTIONAL, NULL, LITERAL },
	{ "rate-limit", "total-calls-header-name", OPTIONAL, NULL, LITERAL },
	{ "rate-limit-by-key", "calls", REQUIRED, NULL, EXPRESSION },
	{ "rate-limit-by-key", "counter-key", REQUIRED, NULL, EXPRESSION },
	{ "rate-limit-by-key", "increment-condition", OPTIONAL, NULL, EXPRESSION },
	{ "rate-limit-by-key", "increment-count", OPTIONAL, "1", EXPRESSION },
	{ "rate-limit-by-key", "renewal-period", REQUIRED, NULL, EXPRESSION },
	{ "retry", "condition", REQUIRED, NULL, EXPRESSION },
	{ "retry", "count", REQUIRED, NULL, EXPRESSION },
	{ "retry", "delta", OPTIONAL, NULL, EXPRESSION },
	{ "retry", "first-fast-retry", OPTIONAL, "false", EXPRESSION },
	{ "retry", "interval", REQUIRED, NULL, EXPRESSION },
	{ "retry", "max-interval", OPTIONAL, NULL, EXPRESSION },
	{ "return-response", "response-variable-name", OPTIONAL, NULL, LITERAL },
	{ "rewrite-uri", "copy-unmatched-params", OPTIONAL, "true", EXPRESSION },
	{ "rewrite-uri", "template", REQUIRED, NULL, EXPRESSION },
	{ "send-one-way-request", "mode", OPTIONAL, "new", EXPRESSION },
	{ "send-one-way-request", "timeout", OPTIONAL, "60", EXPRESSION },
	{ "send-request", "ignore-error", OPTIONAL, "false", LITERAL },
	{ "send-request", "mode", OPTIONAL, "new", EXPRESSION },
	{ "send-request", "response-variable-name", REQUIRED, NULL, LITERAL },
	{ "send-request", "timeout", OPTIONAL, "60", EXPRESSION },
	{ "set-backend-service", "backend-id", OPTIONAL, NULL, EXPRESSION },
	{ "set-backend-service", "base-url", OPTIONAL, NULL, EXPRESSION },
	{ "set-backend-service", "dapr-app-id", OPTIONAL, NULL, EXPRESSION },
	{ "set-backend-service", "dapr-method", OPTIONAL, NULL, EXPRESSION },
	{ "set-backend-service", "dapr-namespace", OPTIONAL, NULL, EXPRESSION },
	{ "set-body", "parse-date", OPTIONAL, "true", LITERAL },
	{ "set-body", "xsi-nil", OPTIONAL, "blank", LITERAL },
	{ "set-header", "exists-action", OPTIONAL, "override", EXPRESSION },
	{ "set-header", "name", REQUIRED, NULL, EXPRESSION },
	{ "set-query-parameter", "exists-action", OPTIONAL, "override", EXPRESSION },
	{ "set-query-parameter", "name", REQUIRED, NULL, EXPRESSION },
	{ "set-status", "code", REQUIRED, NULL, EXPRESSION },
	{ "set-status", "reason", OPTIONAL, NULL, EXPRESSION },
	{ "set-variable", "name", REQUIRED, NULL, LITERAL },
	{ "set-variable", "value", REQUIRED, NULL, EXPRESSION },
	{ "trace", "severity", OPTIONAL, "verbose", LITERAL },
	{ "trace", "source", REQUIRED, NULL, LITERAL },
	{ "validate-azure-ad-token", "authentication-endpoint", OPTIONAL, NULL, EXPRESSION },
	{ "validate-azure-ad-token", "failed-validation-error-message", OPTIONAL, NULL, EXPRESSION },
	{ "validate-azure-ad-token", "failed-validation-httpcode", OPTIONAL, "401", EXPRESSION },
	{ "validate-azure-ad-token", "header-name", OPTIONAL, "Authorization", EXPRESSION },
	{ "validate-azure-ad-token", "output-token-variable-name", OPTIONAL, NULL, LITERAL },
	{ "validate-azure-ad-token", "query-parameter-name", OPTIONAL, NULL, EXPRESSION },
	{ "validate-azure-ad-token", "tenant-id", REQUIRED, NULL, EXPRESSION },
	{ "validate-azure-ad-token", "token-value", OPTIONAL, NULL, EXPRESSION },
	{ "validate-client-certificate", "ignore-error", OPTIONAL, "false", LITERAL },
	{ "validate-client-certificate", "validate-not-after", OPTIONAL, "true", LITERAL },
	{ "validate-client-certificate", "validate-not-before", OPTIONAL, "true", LITERAL },
	{ "validate-client-certificate", "validate-revocation", OPTIONAL, "true", LITERAL },
	{ "validate-client-certificate", "validate-trust", OPTIONAL, "true", LITERAL },
	{ "validate-content", "errors-variable-name", OPTIONAL, NULL, LITERAL },
	{ "validate-content", "max-size", REQUIRED, NULL, EXPRESSION },
	{ "validate-content", "size-exceeded-action", REQUIRED, NULL, EXPRESSION },
	{ "validate-content", "unspecified-content-type-action", REQUIRED, NULL, EXPRESSION },
	{ "validate-headers", "errors-variable-name", OPTIONAL, NULL, LITERAL },
	{ "validate-headers", "specified-header-action", REQUIRED, NULL, EXPRESSION },
	{ "validate-headers", "unspecified-header-action", REQUIRED, NULL, EXPRESSION },
	{ "validate-jwt", "clock-skew", OPTIONAL, "0", EXPRESSION },
	{ "validate-jwt", "failed-validation-error-message", OPTIONAL, NULL, EXPRESSION },
	{ "validate-jwt", "failed-validation-httpcode", OPTIONAL, "401", EXPRESSION },
	{ "validate-jwt", "header-name", OPTIONAL, NULL, EXPRESSION },
	{ "validate-jwt", "output-token-variable-name", OPTIONAL, NULL, LITERAL },
	{ "validate-jwt", "query-parameter-name", OPTIONAL, NULL, EXPRESSION },
	{ "validate-jwt", "require-expiration-time", OPTIONAL, "true", EXPRESSION },
	{ "validate-jwt", "require-scheme", OPTIONAL, NULL, EXPRESSION },
	{ "validate-jwt", "require-signed-tokens", OPTIONAL, "true", EXPRESSION },
	{ "validate-jwt", "token-value", OPTIONAL, NULL, EXPRESSION },
	{ "validate-parameters", "errors-variable-name", OPTIONAL, NULL, LITERAL },
	{ "validate-parameters", "specified-parameter-action", REQUIRED, NULL, EXPRESSION },
	{ "validate-parameters", "unspecified-parameter-action", REQUIRED, NULL, EXPRESSION },
	{ "validate-status-code", "errors-variable-name", OPTIONAL, NULL, LITERAL },
	{ "validate-status-code", "unspecified-status-code-action", REQUIRED, NULL, EXPRESSION },
	{ "wait", "for", OPTIONAL, "all", EXPRESSION },
	{ "xml-to-json", "always-array-child-elements", OPTIONAL, "false", EXPRESSION },
	{ "xml-to-json", "apply", REQUIRED, NULL, EXPRESSION },
	{ "xml-to-json", "consider-accept-header", OPTIONAL, "true", EXPRESSION },
	{ "xml-to-json", "kind", REQUIRED, NULL, EXPRESSION },
};

static const struct arg_schema *attribute_of(const char *policy, const char *attribute)
{
	for (size_t i = 0; policy_types[i]; i++)
		for (size_t k = 0; strcmp(policy_types[i]->schema->name, policy) == 0 && k < policy_types[i]->schema->n_args; k++)
			if (strcmp(policy_types[i]->schema->args[k].name, attribute) == 0)
				return &policy_types[i]->schema->args[k];
	return NULL;
}

static void test_attributes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct arg_schema *s = attribute_of(rows[i].policy, rows[i].attribute);
		char label[120];

		snprintf(label, sizeof(label), "%s: %s", rows[i].policy, rows[i].attribute);
		CHECK(label, s != NULL);
		if (!s)
			continue;
		CHECK_INT(label, (s->flags & ARG_REQUIRED) != 0, rows[i].required == REQUIRED);
		CHECK_INT(label, (s->flags & ARG_EXPR) != 0, rows[i].expression == EXPRESSION);
		if (rows[i].def)
			CHECK_STR(label, str_of(s->def ? s->def : ""), str_of(rows[i].def));
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_attributes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
