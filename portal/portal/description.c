#include "portal/portal/docs.h"

#include "core/log.h"
#include "core/str.h"

enum { DESCRIPTION_MEMORY = 256 << 20 };

static struct {
	struct arena *arena;             /* NULL: nothing kept */
	struct str api_id;
	uint64_t generation;
	const struct openapi *o;         /* NULL: there is none, or none that can be read */
} kept;

static void drop_kept(void)
{
	arena_free(kept.arena);
	memset(&kept, 0, sizeof(kept));
}

/* A description that cannot be read takes its details from the page, not the page from the visitor. */
static GH_RC read_document(struct web *w, struct str api_id, struct gh_err *err)
{
	struct store_api_document doc;
	struct text_where where;
	struct openapi *o;
	struct gh_err why;
	bool found;

	TRY(store_api_document_find(w->site->store, kept.arena, api_id, 0, &doc, &found, err));
	if (!found || store_api_description(&doc).n > PORTAL_DESCRIPTION_MAX)
		return GH_RC_OK;
	if (openapi_parse(kept.arena, store_api_description(&doc), &o, &where, &why).code)
		log_warn("description not shown", KV_STR("api", api_id), KV_CSTR("reason", why.message));
	else
		kept.o = o;
	return GH_RC_OK;
}

gh_rc portal_description(struct web *w, const struct store_api *api, const struct openapi **out, struct gh_err *err)
{
	uint64_t generation[GENFILE__COUNT];
	gh_rc rc;

	*out = NULL;
	TRY(store_generation(w->site->store, generation, err));
	if (!kept.arena || kept.generation != generation[GENFILE_CONFIG] || !str_eq(kept.api_id, api->id)) {
		drop_kept();
		kept.arena = arena_new(DESCRIPTION_MEMORY);
		if (!kept.arena)
			FAIL(err, NOMEM, "description");
		kept.generation = generation[GENFILE_CONFIG];
		kept.api_id = arena_dup(kept.arena, api->id);
		rc = read_document(w, api->id, err);
		if (rc.code) {
			drop_kept();
			return rc;
		}
	}
	*out = kept.o;
	return GH_RC_OK;
}
