/* fill.c - `gatehouse fill`, for benchmarks: a store of any size through the same functions that everything else uses.
 * APIs are fill-0, fill-1 … at paths of the same name, each with operations GET /r0/{id}, GET /r1/{id} …; subscription i has
 * the key fill-key-IIIIIIIIII (ten digits). */
#include "cli/output.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/apis.h"
#include "db/products.h"
#include "db/subscriptions.h"

#include <stdio.h>

enum { OPERATIONS_MAX = 1000, BATCH_BYTES = 64 << 20 };

static const struct option options[] = {
	{ "product", OPTION_TEXT, "ID", "product of everything; made when missing", true },
	{ "backend", OPTION_TEXT, "URL", "backend of every API", false },
	{ "apis", OPTION_INT, "N", "how many APIs", false },
	{ "operations", OPTION_INT, "N", "operations of each (10)", false },
	{ "subscriptions", OPTION_INT, "N", "how many subscriptions", false },
	OPTION_END,
};

struct filled {
	int64_t apis, operations, subscriptions, apis_ms, subscriptions_ms;
};

static gh_rc fill_api(struct cli *c, struct store *s, struct arena *a, int64_t i, int64_t n_operations, struct gh_err *err)
{
	struct str id = arena_printf(a, "fill-%lld", (long long)i);
	struct store_api api = { .id = id, .environment_id = STR("default"), .path = id, .name = id,
				 .subscription_required = true, .state = STORE_API_PUBLISHED,
				 .backend_url = str_of(option_text_or(&c->options, "backend", "http://127.0.0.1:9")) };
	struct store_operation *v = arena_alloc(a, (size_t)n_operations + 1, sizeof(*v));

	if (!v || !id.p)
		FAIL(err, NOMEM, "API %lld", (long long)i);
	for (int64_t k = 0; k < n_operations; k++)
		v[k] = (struct store_operation){ .id = arena_printf(a, "op-%lld", (long long)k), .method = STR("GET"),
						 .uri_template = arena_printf(a, "/r%lld/{id}", (long long)k), .name = id,
						 .position = k };
	TRY(store_api_create(s, &api, err));
	TRY(store_operations_replace(s, id, 1, v, (size_t)n_operations, err));
	return store_product_add_api(s, str_of(option_text(&c->options, "product")), id, err);
}

static gh_rc fill_apis(struct cli *c, struct store *s, int64_t n, int64_t n_operations, struct gh_err *err)
{
	struct arena *a = arena_new(BATCH_BYTES);
	gh_rc rc = GH_RC_OK;

	if (!a)
		FAIL(err, NOMEM, "filling");
	for (int64_t i = 0; i < n && !rc.code; i++) {
		rc = fill_api(c, s, a, i, n_operations, err);
		arena_reset(a);
	}
	arena_free(a);
	return rc;
}

static gh_rc need_product(struct cli *c, struct store *s, struct gh_err *err)
{
	struct str id = str_of(option_text(&c->options, "product"));
	struct store_product p = { .id = id, .name = id, .subscription_required = true, .state = STORE_PRODUCT_PUBLISHED }, old;
	bool found;

	TRY(store_product_find(s, c->arena, id, &old, &found, err));
	return found ? GH_RC_OK : store_product_create(s, &p, err);
}

static void key_of(size_t i, char out[STORE_KEY_MAX + 1], void *arg UNUSED)
{
	snprintf(out, STORE_KEY_MAX + 1, "fill-key-%010zu", i);
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "APIs", "apis", COLUMN_INT, offsetof(struct filled, apis), NULL },
		{ "Operations of each", "operations", COLUMN_INT, offsetof(struct filled, operations), NULL },
		{ "Subscriptions", "subscriptions", COLUMN_INT, offsetof(struct filled, subscriptions), NULL },
		{ "Time for APIs, ms", "apisMs", COLUMN_INT, offsetof(struct filled, apis_ms), NULL },
		{ "Time for subscriptions, ms", "subscriptionsMs", COLUMN_INT, offsetof(struct filled, subscriptions_ms), NULL },
	};
	struct filled f = { .apis = option_int(&c->options, "apis", 0), .operations = option_int(&c->options, "operations", 10),
			    .subscriptions = option_int(&c->options, "subscriptions", 0) };
	struct str actor = str_of(cli_actor(c));
	int64_t start = clock_mono_us();
	struct store *s;
	gh_rc rc;

	if (f.operations > OPERATIONS_MAX)
		return cli_usage(c, err, "--operations: at most %d", OPERATIONS_MAX);
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, actor, err));
	rc = need_product(c, s, err);
	if (!rc.code)
		rc = fill_apis(c, s, f.apis, f.operations, err);
	TRY(store_tx_end(s, rc, err));
	f.apis_ms = (clock_mono_us() - start) / 1000;
	start = clock_mono_us();
	if (f.subscriptions)
		TRY(store_subscriptions_bulk(s, actor, str_of(option_text(&c->options, "product")), (size_t)f.subscriptions,
					     "fill-", key_of, NULL, err));
	f.subscriptions_ms = (clock_mono_us() - start) / 1000;
	output_row(c, columns, ARRAY_LEN(columns), &f, false);
	return GH_RC_OK;
}

const struct command command_fill = {
	.name = "fill", .summary = "fill the store for a benchmark", .options = options, .hidden = true, .run = run,
};
