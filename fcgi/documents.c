#include "fcgi/documents.h"

#include "core/log.h"
#include "core/str.h"
#include "core/yaml.h"
#include "db/apis.h"

#include <stdlib.h>

enum { KEPT = 16, TEXT_MAX = 64 << 20 };

struct kept {
	uint64_t generation, used;
	int64_t revision;
	char *api_id;                    /* NULL: a free place */
	char *text;                      /* NULL: there is none */
	size_t n;
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
	free(k->text);
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

/* JSON stays as it is, byte for byte; YAML is turned into JSON. */
static struct str as_json(struct arena *a, struct str bytes)
{
	struct str start = str_trim(bytes);
	struct gh_err err;
	json_t *v;

	if (start.n && (start.p[0] == '{' || start.p[0] == '['))
		return bytes;
	if (yaml_parse(bytes, NULL, &v, NULL, &err).code) {
		log_warn("an API description cannot be read", KV_CSTR("error", err.message));
		return STR_NULL;
	}
	return jsn_text(a, jsn_keep(a, v), 0);
}

static GH_RC load(struct documents *d, struct arena *a, const struct snap_api *api, struct str *out, struct gh_err *err)
{
	struct store_api_document doc;
	bool found;

	if (!d->store)
		TRY(store_open(&d->store, d->state_dir, STORE_READ, err));
	TRY(store_api_document_find(d->store, a, api->ctx.id, api->revision, &doc, &found, err));
	*out = found ? as_json(a, doc.bytes) : STR_NULL;
	return GH_RC_OK;
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
static struct kept *keep(struct documents *d, uint64_t generation, const struct snap_api *api, struct str text)
{
	struct kept *k = &d->kept[0];

	for (size_t i = 1; i < KEPT; i++)
		if (d->kept[i].used < k->used)
			k = &d->kept[i];
	forget(k);
	k->api_id = copy(api->ctx.id);
	k->text = k->api_id && text.p ? copy(text) : NULL;
	if (!k->api_id || (text.p && !k->text)) {
		forget(k);
		return NULL;
	}
	k->n = text.n;
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

void documents_get(struct documents *d, struct arena *a, uint64_t generation, const struct snap_api *api, struct str *out)
{
	struct kept *k = find(d, generation, api);

	*out = STR_NULL;
	if (!k) {
		struct arena *own = arena_new(TEXT_MAX * (size_t)4);
		struct gh_err err = { 0 };
		struct str text;

		if (!own)
			return;
		if (load(d, own, api, &text, &err).code)
			log_warn("an API description cannot be loaded", KV_STR("api", api->ctx.id), KV_CSTR("error", err.message));
		else
			k = keep(d, generation, api, text);
		arena_free(own);
	}
	if (!k)
		return;
	k->used = ++d->clock;
	if (k->text)
		*out = arena_dup(a, (struct str){ k->text, k->n });
}
