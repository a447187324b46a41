/* samples.h - one document of each kind, in the order in which they can be written: what the tests of config/ walk over. */
#pragma once

static const struct sample {
	const char *kind, *id, *doc;
} samples[] = {
	{ "business-group", "sales", "{\"name\":\"Sales\",\"parent\":\"default\"}" },
	{ "environment", "sandbox", "{\"name\":\"Sandbox\",\"kind\":\"sandbox\",\"pathPrefix\":\"sandbox\",\"businessGroup\":\"sales\"}" },
	{ "group", "partners", "{\"name\":\"Partners\"}" },
	{ "role", "keeper", "{\"name\":\"Keeper\",\"permissions\":[\"view-apis\",\"view-traffic\"]}" },
	{ "identity-provider", "corp", "{\"issuer\":\"https://login.example/\",\"clientId\":\"gw\",\"clientSecret\":\"hush-hush\",\"groups\":{\"eng\":\"partners\"},"
	  "\"roles\":{\"api\":\"operator\"}}" },
	{ "certificate", "sample", "{\"certificate\":\"-----BEGIN CERTIFICATE-----\\nMIIBeTCCAR+gAwIBAgIUL2SjHCJ75JduiZGgBS2t1SPiyEUwCgYIKoZIzj0EA"
	  "wIw\\nETEPMA0GA1UEAwwGc2FtcGxlMCAXDTI2MTEyMTIyMjAwOVoYDzIxMjYxMDI4MjIy\\nMDA5WjARMQ8wDQYDVQQDDAZzYW1wbGUwWTATB"
	  "gcqhkjOPQIBBggqhkjOPQMBBwNC\\nAAQqW/s46BpiIuQD+6UHfnwMD4kgEtZjLubNVaj24aFe7pOte3+C/G0jUVLKLG6o\\nlIWYglfsC3T10"
	  "XPDQ3N+sfq1o1MwUTAdBgNVHQ4EFgQUKq5jQlGH61QD2KoPlBIf\\n1i4gN+swHwYDVR0jBBgwFoAUKq5jQlGH61QD2KoPlBIf1i4gN+swDwYD"
	  "VR0TAQH/\\nBAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBGmH41zv/0GTMVlqm/OWTyX9dmpyS5\\nEV+fgnrMW1WW9AIhANanDB4dNogZL99f"
	  "hAh9LjczGVpQp1W9CXclTq0SqBYu\\n-----END CERTIFICATE-----\\n\",\"authority\":true}" },
	{ "credential", "sandbox/erp", "{\"kind\":\"api-key\",\"settings\":{\"header\":\"X-Api-Key\"},\"secrets\":{\"value\":\"hush-hush\"}}" },
	{ "backend", "erp", "{\"name\":\"ERP\",\"url\":\"https://erp.example/\",\"breaker\":{\"rules\":[{\"name\":\"r\",\"tripDuration\":\"PT1M\","
	  "\"failureCondition\":{\"count\":5,\"interval\":\"PT1M\"}}]},\"health\":{\"path\":\"/health\"},\"credentials\":\"{\\\"header\\\":{}}\"}" },
	{ "backend", "spare", "{\"url\":\"https://spare.example/\",\"tlsMinVersion\":\"1.3\"}" },
	{ "backend", "pool", "{\"members\":[{\"backend\":\"spare\",\"priority\":2},{\"backend\":\"erp\",\"weight\":3}],\"balance\":\"hash\","
	  "\"hashOn\":\"header:X-Key\"}" },
	{ "named-value", "greeting", "{\"value\":\"hello\",\"tags\":[\"texts\"]}" },
	{ "schema", "order", "{\"schema\":\"{\\\"type\\\":\\\"object\\\"}\"}" },
	{ "logger", "hub", "{\"kind\":\"http\",\"settings\":{\"url\":\"https://log.example/\"},\"secretHeaders\":\"{\\\"Authorization\\\":\\\"hush\\\"}\"}" },
	{ "policy-fragment", "greet", "{\"policy\":\"<fragment><set-header name=\\\"X-Greeting\\\"><value>{{greeting}}</value></set-header></fragment>\"}" },
	{ "version-set", "orders", "{\"name\":\"Orders\",\"scheme\":\"header\",\"parameter\":\"X-Version\"}" },
	{ "api", "orders", "{\"name\":\"Orders\",\"path\":\"orders\",\"environment\":\"sandbox\",\"versionSet\":\"orders\",\"version\":\"v1\","
	  "\"backend\":\"pool\",\"tags\":[\"erp\"]}" },
	{ "sign-in", "orders", "{\"provider\":\"corp\",\"groups\":[\"eng\",\"sales team\"]}" },
	{ "operation", "orders/get-order", "{\"name\":\"Get order\",\"method\":\"GET\",\"uriTemplate\":\"/orders/{id}\",\"tags\":[\"read\"]}" },
	{ "api-description", "orders", "{\"document\":\"{\\\"openapi\\\":\\\"3.0.0\\\",\\\"info\\\":{\\\"title\\\":\\\"O\\\",\\\"version\\\":\\\"1\\\"},"
	  "\\\"paths\\\":{}}\"}" },
	{ "revision", "orders;rev=2", "{\"description\":\"Faster\",\"copyOf\":1}" },
	{ "operation", "orders;rev=2/list-orders", "{\"name\":\"List\",\"method\":\"GET\",\"uriTemplate\":\"/orders\"}" },
	{ "product", "gold", "{\"name\":\"Gold\",\"apis\":[\"orders\"],\"groups\":[\"partners\"]}" },
	{ "tier", "small", "{\"product\":\"gold\",\"name\":\"Small\",\"limits\":[{\"kind\":\"quota\",\"calls\":1000,\"seconds\":86400},"
	  "{\"kind\":\"rate\",\"calls\":5,\"seconds\":1}]}" },
	{ "user", "ann", "{\"email\":\"ann@example.com\",\"firstName\":\"Ann\",\"role\":\"administrator\"}" },
	{ "role-assignment", "ann-sandbox", "{\"role\":\"keeper\",\"user\":\"ann\",\"environment\":\"sandbox\"}" },
	{ "application", "shop", "{\"name\":\"Shop\",\"owners\":[\"ann\"]}" },
	{ "caller", "client:shop", "{\"application\":\"shop\",\"groups\":[\"partners\"],\"secret\":\"hush-hush-hush-hush\"}" },
	{ "caller", "token:https://login.example/ robot", "{\"name\":\"Robot\"}" },
	{ "subscription", "s1", "{\"product\":\"gold\",\"tier\":\"small\",\"application\":\"shop\",\"name\":\"Shop\"}" },
	{ "consumer-rule", "s1", "{\"limits\":[{\"kind\":\"rate\",\"calls\":5,\"seconds\":1,\"algorithm\":\"token-bucket\"}]}" },
	{ "consumer-rule", "s1/orders", "{\"methods\":[\"GET\"],\"operations\":[\"get-order\"]}" },
	{ "policy", "global", "{\"policy\":\"<policies><inbound><include-fragment fragment-id = 'greet' /></inbound><backend><base /></backend>"
	  "<outbound><base /></outbound><on-error><base /></on-error></policies>\"}" },
	{ "policy", "operation:orders/get-order", "{\"policy\":\"<policies><inbound><base /></inbound><backend><base /></backend>"
	  "<outbound><base /></outbound><on-error><base /></on-error></policies>\"}" },
	{ "policy", "api:orders;rev=2", "{\"policy\":\"<policies><inbound><base /></inbound><backend><base /></backend>"
	  "<outbound><base /></outbound><on-error><base /></on-error></policies>\"}" },
	{ "access-rule", "api:orders", "{\"rule\":{\"anyOf\":[{\"method\":\"key\"}]}}" },
	{ "network-rule", "product:gold", "{\"allow\":[\"10.0.0.0/8\"],\"httpsOnly\":true}" },
	{ "cache-rule", "operation:orders/get-order", "{\"ttl\":60,\"varyBy\":[\"Accept-Language\"]}" },
	{ "traffic-rule", "api:orders", "{\"canary\":{\"backend\":\"spare\",\"percent\":5,\"operations\":[\"get-order\"],\"products\":[\"gold\"],\"rollBack\":{\"errorPercent\":10}},\"mirror\":"
	  "{\"backend\":\"erp\"},\"faults\":[{\"percent\":100,\"delayMs\":5,\"header\":\"X-Fault\"}]}" },
	{ "network-rule", "all", "{\"deny\":[\"192.0.2.0/24\"]}" },
	{ "governance-ruleset", "security", "{\"severities\":{\"https-only\":\"off\"},\"environments\":[\"sandbox\"]}" },
	{ "governance-ruleset", "house", "{\"name\":\"House rules\",\"tags\":[\"erp\"],\"rules\":\"rules:\\n  title:\\n    given: $.info\\n"
	  "    then: {field: title, function: truthy}\\n\"}" },
	{ "governance-exception", "orders-tls", "{\"api\":\"orders\",\"rule\":\"security/backend-tls\",\"reason\":\"Old host\",\"owner\":\"ann@example.com\","
	  "\"ends\":\"2031-01-01T00:00:00Z\"}" },
	{ "page", "orders/start", "{\"title\":\"Start\",\"body\":\"# Start\",\"audience\":\"group\",\"group\":\"partners\"}" },
	{ "page", "welcome", "{\"title\":\"Welcome\",\"inMenu\":true}" },
	{ "alert-webhook", "chat", "{\"url\":\"https://hooks.example/x\",\"secret\":\"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}" },
	{ "alert-rule", "errors", "{\"kind\":\"status\",\"status\":[\"5xx\"],\"api\":\"orders\",\"measure\":\"percent\",\"threshold\":\"2.5\","
	  "\"mails\":[\"ops@example.com\"],\"webhooks\":[\"chat\"]}" },
	{ "alert-silence", "night", "{\"rule\":\"errors\",\"from\":\"2026-11-22T01:00:00Z\",\"to\":\"2026-11-22T03:00:00Z\",\"repeatSeconds\":86400}" },
	{ "look", "portal", "{\"name\":\"Acme <APIs>\",\"colours\":{\"accent\":[\"#7a1f5c\",\"#f0a3d4\"]},\"texts\":{\"en\":{\"headline\":\"Build\"}},"
	  "\"menu\":[{\"label\":\"Status\",\"address\":\"https://status.example.com/\"}],\"logo\":\"iVBORw0KGgo=\\n\"}" },
	{ "terms", "portal", "{\"text\":\"# Terms\\n\\nBe kind.\\n\"}" },
	{ "signing-key", "first", "{\"purpose\":\"identity\",\"signsFrom\":\"2026-11-22T01:00:00Z\"}" },
	{ "signing-key", "second", "{\"algorithm\":\"EdDSA\",\"ends\":\"2031-01-01T00:00:00Z\"}" },
	{ "machine-token", "pipeline", "{\"role\":\"operator\",\"scopes\":[\"read\",\"write:products\"]}" },
	{ "scim-token", "directory", "{\"ends\":\"2031-01-01T00:00:00Z\"}" },
};
