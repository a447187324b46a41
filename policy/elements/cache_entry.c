/* cache_entry.c
 *
 *   'C' | stored_us i64 | ttl_s i64 | response        'V' | names as in Vary        'P'                                  */
#include "policy/elements/cache_entry.h"

#include "core/buf.h"
#include "core/str.h"
#include "policy/host.h"
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
		if (response_restore(x->arena, str_from(bytes, RESPONSE_HEAD), &out->response))
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

	buf_init(&b, CACHE_KEY_MAX + CACHE_VARY_MAX);
	buf_str(&b, key);
	buf_cstr(&b, "\nvary");
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

/* The next directive of a Cache-Control; its argument without quotes, STR_NULL when there is none. */
static bool next_directive(struct str *rest, struct str *name, struct str *argument)
{
	struct str one;
	size_t eq;

	if (!rest->n || !str_split(rest, ',', &one))
		return false;
	eq = str_find_char(one, '=');
	*name = str_trim(str_first(one, eq));
	*argument = eq == SIZE_MAX ? STR_NULL : str_trim(str_from(one, eq + 1));
	if (argument->n > 1 && argument->p[0] == '"' && argument->p[argument->n - 1] == '"')
		*argument = str_first(str_from(*argument, 1), argument->n - 2);
	return true;
}

struct cache_wishes cache_wishes_of(const struct fields *asked)
{
	struct cache_wishes w = { .max_age_s = INT64_MAX };
	struct str control = fields_joined(asked, STR("Cache-Control")), name, argument;
	int64_t n;

	if (str_is_null(control))
		w.anew = str_eq_ci(str_trim(fields_joined(asked, STR("Pragma"))), STR("no-cache"));
	while (next_directive(&control, &name, &argument)) {
		bool number = str_to_i64(argument, 0, INT32_MAX, &n);

		w.no_store |= str_eq_ci(name, STR("no-store"));
		w.only_kept |= str_eq_ci(name, STR("only-if-cached"));
		w.anew |= str_eq_ci(name, STR("no-cache"));
		if (number && str_eq_ci(name, STR("max-age")))
			w.max_age_s = n;
		if (number && str_eq_ci(name, STR("min-fresh")))
			w.min_fresh_s = n;
	}
	w.anew |= w.max_age_s == 0;
	return w;
}

bool cache_wishes_fit(const struct cache_wishes *w, const struct cache_entry *e)
{
	return !w->anew && e->age_s <= w->max_age_s && e->left_s >= w->min_fresh_s;
}

bool cache_may_keep(const struct response *r)
{
	static const struct str forbid[] = { STR_INIT("no-store"), STR_INIT("no-cache"), STR_INIT("private") };
	struct str control = fields_joined(&r->headers, STR("Cache-Control")), name, argument;

	if (fields_count(&r->headers, STR("Set-Cookie")) || r->status == 206 || r->status == 304)
		return false;
	while (next_directive(&control, &name, &argument))
		for (size_t i = 0; i < ARRAY_LEN(forbid); i++)
			if (str_eq_ci(name, forbid[i]))
				return false;
	return true;
}

/* Weak comparison: W/ does not count (RFC 9110 section 8.8.3.2). */
static struct str opaque(struct str tag)
{
	tag = str_trim(tag);
	return str_starts(tag, STR("W/")) ? str_from(tag, 2) : tag;
}

bool cache_client_has(const struct fields *asked, const struct response *kept)
{
	struct str tags = fields_joined(asked, STR("If-None-Match")), tag = opaque(fields_get(&kept->headers, STR("ETag"))), one;
	struct str since = fields_get(asked, STR("If-Modified-Since")), changed = fields_get(&kept->headers, STR("Last-Modified"));

	if (kept->status != 200)
		return false;
	if (str_is_null(tags))                       /* a date that the origin gave comes back as it is */
		return changed.n && str_eq(str_trim(since), str_trim(changed));
	if (str_eq(str_trim(tags), STR("*")))
		return true;
	while (tag.n && str_split(&tags, ',', &one))
		if (str_eq(opaque(one), tag))
			return true;
	return false;
}
