/* lint_surface.c - certificates, secrets that stand in documents, backends, and who may call without a key or over http. */
#include "cli/lint.h"

#include "config/governance/literal.h"
#include "core/clock.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/access_rules.h"
#include "db/apis.h"
#include "db/backends.h"
#include "db/certificates.h"
#include "db/network.h"
#include "db/policies.h"
#include "db/products.h"

#include <stdio.h>

enum { LITERALS_MAX = 20 };       /* kinds of secrets told of one document */

/* ---- certificates ----------------------------------------------------------------------------------------------------- */

GH_RC lint_certificates(struct lint *l, struct gh_err *err)
{
	int64_t soon_us = l->now_us + config_int(&l->config, CONFIG_LINT_EXPIRY_DAYS) * LINT_DAY_US;
	struct arena *a = l->c->arena;
	struct store_certificate *v;
	char when[CLOCK_ISO_MAX];
	size_t n;

	TRY(store_certificates(l->s, a, false, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		bool ended = v[i].expires_us <= l->now_us;

		if (v[i].expires_us && v[i].expires_us <= soon_us)
			lint_tell(l, ended ? LINT_ERROR : LINT_WARNING, ended ? "certificate-expired" : "certificate-expires",
				  arena_printf(a, "certificate %.*s", STR_ARG(v[i].id)),
				  arena_printf(a, "gatehouse certificate set %.*s --file NEW.pem", STR_ARG(v[i].id)), "%s at %s",
				  ended ? "ended" : "ends", clock_iso(v[i].expires_us, 0, when));
	}
	return GH_RC_OK;
}

/* ---- documents -------------------------------------------------------------------------------------------------------- */

static void look_at_text(struct lint *l, struct str object, struct str text)
{
	struct literal_secret secret;
	const char *told[LITERALS_MAX];
	size_t n = 0, k, from = 0;

	for (size_t i = 0; i < LITERAL_SECRETS_MAX && n < LITERALS_MAX && literal_secret_next(text, from, &secret); i++) {
		size_t line = 1;

		from = secret.at + 1;
		for (k = 0; k < n && strcmp(told[k], secret.what) != 0; k++)
			;
		if (k < n)                       /* one of a kind is enough for a document */
			continue;
		told[n++] = secret.what;
		for (const char *p = text.p; p < text.p + secret.at; p++)
			line += *p == '\n';
		lint_tell(l, LINT_ERROR, "document-secret", object,
			  STR("keep it as a named value and write {{NAME}}: gatehouse named-value set NAME --secret-stdin"),
			  "line %zu holds %s", line, secret.what);
	}
}

static struct str scope_name(struct arena *a, const struct store_policy_scope *p)
{
	switch (p->kind) {
	case STORE_POLICY_GLOBAL:
		return STR("policy of global");
	case STORE_POLICY_WORKSPACE:
		return arena_printf(a, "policy of workspace:%.*s", STR_ARG(p->business_group_id));
	case STORE_POLICY_ENVIRONMENT:
		return arena_printf(a, "policy of environment:%.*s", STR_ARG(p->environment_id));
	case STORE_POLICY_PRODUCT:
		return arena_printf(a, "policy of product:%.*s", STR_ARG(p->product_id));
	case STORE_POLICY_API:
		return arena_printf(a, "policy of api:%.*s;rev=%lld", STR_ARG(p->api_id), (long long)p->revision);
	default:
		return arena_printf(a, "policy of operation:%.*s;rev=%lld/%.*s", STR_ARG(p->api_id), (long long)p->revision,
				    STR_ARG(p->operation_id));
	}
}

GH_RC lint_documents(struct lint *l, struct gh_err *err)
{
	struct arena *a = l->c->arena;
	struct store_policy *p;
	struct store_fragment *f;
	size_t n;

	TRY(store_policies(l->s, a, &p, &n, err));
	for (size_t i = 0; i < n; i++)
		look_at_text(l, scope_name(a, &p[i].scope), p[i].bytes);
	TRY(store_fragments(l->s, a, &f, &n, err));
	for (size_t i = 0; i < n; i++)
		look_at_text(l, arena_printf(a, "fragment %.*s", STR_ARG(f[i].id)), f[i].bytes);
	return GH_RC_OK;
}

/* ---- backends --------------------------------------------------------------------------------------------------------- */

static bool is_here(struct str url)
{
	static const struct str here[] = { STR_INIT("http://127."), STR_INIT("http://localhost"), STR_INIT("http://[::1]") };

	for (size_t i = 0; i < ARRAY_LEN(here); i++)
		if (str_starts_ci(url, here[i]))
			return true;
	return false;
}

static void look_at_url(struct lint *l, struct str object, struct str url)
{
	if (str_starts_ci(url, STR("http://")) && !is_here(url))
		lint_tell(l, LINT_WARNING, "backend-plain-http", object, STR("use an https address"),
			  "what is sent to it can be read on the way");
}

GH_RC lint_backends(struct lint *l, struct gh_err *err)
{
	struct arena *a = l->c->arena;
	struct store_backend *v;
	struct store_api *apis;
	size_t n;

	TRY(store_backends(l->s, a, false, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct str object = arena_printf(a, "backend %.*s", STR_ARG(v[i].id));
		struct str mend = arena_printf(a, "gatehouse backend set %.*s --verify-tls yes --ca CERTIFICATE-ID", STR_ARG(v[i].id));

		look_at_url(l, object, v[i].url);
		if (!str_starts_ci(v[i].url, STR("https://")) || v[i].tls_pins.n)
			continue;
		if (!v[i].verify_tls)
			lint_tell(l, LINT_ERROR, "backend-unverified", object, mend, "its certificate is not checked");
		else if (!v[i].verify_name)
			lint_tell(l, LINT_WARNING, "backend-unverified", object, mend, "the name in its certificate is not checked");
	}
	TRY(store_apis(l->s, a, NULL, &apis, &n, err));
	for (size_t i = 0; i < n; i++)
		look_at_url(l, arena_printf(a, "api %.*s", STR_ARG(apis[i].id)), apis[i].backend_url);
	return GH_RC_OK;
}

/* ---- who may call ------------------------------------------------------------------------------------------------------ */

static bool has_rule(const struct store_access_rule *v, size_t n, struct str api_id, struct str product_id)
{
	for (size_t i = 0; i < n; i++)
		if ((api_id.n && str_eq(v[i].api_id, api_id)) || (product_id.n && str_eq(v[i].product_id, product_id)))
			return true;
	return false;
}

static bool https_only(const struct store_network_rule *v, size_t n, struct str api_id)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].https_only && !v[i].product_id.n && (!v[i].api_id.n || str_eq(v[i].api_id, api_id)))
			return true;
	return false;
}

static gh_rc look_at_apis(struct lint *l, const struct store_access_rule *rules, size_t n_rules, struct gh_err *err)
{
	struct arena *a = l->c->arena;
	struct store_network_rule *networks;
	struct store_api *v;
	size_t n, n_networks;

	TRY(store_apis(l->s, a, NULL, &v, &n, err));
	TRY(store_network_rules(l->s, a, &networks, &n_networks, err));
	for (size_t i = 0; i < n; i++) {
		struct str object = arena_printf(a, "api %.*s", STR_ARG(v[i].id));

		if (!v[i].subscription_required && !has_rule(rules, n_rules, v[i].id, STR_NULL))
			lint_tell(l, LINT_WARNING, "api-open", object,
				  arena_printf(a, "gatehouse api set %.*s --require-key yes", STR_ARG(v[i].id)), "everybody may call it");
		if (!https_only(networks, n_networks, v[i].id))
			lint_tell(l, LINT_NOTE, "api-plain-http", object,
				  arena_printf(a, "gatehouse network set --scope api:%.*s --https-only yes", STR_ARG(v[i].id)),
				  "keys sent over plain http are taken");
	}
	return GH_RC_OK;
}

GH_RC lint_access(struct lint *l, struct gh_err *err)
{
	struct arena *a = l->c->arena;
	struct store_access_rule *rules;
	struct store_product *v;
	size_t n, n_rules;

	TRY(store_access_rules(l->s, a, &rules, &n_rules, err));
	TRY(store_products(l->s, a, NULL, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!v[i].subscription_required && v[i].state == STORE_PRODUCT_PUBLISHED && !has_rule(rules, n_rules, STR_NULL, v[i].id))
			lint_tell(l, LINT_WARNING, "product-open", arena_printf(a, "product %.*s", STR_ARG(v[i].id)),
				  arena_printf(a, "gatehouse product set %.*s --require-key yes", STR_ARG(v[i].id)),
				  "its APIs take calls without a key");
	return look_at_apis(l, rules, n_rules, err);
}
