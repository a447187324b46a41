#include "policy/elements/revocation.h"

#include "core/str.h"

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
	ocsp_forget();
}

int64_t revocation_seconds_until(const ASN1_TIME *t, int64_t now_us)
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
	left = list ? revocation_seconds_until(X509_CRL_get0_nextUpdate(list), x->host->now_us(x)) : -1;
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

struct str revocation_address(struct arena *a, const GENERAL_NAME *n)
{
	struct str url;

	if (n->type != GEN_URI)
		return STR_NULL;
	url = (struct str){ (const char *)ASN1_STRING_get0_data(n->d.uniformResourceIdentifier),
			    (size_t)ASN1_STRING_length(n->d.uniformResourceIdentifier) };
	return str_starts_ci(url, STR("http://")) || str_starts_ci(url, STR("https://")) ? arena_dup(a, url) : STR_NULL;
}

/* The first address of a distribution point that can be fetched; STR_NULL when there is none. */
static struct str point_of(struct arena *a, const X509 *c)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(c, NID_crl_distribution_points, NULL, NULL);
	struct str found = STR_NULL;

	for (int i = 0; points && !found.n && i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *p = sk_DIST_POINT_value(points, i);
		const GENERAL_NAMES *names = p->distpoint && p->distpoint->type == 0 ? p->distpoint->name.fullname : NULL;

		for (int k = 0; names && !found.n && k < sk_GENERAL_NAME_num(names); k++)
			found = revocation_address(a, sk_GENERAL_NAME_value(names, k));
	}
	CRL_DIST_POINTS_free(points);
	return found;
}

static void drop_stacks(void *p)
{
	struct revocation_state *s = p;

	sk_X509_CRL_free(s->got);        /* the lists themselves belong to the shelf, the certificates to the chain */
	sk_X509_free(s->good);
}

bool revocation_plan(struct exchange *x, const struct trust *t, const STACK_OF(X509) *chain, struct revocation_state *s)
{
	int64_t now = x->host->now_us(x);
	bool ok = arena_defer(x->arena, drop_stacks, s);

	s->got = ok ? sk_X509_CRL_new_null() : NULL;
	s->good = ok ? sk_X509_new_null() : NULL;
	ok = s->got && s->good;
	for (int i = 0; ok && i < sk_X509_num(chain) - 1 && s->n < TRUST_CHAIN_MAX; i++) {
		X509 *c = sk_X509_value(chain, i);
		struct revocation_link *l = &s->links[s->n];

		if (trust_has_list(t, X509_get_issuer_name(c), now))
			continue;
		s->n++;
		ok = ocsp_ask(x, c, sk_X509_value(chain, i + 1), trust_responder(t), &l->ocsp);
		l->list.url = point_of(x->arena, c);
	}
	if (!ok)
		exchange_no_memory(x);
	return ok;
}

/* STEP_NEXT: *known tells whether the responder has said something. */
static enum step ask_responder(struct exchange *x, struct revocation_state *s, struct revocation_link *l, bool *known)
{
	enum step step;

	*known = false;
	if (!l->ocsp.fetched.url.n || l->unknown)
		return STEP_NEXT;
	step = ocsp_step(x, &l->ocsp);
	if (step != STEP_NEXT)
		return step;
	*known = l->ocsp.fetched.thing != NULL;
	if (!*known) {
		l->unknown = true;
		exchange_trace(x, "%.*s", STR_ARG(l->ocsp.fetched.why));
	} else if (ocsp_revoked(&l->ocsp)) {
		s->revoked = true;
	} else if (!sk_X509_push(s->good, l->ocsp.cert)) {
		return exchange_no_memory(x);
	}
	return STEP_NEXT;
}

static enum step fetch_list(struct exchange *x, struct revocation_state *s, struct revocation_link *l)
{
	enum step step = l->list.url.n ? fetched_step(x, &kind, &l->list) : STEP_NEXT;

	if (step != STEP_NEXT || !l->list.url.n)
		return step;
	if (l->list.thing && !sk_X509_CRL_push(s->got, l->list.thing))
		return exchange_no_memory(x);
	if (!l->list.thing)
		exchange_trace(x, "%.*s", STR_ARG(l->list.why));
	return STEP_NEXT;
}

enum step revocation_step(struct exchange *x, struct revocation_state *s)
{
	for (; s->at < s->n && !s->revoked; s->at++) {
		struct revocation_link *l = &s->links[s->at];
		bool known;
		enum step step = ask_responder(x, s, l, &known);

		if (step == STEP_NEXT && !known)
			step = fetch_list(x, s, l);
		if (step != STEP_NEXT)
			return step;
	}
	return STEP_NEXT;
}
