/* oidc.h - the protocol side of signing in at an OpenID provider: discovery, the authorization request, the code's exchange,
 * the ID token's check. OpenID Connect Core 1.0, Discovery 1.0, RFC 6749, 7636 (PKCE), 9207 (issuer in the answer).
 *
 * Requests block, each for at most web.provider_timeout_s: the web apps serve one visitor per process. So that a provider that
 * hangs does not take all processes: one of them never waits for any provider, and a provider that did not answer is not
 * asked for OIDC_AWAY_S by any process. Both is counted over all processes. What a provider
 * publishes is kept in the process for OIDC_FRESH_S; a key that is not known makes it be fetched anew, not more often than
 * each OIDC_FLOOR_S. Not thread-safe. */
#pragma once

#include "core/openid_client.h"
#include "db/identity_providers.h"
#include "portal/web/web.h"

enum { OIDC_FRESH_S = 3600, OIDC_STALE_S = 86400, OIDC_FLOOR_S = 30, OIDC_AWAY_S = 20, OIDC_ANSWER_MAX = 1 << 20, OIDC_PROVIDERS_MAX = 16 };

/* Where the browser is sent. UPSTREAM when the provider cannot be reached or says something that makes no sense. */
GH_RC oidc_start_address(struct arena *a, const struct web_site *site, const struct store_provider *p,
			 const struct openid_attempt *attempt, struct str redirect_uri, struct str *out, struct gh_err *err);

/* What the provider vouches for. */
struct oidc_person {
	struct str subject;
	struct str email, first_name, last_name;         /* STR_NULL: not told */
	bool email_verified;
	const json_t *groups;                            /* array of texts, or one text; NULL: none */
	const json_t *amr;                               /* RFC 8176: array of texts; NULL: not told */
	struct str acr;                                  /* Core section 2 */
};
/* Exchanges the code, checks the ID token, asks the userinfo endpoint for what the token does not tell. `issuer` is what
 * the answer said (STR_NULL: nothing). DENIED with the reason when something does not fit, UPSTREAM as above. */
GH_RC oidc_finish(struct arena *a, const struct web_site *site, const struct store_provider *p,
		  const struct openid_attempt *attempt, struct str redirect_uri, struct str code, struct str issuer,
		  struct oidc_person *out, struct gh_err *err);
/* Whether what the provider tells of the sign-in counts as two factors: `values` are those of admin.second_factor_at_provider. */
bool oidc_counts_twice(struct str values, const struct oidc_person *who);
