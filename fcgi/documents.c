#include "fcgi/documents.h"

#include "core/log.h"
#include "core/str.h"
#include "db/apis.h"

#include <stdlib.h>

enum { KEPT = 16, TEXT_MAX = 64 << 20 };

struct kept {
	uint64_t generation, used;
	int64_t revision;
	char *api_id;                    /* NULL: a free place */
	struct api_model *model;         /* NULL: there is none */
};

struct documents {
	const char *state_dir;
	struct store *store;             /* opened when first asked */
	uint64_t clock;
	struct kept kept[KEPT];
};

struct documents *documents_new(const char *state_dir)
{
	struct documents *d = calloc(1, sizeof(*d));

	if (d)
		d->state_dir = state_dir;
	return d;
}

static void forget(struct kept *k)
{
	free(k->api_id);
	api_model_free(k->model);
	*k = (struct kept){ 0 };
}

void documents_free(struct documents *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < KEPT; i++)
		forget(&d->kept[i]);
	store_free(d->store);
	free(d);
}

static GH_RC load(struct documents *d, struct arena *a, const struct snap_api *api, struct api_model **out, struct gh_err *err)
{
	struct store_api_document doc;
	bool found;

	*out = NULL;
	if (!d->store)
		TRY(store_open(&d->store, d->state_dir, STORE_READ, err));
	TRY(store_api_document_find(d->store, a, api->ctx.id, api->revision, &doc, &found, err));
	return found ? api_model_new(out, store_api_description(&doc), err) : GH_RC_OK;
}

static char *copy(struct str s)
{
	char *p = malloc(s.n + 1);

	if (p) {
		memcpy(p, s.p, s.n);
		p[s.n] = '\0';
	}
	return p;
}

/* Into the place that was used least recently. */
static struct kept *keep(struct documents *d, uint64_t generation, const struct snap_api *api, struct api_model *model)
{
	struct kept *k = &d->kept[0];

	for (size_t i = 1; i < KEPT; i++)
		if (d->kept[i].used < k->used)
			k = &d->kept[i];
	forget(k);
	k->api_id = copy(api->ctx.id);
	k->model = model;
	if (!k->api_id) {
		forget(k);
		return NULL;
	}
	k->generation = generation;
	k->revision = api->revision;
	return k;
}

static struct kept *find(struct documents *d, uint64_t generation, const struct snap_api *api)
{
	for (size_t i = 0; i < KEPT; i++) {
		struct kept *k = &d->kept[i];

		if (k->api_id && k->generation == generation && k->revision == api->revision
		    && str_eq(str_of(k->api_id), api->ctx.id))
			return k;
	}
	return NULL;
}

struct api_model *documents_model(struct documents *d, uint64_t generation, const struct snap_api *api)
{
	struct kept *k = find(d, generation, api);

	if (!k) {
		struct arena *own = arena_new(TEXT_MAX * (size_t)4);
		struct api_model *model = NULL;
		struct gh_err err = { 0 };

		if (!own)
			return NULL;
		if (load(d, own, api, &model, &err).code)
			log_warn("an API description cannot be used", KV_STR("api", api->ctx.id), KV_CSTR("error", err.message));
		k = keep(d, generation, api, model);
		arena_free(own);
	}
	if (!k)
		return NULL;
	k->used = ++d->clock;
	return k->model;
}
