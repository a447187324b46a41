#include "policy/elements/revocation.h"

#include "core/str.h"

#include <openssl/x509v3.h>

static void *hold(void *list)
{
	X509_CRL_up_ref(list);
	return list;
}

static void release(void *list)
{
	X509_CRL_free(list);
}

static struct shelf_place places[REVOCATION_LISTS_MAX];
static struct shelf shelf = SHELF_INIT(places, hold, release);

void revocation_forget(void)
{
	shelf_clear(&shelf);
}

/* Seconds from now; a time that is not understood is long ago. */
static int64_t seconds_until(const ASN1_TIME *t, int64_t now_us)
{
	struct tm tm = { 0 };

	return t && ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) - now_us / 1000000 : -1;
}

static enum fetched_take take(struct exchange *x, struct fetched *f, struct str bytes, void **thing)
{
	STACK_OF(X509_CRL) *all = sk_X509_CRL_new_null();
	X509_CRL *list = NULL;
	int64_t left;

	if (all && trust_read_lists(bytes, all))
		list = sk_X509_CRL_shift(all);
	sk_X509_CRL_pop_free(all, X509_CRL_free);
	left = list ? seconds_until(X509_CRL_get0_nextUpdate(list), x->host->now_us(x)) : -1;
	if (left < 0) {
		f->why = arena_printf(x->arena, "the list of revoked certificates at %.*s %s", STR_ARG(str_first(f->url, 200)),
				      list ? "is out of date" : "cannot be read");
		X509_CRL_free(list);
		return FETCHED_BAD;
	}
	f->stale_s = left;
	f->fresh_s = left > REVOCATION_FRESH_S ? REVOCATION_FRESH_S : left < REVOCATION_LEAST_S ? REVOCATION_LEAST_S : left;
	*thing = list;
	return FETCHED_THING;
}

static const struct fetched_kind kind = {
	.shelf = &shelf, .pace = { REVOCATION_FRESH_S, REVOCATION_RETRY_S }, .name = "list of revoked certificates",
	.accept = "application/pkix-crl", .timeout_ms = REVOCATION_TIMEOUT_MS, .max_bytes = REVOCATION_BYTES_MAX, .take = take,
};

static bool is_web(struct str s)
{
	return str_starts_ci(s, STR("http://")) || str_starts_ci(s, STR("https://"));
}

/* The first address of a distribution point that can be fetched; STR_NULL when there is none. */
static struct str point_of(struct arena *a, const X509 *c)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(c, NID_crl_distribution_points, NULL, NULL);
	struct str found = STR_NULL;

	for (int i = 0; points && !found.n && i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *p = sk_DIST_POINT_value(points, i);
		const GENERAL_NAMES *names = p->distpoint && p->distpoint->type == 0 ? p->distpoint->name.fullname : NULL;

		for (int k = 0; names && !found.n && k < sk_GENERAL_NAME_num(names); k++) {
			const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, k);
			struct str url;

			if (n->type != GEN_URI)
				continue;
			url = (struct str){ (const char *)ASN1_STRING_get0_data(n->d.uniformResourceIdentifier),
					    (size_t)ASN1_STRING_length(n->d.uniformResourceIdentifier) };
			if (is_web(url))
				found = arena_dup(a, url);
		}
	}
	CRL_DIST_POINTS_free(points);
	return found;
}

static void drop_stack(void *lists)
{
	sk_X509_CRL_free(lists);         /* the lists themselves belong to the shelf */
}

bool revocation_plan(struct exchange *x, const struct trust *t, const STACK_OF(X509) *chain, struct revocation_state *s)
{
	int64_t now = x->host->now_us(x);

	s->got = sk_X509_CRL_new_null();
	if (!s->got || !arena_defer(x->arena, drop_stack, s->got)) {
		sk_X509_CRL_free(s->got);
		s->got = NULL;
		exchange_no_memory(x);
		return false;
	}
	for (int i = 0; i < sk_X509_num(chain) - 1 && s->n < TRUST_CHAIN_MAX; i++) {
		const X509 *c = sk_X509_value(chain, i);
		struct str url = trust_has_list(t, X509_get_issuer_name(c), now) ? STR_NULL : point_of(x->arena, c);

		if (url.n)
			s->lists[s->n++].url = url;
	}
	return true;
}

enum step revocation_step(struct exchange *x, struct revocation_state *s)
{
	for (; s->at < s->n; s->at++) {
		struct fetched *f = &s->lists[s->at];
		enum step step = fetched_step(x, &kind, f);

		if (step != STEP_NEXT)
			return step;
		if (f->thing && !sk_X509_CRL_push(s->got, f->thing))
			return exchange_no_memory(x);
		if (!f->thing)
			exchange_trace(x, "%.*s", STR_ARG(f->why));
	}
	return STEP_NEXT;
}
