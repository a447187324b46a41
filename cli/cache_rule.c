/* cache_rule.c - `gatehouse cache …`: which APIs answer from the cache, and what lies in it. */
#include "cli/output.h"
#include "cli/resource.h"

#include "core/config.h"
#include "core/str.h"
#include "db/cache_rules.h"
#include "policy/response_cache.h"

/* ---- rules ---------------------------------------------------------------------------------------------------------------- */

static const struct option set_options[] = {
	{ "on", OPTION_TEXT, "yes|no", "whether answers are kept (yes); no leaves an operation out of its API's rule", false },
	{ "shared-by", OPTION_TEXT, "subscription|everyone", "who gets an answer that is kept (subscription: only who fetched it)", false },
	{ "ttl", OPTION_INT, "SECONDS", "freshness of answers that say nothing about it; 0: as RFC 9111 guesses", false },
	{ "stale-while-revalidate", OPTION_INT, "SECONDS", "an old answer still goes out while the backend is asked", false },
	{ "stale-if-error", OPTION_INT, "SECONDS", "an old answer goes out in place of a backend's error", false },
	{ "max-bytes", OPTION_INT, "BYTES", "largest body that is kept (1048576)", false },
	{ "vary-by", OPTION_MANY, "HEADER", "request header that tells answers apart; none: no header", false },
	{ "authorized", OPTION_TEXT, "yes|no", "keep answers to Authorization too, for each value of it by itself (no)", false },
	{ "obeys-client", OPTION_TEXT, "yes|no", "whether Cache-Control of callers counts (yes)", false },
	{ "status-headers", OPTION_TEXT, "yes|no", "whether answers carry X-Cache and Cache-Status (yes)", false },
	OPTION_END,
};

static void take_options(struct cli *c, json_t *doc)
{
	static const struct {
		const char *option, *field;
	} flags[] = { { "on", "enabled" }, { "authorized", "authorized" }, { "obeys-client", "obeysClient" }, { "status-headers", "statusHeaders" } },
	  numbers[] = { { "ttl", "ttl" }, { "stale-while-revalidate", "staleWhileRevalidate" }, { "stale-if-error", "staleIfError" },
			{ "max-bytes", "maxBytes" } };
	const char *one = option_text(&c->options, "shared-by");
	json_t *names;

	if (one)
		json_object_set_new(doc, "sharedBy", json_string(one));
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if ((one = option_text(&c->options, flags[i].option)))
			json_object_set_new(doc, flags[i].field, json_boolean(strcmp(one, "yes") == 0));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (option_int(&c->options, numbers[i].option, -1) >= 0)
			json_object_set_new(doc, numbers[i].field, json_integer(option_int(&c->options, numbers[i].option, -1)));
	if (!option_nth(&c->options, "vary-by", 0))
		return;
	names = json_array();
	for (size_t i = 0; (one = option_nth(&c->options, "vary-by", i)); i++)
		if (strcmp(one, "none") != 0)
			json_array_append_new(names, json_string(one));
	json_object_set_new(doc, "varyBy", names);
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("cache-rule"));
	struct str place = str_of(c->options.args[0]);
	struct cli_change ch;
	struct store *s;
	json_t *doc;

	TRY(cli_store(c, true, &s, err));
	TRY(resource_read(s, c->arena, k, place, &doc, err));
	doc = doc ? resource_document(c->arena, k, doc, RESOURCE_WRITABLE) : jsn_keep(c->arena, json_object());
	if (!doc)
		FAIL(err, NOMEM, "no memory for the rule");
	take_options(c, doc);
	TRY(cli_change_begin(c, &ch, err));
	return cli_change_end(&ch, cli_put(&ch, "cache-rule", place, doc, RESOURCE_PUT, NULL, err), err);
}

const struct command command_cache_set = {
	.name = "cache set", .args = "PLACE", .least_args = 1, .most_args = 1, .summary = "answer calls of an API or operation from the cache",
	.help = "PLACE is api:ID or operation:API/OPERATION, which takes the place of its API's rule. What is not named stays as it is.",
	.options = set_options, .run = set,
};

static gh_rc unset(struct cli *c, struct gh_err *err)
{
	struct cli_change ch;

	TRY(cli_change_begin(c, &ch, err));
	return cli_change_end(&ch, cli_drop(&ch, "cache-rule", str_of(c->options.args[0]), err), err);
}

const struct command command_cache_unset = {
	.name = "cache unset", .args = "PLACE", .least_args = 1, .most_args = 1, .summary = "take the cache rule of a place away", .run = unset,
};

struct printed_rule {
	struct store_cache_rule rule;
	struct str place;
};
static const struct column rule_columns[] = {
	{ "PLACE", "place", COLUMN_TEXT, offsetof(struct printed_rule, place), NULL },
	{ "ON", "enabled", COLUMN_BOOL, offsetof(struct printed_rule, rule.enabled), NULL },
	{ "SHARED BY", "sharedBy", COLUMN_TEXT, offsetof(struct printed_rule, rule.shared_by), NULL },
	{ "TTL", "ttl", COLUMN_INT, offsetof(struct printed_rule, rule.ttl_s), NULL },
	{ "STALE", "staleWhileRevalidate", COLUMN_INT, offsetof(struct printed_rule, rule.stale_while_revalidate_s), NULL },
	{ "ON ERROR", "staleIfError", COLUMN_INT, offsetof(struct printed_rule, rule.stale_if_error_s), NULL },
	{ "VARY BY", "varyBy", COLUMN_TEXT, offsetof(struct printed_rule, rule.vary_by), NULL },
};

static gh_rc rules(struct cli *c, struct gh_err *err)
{
	struct store_cache_rule *v;
	struct printed_rule *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_cache_rules(s, c->arena, &v, &n, err));
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "%zu cache rules", n);
	for (size_t i = 0; i < n; i++) {
		rows[i].rule = v[i];
		rows[i].place = v[i].operation_id.n ? arena_printf(c->arena, "operation:%.*s/%.*s", STR_ARG(v[i].api_id), STR_ARG(v[i].operation_id))
						    : arena_printf(c->arena, "api:%.*s", STR_ARG(v[i].api_id));
	}
	output_list(c, rule_columns, ARRAY_LEN(rule_columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_cache_rules = {
	.name = "cache rules", .summary = "list the APIs and operations that answer from the cache", .run = rules,
};

/* ---- answers -------------------------------------------------------------------------------------------------------------- */

enum { LISTED = 100, LISTED_MAX = 10000 };

static void close_cache(void *c)
{
	cache_close(c);
}

static gh_rc answers(struct cli *c, struct cache **out, bool *there, struct gh_err *err)
{
	struct config *config = arena_new_of(c->arena, struct config);
	char conf[PATHS_MAX];

	if (!config)
		FAIL(err, NOMEM, "no memory for the settings");
	TRY(paths_join(conf, c->state_dir, "gatehouse.conf", err));
	TRY(config_load(config, c->arena, conf, err));
	TRY(response_cache_open(config, c->state_dir, out, there, err));
	if (*there && !arena_defer(c->arena, close_cache, *out)) {
		cache_close(*out);
		FAIL(err, NOMEM, "no memory for the cache");
	}
	return GH_RC_OK;
}

#define FILTER_OPTIONS                                                                                                          \
	{ "api", OPTION_TEXT, "ID", "answers of this API", false },                                                              \
	{ "key", OPTION_TEXT, "PATH", "of this path and query, as callers ask: /api/orders/7?full=1", false },                    \
	{ "prefix", OPTION_TEXT, "PATH", "of paths that begin so", false },                                                      \
	{ "tag", OPTION_TEXT, "TAG", "with this word in Surrogate-Key or Cache-Tag", false },                                    \
	{ "subscription", OPTION_TEXT, "ID", "that were kept for this subscription", false }

static struct cached_filter filter_of(const struct cli *c)
{
	const struct options *o = &c->options;

	return (struct cached_filter){ .api = str_of(option_text(o, "api")), .key = str_of(option_text(o, "key")),
				       .prefix = str_of(option_text(o, "prefix")), .tag = str_of(option_text(o, "tag")),
				       .subscription = str_of(option_text(o, "subscription")) };
}

struct printed_answer {
	struct cached_line line;
	int64_t status, bytes;
};
static const struct column answer_columns[] = {
	{ "KEY", "key", COLUMN_TEXT, offsetof(struct printed_answer, line.target), NULL },
	{ "API", "api", COLUMN_TEXT, offsetof(struct printed_answer, line.api), NULL },
	{ "SUBSCRIPTION", "subscription", COLUMN_TEXT, offsetof(struct printed_answer, line.subscription), NULL },
	{ "STATUS", "status", COLUMN_INT, offsetof(struct printed_answer, status), NULL },
	{ "BYTES", "bytes", COLUMN_INT, offsetof(struct printed_answer, bytes), NULL },
	{ "AGE", "age", COLUMN_INT, offsetof(struct printed_answer, line.age_s), NULL },
	{ "FRESH", "fresh", COLUMN_INT, offsetof(struct printed_answer, line.fresh_s), NULL },
	{ "TAGS", "tags", COLUMN_TEXT, offsetof(struct printed_answer, line.tags), NULL },
};
static const struct option list_options[] = {
	FILTER_OPTIONS, { "limit", OPTION_INT, "N", "at most so many, the newest first (100)", false }, OPTION_END,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	int64_t most = option_int(&c->options, "limit", LISTED);
	struct cached_filter f = filter_of(c);
	struct cached_line *lines = NULL;
	struct printed_answer *rows;
	struct cache *cache;
	size_t n = 0;
	bool there;

	if (most < 1 || most > LISTED_MAX)
		return cli_usage(c, err, "--limit needs 1 to %d", LISTED_MAX);
	TRY(answers(c, &cache, &there, err));
	if (there)
		TRY(response_cache_list(cache, c->arena, &f, (size_t)most, &lines, &n, err));
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "%zu answers", n);
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct printed_answer){ .line = lines[i], .status = lines[i].status, .bytes = (int64_t)lines[i].bytes };
	output_list(c, answer_columns, ARRAY_LEN(answer_columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_cache_list = {
	.name = "cache list", .summary = "list the answers that are kept, the newest first", .options = list_options, .run = list,
};

static const struct option purge_options[] = { FILTER_OPTIONS, { "all", OPTION_FLAG, NULL, "everything", false }, OPTION_END };

struct printed_count {
	int64_t removed;
};
static const struct column count_columns[] = {
	{ "REMOVED", "removed", COLUMN_INT, offsetof(struct printed_count, removed), NULL },
};

static gh_rc purge(struct cli *c, struct gh_err *err)
{
	struct cached_filter f = filter_of(c);
	bool narrow = f.api.n || f.key.n || f.prefix.n || f.tag.n || f.subscription.n, there;
	struct cache *cache;
	size_t removed = 0;

	if (narrow == option_flag(&c->options, "all"))
		return cli_usage(c, err, "say which answers: --key, --prefix, --tag, --api or --subscription; or --all");
	TRY(answers(c, &cache, &there, err));
	if (there)
		TRY(response_cache_purge(cache, &f, &removed, err));
	output_row(c, count_columns, ARRAY_LEN(count_columns), &(struct printed_count){ (int64_t)removed }, false);
	return GH_RC_OK;
}

const struct command command_cache_purge = {
	.name = "cache purge", .summary = "remove answers from the cache by key, prefix, tag, API or subscription", .options = purge_options,
	.run = purge,
};

struct printed_stats {
	int64_t entries, bytes, max_bytes;
};
static const struct column stats_columns[] = {
	{ "ENTRIES", "entries", COLUMN_INT, offsetof(struct printed_stats, entries), NULL },
	{ "BYTES", "bytes", COLUMN_INT, offsetof(struct printed_stats, bytes), NULL },
	{ "LIMIT", "maxBytes", COLUMN_INT, offsetof(struct printed_stats, max_bytes), NULL },
};

static gh_rc stats(struct cli *c, struct gh_err *err)
{
	struct cache_stats s = { 0 };
	struct printed_stats row;
	struct cache *cache;
	bool there;

	TRY(answers(c, &cache, &there, err));
	if (there)
		TRY(cache_stats(cache, &s, err));
	row = (struct printed_stats){ (int64_t)s.entries, (int64_t)s.bytes, (int64_t)s.max_bytes };
	output_row(c, stats_columns, ARRAY_LEN(stats_columns), &row, false);
	return GH_RC_OK;
}

const struct command command_cache_stats = {
	.name = "cache stats", .summary = "print how full the cache of answers is", .run = stats,
};
