/* iap_refresh.c - a session whose claims have become old asks the provider anew (RFC 6749 section 6).
 *
 * Many providers give a refresh token for one use and end the whole session when it is shown again. A browser sends many
 * requests at once, all with the same cookie. So one call refreshes, under a lock that all workers share; the others go on with
 * what they know. The outcome is kept for some minutes under the digest of the old token, sealed, for those that come with
 * the old cookie later because the answer with the new one was lost or overtaken. */
#include "fcgi/iap.h"

#include "core/cache.h"
#include "core/log.h"
#include "core/str.h"
#include "core/uri.h"

enum { AGAIN_S = 60 };                   /* after a provider that could not be reached */

static struct str key_of(struct iap *f, struct str refresh)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(refresh, digest);
	return arena_printf(f->k->arena, "refreshed|%.*s|%.*s", STR_ARG(f->conf->provider),
			    STR_ARG(crypto_hex(f->k->arena, (struct str){ (const char *)digest, sizeof(digest) })));
}

static enum step go_on(struct iap *f)
{
	f->session.seen_us = iap_now_us(f);
	return iap_session_cookie(f) ? iap_admit(f) : STEP_FAIL;
}

/* The provider has ended it: the person signs in once more. */
static enum step over(struct iap *f)
{
	gate_leave(&f->k->x, f->lock);
	f->lock = STR_NULL;
	return iap_sign_in(f);
}

static void keep_outcome(struct iap *f, struct str old)
{
	int64_t now = iap_now_us(f);
	struct str sealed;

	if (f->k->wk->cache && iap_session_write(f, &sealed)
	    && cache_put(f->k->wk->cache, IAP_CACHE_SPACE, key_of(f, old), sealed, now, now + (int64_t)IAP_REFRESHED_S * 1000000, NULL).code)
		log_warn("a refreshed session could not be kept", KV_STR("provider", f->conf->provider));
}

/* What the provider has given goes into the session, whose claims stand by now. */
static enum step renewed(struct iap *f)
{
	struct str old = f->session.refresh;

	iap_take_lifetime(f);
	f->session.seen_us = iap_now_us(f);
	keep_outcome(f, old);
	return go_on(f);
}

/* Without the user's information the claims stay as they were: a short trouble there takes nobody's groups away. */
static enum step informed(struct iap *f)
{
	f->info = iap_answer(f, NULL);
	if (f->info && str_eq(jsn_str(f->info, "sub"), jsn_str(f->claims, "sub")))
		iap_take_claims(f, f->info);
	return renewed(f);
}

static enum step token_fits(struct iap *f)
{
	struct str access = jsn_str(f->tokens, "access_token");
	const char *problem = openid_check_claims(f->claims, f->conf->issuer, f->conf->client_id, STR_NULL, iap_now_us(f) / 1000000);

	if (problem)
		return iap_refuse(f, REASON_SIGN_IN_FAILED, problem);
	if (!str_eq(jsn_str(f->claims, "sub"), f->session.subject))      /* Core section 12.2 */
		return iap_refuse(f, REASON_SIGN_IN_FAILED, "the refreshed token is of somebody else");
	if (!(jsn_get(f->claims, "email") && jsn_get_n(f->claims, f->conf->groups_claim)) && f->pub->userinfo && access.n)
		return iap_ask(f, f->pub->userinfo, STR_NULL, false, arena_printf(f->k->arena, "Bearer %.*s", STR_ARG(access)), informed);
	iap_take_claims(f, NULL);
	return renewed(f);
}

static enum step refreshed(struct iap *f)
{
	bool rejected;

	f->tokens = iap_answer(f, &rejected);
	if (rejected)
		return over(f);
	if (!f->tokens) {                                /* away: what was known a moment ago holds a little longer */
		f->session.fresh_us = iap_now_us(f) + (int64_t)AGAIN_S * 1000000;
		return go_on(f);
	}
	f->token = jsn_str(f->tokens, "id_token");
	if (f->token.n)
		return iap_verify(f, token_fits);
	return renewed(f);                               /* an answer without one: the claims stay as they are */
}

static enum step ask(struct iap *f)
{
	struct arena *a = f->k->arena;

	return iap_ask(f, f->pub->token,
		       arena_printf(a, "grant_type=refresh_token&refresh_token=%.*s", STR_ARG(uri_encode(a, f->session.refresh, URI_KEEP_UNRESERVED))), true,
		       STR_NULL, refreshed);
}

/* Somebody was faster: their outcome is ours. */
static bool take_outcome(struct iap *f)
{
	struct iap_session other;
	struct str sealed;

	if (!f->k->wk->cache
	    || cache_get(f->k->wk->cache, IAP_CACHE_SPACE, key_of(f, f->session.refresh), iap_now_us(f), f->k->arena, &sealed, NULL).code
	    || !sealed.n || !iap_session_read(f, sealed, &other) || !str_eq(other.id, f->session.id))
		return false;
	f->session = other;
	return true;
}

enum step iap_refresh(struct iap *f)
{
	struct str lock = key_of(f, f->session.refresh);

	if (take_outcome(f))
		return go_on(f);
	if (!lock.p || !gate_enter(&f->k->x, lock, 1))
		return iap_admit(f);                     /* under way elsewhere */
	f->lock = lock;
	if (take_outcome(f))                             /* between the look and the lock */
		return go_on(f);
	return iap_discover(f, ask);
}
