/* trust.c - authorities, lists of revoked certificates and schemas of an offline run. */
#include "policy/offline/internal.h"

#include "core/str.h"
#include "policy/schemas.h"
#include "policy/trust.h"

static void free_trust(void *t)
{
	trust_free(t);
}

static void free_schemas(void *s)
{
	schemas_free(s);
}

/* The texts of a list of strings. */
static GH_RC texts_of(struct offline *o, const char *key, struct str **out, size_t *n, struct gh_err *err)
{
	const json_t *list = jsn_arr(o->context, key);

	*n = json_array_size(list);
	*out = arena_alloc(o->arena, *n + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "context");
	for (size_t i = 0; i < *n; i++) {
		(*out)[i] = jsn_string(json_array_get(list, i));
		if (str_is_null((*out)[i]))
			FAIL(err, INVALID, "context: %s must be a list of texts in PEM", key);
	}
	return GH_RC_OK;
}

static GH_RC read_authorities(struct offline *o, struct gh_err *err)
{
	struct trust_options options = { .system = !jsn_get(o->context, "authorities") };
	struct str *authorities, *lists;

	if (options.system && !jsn_get(o->context, "revocationLists"))
		return GH_RC_OK;
	TRY(texts_of(o, "authorities", &authorities, &options.n_authorities, err));
	TRY(texts_of(o, "revocationLists", &lists, &options.n_lists, err));
	options.authorities = authorities;
	options.lists = lists;
	if (trust_new(&o->trust, &options, err).code) {
		gh_err_prefix(err, "context");
		return (gh_rc){ err->code };
	}
	if (arena_defer(o->arena, free_trust, o->trust))
		return GH_RC_OK;
	trust_free(o->trust);
	FAIL(err, NOMEM, "context");
}

static GH_RC read_schemas(struct offline *o, struct gh_err *err)
{
	json_t *all = jsn_obj(o->context, "schemas"), *one;
	struct schema_text *texts;
	const char *id;
	size_t n = 0;

	if (!all)
		return GH_RC_OK;
	texts = arena_alloc(o->arena, json_object_size(all) + 1, sizeof(*texts));
	if (!texts)
		FAIL(err, NOMEM, "context");
	json_object_foreach(all, id, one) {
		struct str text = json_is_string(one) ? jsn_string(one) : jsn_text(o->arena, one, 0), start = str_trim(text);

		texts[n++] = (struct schema_text){ .id = str_of(id), .text = text,
						   .kind = start.n && *start.p == '<' ? SCHEMA_XML : SCHEMA_JSON };
	}
	TRY(schemas_new(&o->schemas, texts, n, err));
	if (arena_defer(o->arena, free_schemas, o->schemas))
		return GH_RC_OK;
	schemas_free(o->schemas);
	FAIL(err, NOMEM, "context");
}

GH_RC offline_read_trust(struct offline *o, struct gh_err *err)
{
	TRY(read_authorities(o, err));
	return read_schemas(o, err);
}
