/* Cache-Control, dates, conditions and ranges of any bytes: what is read lies within the text, times within their bounds, a
 * part within the whole. */
#include "core/http_date.h"
#include "core/str.h"
#include "policy/http_cache.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct str part, struct str whole)
{
	if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

static void bounded(int64_t seconds)
{
	if (seconds < -1 || seconds > HTTP_CACHE_MAX_AGE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str names[] = { STR_INIT("If-None-Match"), STR_INIT("If-Modified-Since"), STR_INIT("If-Range"), STR_INIT("Range") };
	struct str text = { (const char *)data, size }, rest = text, name, argument;
	struct arena *a = arena_new(1 << 22);
	struct response r = { .status = 200 };
	struct http_cache_policy p = { 0 };
	struct http_cache_control c;
	struct fields f;
	uint64_t from, to;
	int64_t date;

	if (!a)
		return 0;
	while (http_directive_next(&rest, &name, &argument)) {
		within(name, text);
		within(argument, text);
	}
	http_cache_control_parse(text, &c);
	within(c.no_cache_fields, text);
	within(c.private_fields, text);
	bounded(c.max_age);
	bounded(c.s_maxage);
	bounded(c.stale_if_error);
	bounded(c.stale_while_revalidate);
	bounded(c.max_stale);
	bounded(c.min_fresh);
	if (http_date_parse(text, &date) && date >= 0) {         /* the first form says the same again */
		struct str again = http_date_text(a, date);
		int64_t same;

		if (again.p && (!http_date_parse(again, &same) || same != date))
			abort();
	}
	fields_init(&f, a);
	fields_init(&r.headers, a);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)!fields_add(&f, names[i], text);
	(void)!(fields_add(&r.headers, STR("ETag"), text) && fields_add(&r.headers, STR("Cache-Control"), text)
		&& fields_add(&r.headers, STR("Age"), text) && fields_add(&r.headers, STR("Expires"), text));
	(void)http_cache_client_has(&f, &r);
	(void)http_cache_refuses(&p, &f, &r, &c);
	fields_remove(&f, STR("If-Range"));
	if (http_cache_range(&f, &r, 1000, &from, &to) == HTTP_RANGE_PART && (from > to || to >= 1000))
		abort();
	bounded(http_cache_lifetime_s(&p, &r, &c));
	if (http_cache_initial_age_s(&r, 0, 1000000) < 0)
		abort();
	arena_free(a);
	return 0;
}
