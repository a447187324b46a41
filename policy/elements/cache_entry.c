/* cache_entry.c
 *
 *   'C' | stored_us i64 | ttl_s i64 | response        'V' | names as in Vary        'P'                                  */
#include "policy/elements/cache_entry.h"

#include "core/buf.h"
#include "core/str.h"
#include "policy/host.h"
#include "policy/http_cache.h"
#include "policy/value_store.h"

enum { RESPONSE_HEAD = 1 + 8 + 8 };
static const char RESPONSE = 'C', VARY = 'V', PASS = 'P';

void cache_entry_read(struct exchange *x, struct str bytes, struct cache_entry *out)
{
	int64_t stored_us, ttl_s;

	*out = (struct cache_entry){ 0 };
	if (bytes.n && *bytes.p == VARY) {
		out->kind = CACHE_ENTRY_VARY;
		out->names = str_from(bytes, 1);
	} else if (bytes.n && *bytes.p == PASS) {
		out->kind = CACHE_ENTRY_PASS;
	} else if (bytes.n > RESPONSE_HEAD && *bytes.p == RESPONSE) {
		memcpy(&stored_us, bytes.p + 1, sizeof(stored_us));
		memcpy(&ttl_s, bytes.p + 1 + sizeof(stored_us), sizeof(ttl_s));
		out->age_s = (x->host->now_us(x) - stored_us) / 1000000;
		out->age_s = out->age_s > 0 ? out->age_s : 0;
		out->left_s = ttl_s - out->age_s;
		if (response_view(x->arena, str_from(bytes, RESPONSE_HEAD), &out->response))
			out->kind = CACHE_ENTRY_RESPONSE;
	}
}

struct str cache_entry_response(struct exchange *x, const struct response *r, int64_t ttl_s)
{
	struct str body = response_store(x->arena, r);
	int64_t now = x->host->now_us(x);
	char *p = str_is_null(body) ? NULL : arena_alloc_text(x->arena, RESPONSE_HEAD + body.n);

	if (!p)
		return STR_NULL;
	p[0] = RESPONSE;
	memcpy(p + 1, &now, sizeof(now));
	memcpy(p + 1 + sizeof(now), &ttl_s, sizeof(ttl_s));
	memcpy(p + RESPONSE_HEAD, body.p, body.n);
	return (struct str){ p, RESPONSE_HEAD + body.n };
}

struct str cache_entry_vary(struct exchange *x, struct str names)
{
	return arena_printf(x->arena, "%c%.*s", VARY, STR_ARG(names));
}

struct str cache_entry_pass(void)
{
	return (struct str){ &PASS, 1 };
}

struct str cache_variant_key(struct exchange *x, struct str key, struct str names, const struct fields *asked)
{
	struct str out = STR_NULL;
	bool all = false;
	struct buf b;

	if (!names.n) {                          /* most answers */
		const struct str parts[] = { key, STR(CACHE_VARIANT_BEHIND) };

		return arena_join(x->arena, parts, ARRAY_LEN(parts));
	}
	buf_init(&b, CACHE_KEY_MAX + CACHE_VARY_MAX);
	buf_str(&b, key);
	buf_cstr(&b, CACHE_VARIANT_BEHIND);
	for (struct str one; names.n && str_split(&names, ',', &one);) {
		struct str name = str_trim(one);

		all |= str_eq(name, STR("*"));
		if (!name.n)
			continue;
		buf_char(&b, '\n');
		buf_str(&b, name);
		buf_char(&b, ':');
		buf_str(&b, fields_joined(asked, name));
	}
	if (!all && buf_ok(&b))
		out = arena_dup(x->arena, buf_view(&b));
	buf_release(&b);
	return out;
}

/* ---- rules ------------------------------------------------------------------------------------------------------- */

struct cache_wishes cache_wishes_of(const struct fields *asked)
{
	struct http_cache_control c;

	http_cache_control_of_request(asked, &c);
	return (struct cache_wishes){
		.no_store = c.no_store, .only_kept = c.only_if_cached, .anew = c.no_cache || c.max_age == 0,
		.max_age_s = c.max_age >= 0 ? c.max_age : INT64_MAX, .min_fresh_s = c.min_fresh >= 0 ? c.min_fresh : 0,
	};
}

bool cache_wishes_fit(const struct cache_wishes *w, const struct cache_entry *e)
{
	return !w->anew && e->age_s <= w->max_age_s && e->left_s >= w->min_fresh_s;
}

bool cache_may_keep(const struct response *r)
{
	struct http_cache_control c;

	http_cache_control_of_response(&r->headers, &c);
	return !fields_count(&r->headers, STR("Set-Cookie")) && r->status != 206 && r->status != 304 && !c.no_store && !c.no_cache
	       && !c.no_cache_fields.n && !c.is_private && !c.private_fields.n;
}
