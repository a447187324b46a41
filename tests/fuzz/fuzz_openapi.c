/* A description either fails or gives a model whose every part can be walked, sampled and found again. Each file beside it is
 * the description itself: put together they fail or give a document that is read and refers to no other any more. */
#include "core/openapi_bundle.h"
#include "core/str.h"
#include "core/uritemplate.h"

#include <stdlib.h>

static size_t slashes(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '/';
	return n;
}

static void walk(const struct openapi *o, struct arena *a, const struct openapi_operation *op)
{
	const struct uritemplate *t;
	struct str template;

	if (!openapi_find(o, op->method, op->path) && op->path.n < 4000)
		abort();
	if (op->id.n > 0 && !openapi_find_id(o, op->id))
		abort();
	if (openapi_operation_slug(a, op).n > 80)
		abort();
	template = openapi_url_template(a, op);
	if (template.p && uritemplate_parse(a, template, &t, NULL).code && slashes(template) < URITEMPLATE_SEGMENTS_MAX)
		abort();
	for (size_t i = 0; i < op->n_responses; i++)
		for (size_t k = 0; k < op->responses[i].n_media; k++)
			(void)openapi_media_example(o, a, &op->responses[i].media[k]);
}

static gh_rc beside(void *ctx, struct arena *a UNUSED, struct str path UNUSED, struct str *text, struct gh_err *err UNUSED)
{
	*text = *(const struct str *)ctx;
	return GH_RC_OK;
}

static void bundle(struct arena *a, struct str text)
{
	const struct openapi_files files = { .read = beside, .ctx = &text };
	struct openapi_warning *problems;
	struct openapi *o;
	struct gh_err err;
	struct str out;
	size_t n;

	if (openapi_bundle(a, text, &files, &out, &problems, &n, &err).code || !out.p)
		return;
	if (n > OPENAPI_MAX_WARNINGS)
		abort();
	(void)openapi_parse(a, out, &o, NULL, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)64 << 20);
	struct text_where at;
	struct openapi *o;

	if (!openapi_parse(a, (struct str){ (const char *)data, size }, &o, &at, NULL).code) {
		for (size_t i = 0; i < o->n_operations; i++)
			walk(o, a, &o->operations[i]);
		if (o->n_warnings > OPENAPI_MAX_WARNINGS)
			abort();
	}
	bundle(a, (struct str){ (const char *)data, size });
	arena_free(a);
	return 0;
}
