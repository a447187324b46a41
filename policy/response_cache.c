/* response_cache.c
 *
 *   address   'U' | invalidated i64 | until i64 | names as in Vary
 *   purges    a line each: when, and the filter, parted by tabs; the newest first
 *   answer    'P'                                                         could not be kept
 *             'H' | asked, came, age, lifetime i64 | api, target, tenant, tags: u32 length and text | response (value_store.h) */
#include "policy/response_cache.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/str.h"
#include "policy/value_store.h"

#include <stdlib.h>
#include <unistd.h>

/* An answer that takes longer to come than PURGE_KEPT_S is taken for one that was asked for before it. */
enum { TAGS_MAX = 16384, PURGES_KEPT = 64, PURGE_KEPT_S = 3600 };
static const char ADDRESS = 'U', ANSWER = 'H', PASS = 'P';

struct str cached_address_write(struct arena *a, const struct cached_address *u)
{
	const struct str parts[] = { { &ADDRESS, 1 }, { (const char *)&u->invalidated_us, sizeof(u->invalidated_us) },
				     { (const char *)&u->until_us, sizeof(u->until_us) }, u->vary };

	return arena_join(a, parts, ARRAY_LEN(parts));
}

static bool get(struct str *s, void *out, size_t n)
{
	if (s->n < n)
		return false;
	memcpy(out, s->p, n);
	*s = str_from(*s, n);
	return true;
}

static bool get_text(struct str *s, struct str *out)
{
	uint32_t n;

	if (!get(s, &n, sizeof(n)) || s->n < n)
		return false;
	*out = str_first(*s, n);
	*s = str_from(*s, n);
	return true;
}

bool cached_address_read(struct str bytes, struct cached_address *out)
{
	struct str s = str_from(bytes, 1);

	*out = (struct cached_address){ .vary = STR("") };
	if (!bytes.n || *bytes.p != ADDRESS || !get(&s, &out->invalidated_us, sizeof(out->invalidated_us))
	    || !get(&s, &out->until_us, sizeof(out->until_us)))
		return false;
	out->vary = s;
	return true;
}

struct str cached_answer_write(struct arena *a, const struct cached_answer *e)
{
	const int64_t numbers[] = { e->asked_us, e->came_us, e->initial_age_s, e->lifetime_s };
	const struct str texts[] = { e->api, e->target, e->tenant, e->tags };
	uint32_t lengths[ARRAY_LEN(texts)];
	struct str parts[3 + 2 * ARRAY_LEN(texts)] = { { &ANSWER, 1 }, { (const char *)numbers, sizeof(numbers) } };
	struct str response = e->pass ? STR("") : response_store(a, &e->response);

	if (e->pass)
		return (struct str){ &PASS, 1 };
	if (!response.p)
		return STR_NULL;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		lengths[i] = (uint32_t)texts[i].n;
		parts[2 + 2 * i] = (struct str){ (const char *)&lengths[i], sizeof(lengths[i]) };
		parts[3 + 2 * i] = texts[i];
	}
	parts[ARRAY_LEN(parts) - 1] = response;
	return arena_join(a, parts, ARRAY_LEN(parts));
}

bool cached_answer_read(struct arena *a, struct str bytes, struct cached_answer *out)
{
	struct str s = str_from(bytes, 1);
	int64_t numbers[4];

	*out = (struct cached_answer){ .pass = bytes.n && *bytes.p == PASS };
	if (out->pass)
		return true;
	if (!bytes.n || *bytes.p != ANSWER || !get(&s, numbers, sizeof(numbers)) || !get_text(&s, &out->api)
	    || !get_text(&s, &out->target) || !get_text(&s, &out->tenant) || !get_text(&s, &out->tags))
		return false;
	out->asked_us = numbers[0];
	out->came_us = numbers[1];
	out->initial_age_s = numbers[2];
	out->lifetime_s = numbers[3];
	return !a || response_view(a, s, &out->response);
}

struct str cached_tags(struct arena *a, const struct fields *headers)
{
	struct str from[] = { fields_joined(headers, STR("Surrogate-Key")), fields_joined(headers, STR("Cache-Tag")) }, word, out;
	struct buf b;

	if (!from[0].n && !from[1].n)
		return STR("");
	buf_init(&b, TAGS_MAX);
	for (size_t i = 0; i < ARRAY_LEN(from); i++)
		while (from[i].n && str_word(&from[i], &word)) {
			if (b.n)
				buf_char(&b, ' ');
			buf_str(&b, word);
		}
	out = buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR("");
	buf_release(&b);
	return out;
}

/* ---- for people ---------------------------------------------------------------------------------------------------------- */

GH_RC response_cache_open(const struct config *config, const char *state_dir, struct cache **out, bool *there, struct gh_err *err)
{
	char path[PATHS_MAX];

	*out = NULL;
	TRY(cache_responses_path(config, state_dir, path, err));
	*there = access(path, F_OK) == 0;
	return *there ? cache_open_of_boot(out, path, (size_t)config_int(config, CONFIG_CACHE_RESPONSES_MAX_BYTES), err) : GH_RC_OK;
}

/* "s:ID" and what else tells the caller apart, one a line: fcgi/cached_key.c. */
static struct str subscription_of(struct str tenant)
{
	return str_starts(tenant, STR("s:")) ? str_first(str_from(tenant, 2), str_find_char(str_from(tenant, 2), '\n')) : STR_NULL;
}

static bool has_tag(struct str tags, struct str tag)
{
	for (struct str word; tags.n && str_word(&tags, &word);)
		if (str_eq(word, tag))
			return true;
	return false;
}

static bool fits(const struct cached_filter *f, const struct cached_answer *e)
{
	return (!f->api.n || str_eq(f->api, e->api)) && (!f->key.n || str_eq(f->key, e->target))
	       && (!f->prefix.n || str_starts(e->target, f->prefix)) && (!f->tag.n || has_tag(e->tags, f->tag))
	       && (!f->subscription.n || str_eq(f->subscription, subscription_of(e->tenant)));
}

static bool narrows(const struct cached_filter *f)
{
	return f->api.n || f->key.n || f->prefix.n || f->tag.n || f->subscription.n;
}

static enum cache_verdict judge_purge(void *arg, struct str key UNUSED, struct str value, int64_t expires_us UNUSED)
{
	const struct cached_filter *f = arg;
	struct cached_answer e;

	if (!narrows(f))
		return CACHE_DROP;
	return cached_answer_read(NULL, value, &e) && !e.pass && fits(f, &e) ? CACHE_DROP : CACHE_KEEP;
}

struct counting {
	const struct cached_filter *filter;
	size_t n;
};

static enum cache_verdict judge_count(void *arg, struct str key, struct str value, int64_t expires_us)
{
	struct counting *x = arg;

	x->n += judge_purge((void *)(uintptr_t)x->filter, key, value, expires_us) == CACHE_DROP;
	return CACHE_KEEP;
}

/* No address, id or tag has a tab or a line end. */
static bool note_text(const struct cached_filter *f, int64_t now_us, struct buf *b)
{
	const struct str parts[] = { f->api, f->key, f->prefix, f->tag, f->subscription };

	buf_fmt(b, "%lld", (long long)now_us);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (str_find_char(parts[i], '\t') != SIZE_MAX || str_find_char(parts[i], '\n') != SIZE_MAX)
			return false;
		buf_char(b, '\t');
		buf_str(b, parts[i]);
	}
	return buf_ok(b);
}

static GH_RC note_purge(struct cache *c, const struct cached_filter *f, int64_t now_us, struct gh_err *err)
{
	gh_rc rc = GH_RC_OK;
	struct buf b;

	buf_init(&b, TAGS_MAX);
	if (note_text(f, now_us, &b))
		rc = cache_push(c, RESPONSE_CACHE_PURGE, STR("purges"), buf_view(&b), PURGES_KEPT, now_us,
				now_us + PURGE_KEPT_S * (int64_t)1000000, err);
	buf_release(&b);
	return rc;
}

static bool was_purged_by(struct str line, const struct cached_answer *e, int64_t *at_us)
{
	struct cached_filter f = { .api = STR_NULL };
	struct str *const parts[] = { &f.api, &f.key, &f.prefix, &f.tag, &f.subscription };
	struct str part;
	uint64_t at = 0;

	if (!str_split(&line, '\t', &part) || !str_to_u64(part, INT64_MAX, &at))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!str_split(&line, '\t', parts[i]))
			return false;
	*at_us = (int64_t)at;
	return *at_us >= e->asked_us && fits(&f, e);
}

bool response_cache_purged(struct cache *c, struct arena *a, const struct cached_answer *e, int64_t now_us)
{
	struct str all, line;
	int64_t oldest_us = now_us;
	size_t n = 0;

	if (cache_get(c, RESPONSE_CACHE_PURGE, STR("purges"), now_us, a, &all, NULL).code || !all.p)
		return false;
	for (; all.n && str_split(&all, '\n', &line); n++)
		if (was_purged_by(line, e, &oldest_us))
			return true;
	/* what stood behind a full list is forgotten, and may have been for this one */
	return n >= PURGES_KEPT && e->asked_us <= oldest_us;
}

GH_RC response_cache_purge(struct cache *c, const struct cached_filter *f, size_t *removed, struct gh_err *err)
{
	TRY(note_purge(c, f, clock_wall_us(), err));
	return cache_scan(c, RESPONSE_CACHE_ANSWER, clock_wall_us(), judge_purge, (void *)(uintptr_t)f, removed, err);
}

GH_RC response_cache_count(struct cache *c, const struct cached_filter *f, size_t *n, struct gh_err *err)
{
	struct counting x = { .filter = f };
	size_t none;

	TRY(cache_scan(c, RESPONSE_CACHE_ANSWER, clock_wall_us(), judge_count, &x, &none, err));
	*n = x.n;
	return GH_RC_OK;
}

struct listing {
	const struct cached_filter *filter;
	struct arena *a, *scratch;
	struct cached_line *v;
	int64_t *came_us;
	size_t n, most;
	int64_t now_us;
	bool failed;
};

/* Where it belongs in the order, the newest first, of one time by what they are answers to; `most` when it is older than all of a full list. */
static size_t place_for(const struct listing *l, const struct cached_answer *e)
{
	size_t at = l->n;

	while (at && (l->came_us[at - 1] < e->came_us || (l->came_us[at - 1] == e->came_us && str_cmp(l->v[at - 1].target, e->target) > 0)))
		at--;
	return at;
}

static enum cache_verdict judge_list(void *arg, struct str key UNUSED, struct str value, int64_t expires_us UNUSED)
{
	struct listing *l = arg;
	struct cached_answer e;
	struct cached_line line;
	size_t at;

	arena_reset(l->scratch);
	if (!cached_answer_read(l->scratch, value, &e) || e.pass || !fits(l->filter, &e))
		return CACHE_KEEP;
	at = place_for(l, &e);
	if (at == l->most)
		return CACHE_KEEP;
	line = (struct cached_line){ .api = arena_dup(l->a, e.api), .target = arena_dup(l->a, e.target), .tags = arena_dup(l->a, e.tags),
				     .status = e.response.status, .bytes = e.response.body.bytes.n };
	if (subscription_of(e.tenant).n)
		line.subscription = arena_dup(l->a, subscription_of(e.tenant));
	if (!line.target.p || !line.api.p || !line.tags.p) {
		l->failed = true;
		return CACHE_STOP;
	}
	line.age_s = (l->now_us - e.came_us) / 1000000 + e.initial_age_s;
	line.fresh_s = e.lifetime_s - line.age_s;
	l->n += l->n < l->most;
	memmove(l->v + at + 1, l->v + at, (l->n - at - 1) * sizeof(*l->v));
	memmove(l->came_us + at + 1, l->came_us + at, (l->n - at - 1) * sizeof(*l->came_us));
	l->v[at] = line;
	l->came_us[at] = e.came_us;
	return CACHE_KEEP;
}

GH_RC response_cache_list(struct cache *c, struct arena *a, const struct cached_filter *f, size_t most, struct cached_line **out, size_t *n,
			  struct gh_err *err)
{
	struct listing l = { .filter = f, .a = a, .most = most, .now_us = clock_wall_us(), .v = arena_alloc(a, most, sizeof(*l.v)),
			     .came_us = arena_alloc(a, most, sizeof(*l.came_us)), .scratch = arena_new(1 << 20) };
	size_t dropped;
	gh_rc rc;

	if (!l.v || !l.came_us || !l.scratch) {
		arena_free(l.scratch);
		FAIL(err, NOMEM, "no memory for %zu answers", most);
	}
	rc = cache_scan(c, RESPONSE_CACHE_ANSWER, l.now_us, judge_list, &l, &dropped, err);
	arena_free(l.scratch);
	if (rc.code)
		return rc;
	if (l.failed)
		FAIL(err, NOMEM, "no memory for the list of answers");
	*out = l.v;
	*n = l.n;
	return GH_RC_OK;
}
