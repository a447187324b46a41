/* claims.c - the registered claims of RFC 7519 section 4.1 that say whether a token is meant for now and for us. */
#include "core/jose.h"

#include "core/str.h"

#include <math.h>

#define FAR_S 1000000000000      /* in its µs it still fits an int64_t */

/* A NumericDate: seconds, fractions allowed. False when it is there but is no such number. */
static bool time_of(const json_t *claims, const char *name, double *out, bool *given)
{
	json_t *v = jsn_get(claims, name);

	*given = v != NULL;
	if (!v)
		return true;
	*out = json_number_value(v);
	return json_is_number(v) && isfinite(*out) && *out >= 0;
}

static bool is_one_of(struct str s, const struct str *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(s, list[i]))
			return true;
	return false;
}

static bool audience_fits(const json_t *aud, const struct jose_claim_rules *r)
{
	size_t i;
	json_t *one;

	if (json_is_string(aud))
		return is_one_of(jsn_string(aud), r->audiences, r->n_audiences);
	json_array_foreach(aud, i, one) {
		if (json_is_string(one) && is_one_of(jsn_string(one), r->audiences, r->n_audiences))
			return true;
	}
	return false;
}

enum jose_reason jose_check_claims(const json_t *claims, const struct jose_claim_rules *r)
{
	double exp = 0, nbf = 0;
	bool has_exp, has_nbf;

	if (!time_of(claims, "exp", &exp, &has_exp) || !time_of(claims, "nbf", &nbf, &has_nbf))
		return JOSE_CLAIMS;
	if (!has_exp && r->require_expiry)
		return JOSE_NO_EXPIRY;
	if (has_nbf && nbf > (double)(r->now_s + r->skew_s))
		return JOSE_NOT_YET;
	/* the instant of exp itself is too late (section 4.1.4) */
	if (has_exp && exp <= (double)(r->now_s - r->skew_s))
		return JOSE_EXPIRED;
	if (r->n_audiences > 0 && !audience_fits(jsn_get(claims, "aud"), r))
		return JOSE_AUDIENCE;
	if (r->n_issuers > 0 && !(json_is_string(jsn_get(claims, "iss")) && is_one_of(jsn_str(claims, "iss"), r->issuers, r->n_issuers)))
		return JOSE_ISSUER;
	return JOSE_OK;
}

static int64_t whole_second(double t)
{
	return t < (double)FAR_S ? (int64_t)ceil(t) : FAR_S;
}

void jose_claim_window(const json_t *claims, const struct jose_claim_rules *r, int64_t *from_s, int64_t *until_s)
{
	double exp = 0, nbf = 0;
	bool has_exp, has_nbf;

	*from_s = -FAR_S;
	*until_s = FAR_S;
	if (!time_of(claims, "exp", &exp, &has_exp) || !time_of(claims, "nbf", &nbf, &has_nbf)) {
		*until_s = *from_s;
		return;
	}
	if (has_nbf)
		*from_s = whole_second(nbf) - r->skew_s;
	if (has_exp)
		*until_s = whole_second(exp) + r->skew_s;
}
