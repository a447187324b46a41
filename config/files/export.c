#include "config/files/export.h"

#include "config/files/closure.h"
#include "config/files/layout.h"
#include "core/str.h"
#include "core/theme.h"
#include "core/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct out_file {
	struct str path;
	struct buf text;
};

struct exporter {
	struct store *store;
	struct arena *arena, *scratch;   /* scratch: of one page of a list */
	const struct files_export *what;
	struct tree *tree;
	struct map by_path;              /* of the YAML files that are being written */
	struct out_file **files;
	size_t n, cap;
};

struct str files_api_of(const struct resource_kind *k, const json_t *doc)
{
	struct layout_owner o = layout_owner(k, doc);

	return o.kind && strcmp(o.kind, "api") == 0 ? o.id : STR_NULL;
}

GH_RC files_environment(struct store *s, struct arena *a, const struct resource_kind *k, const json_t *doc, struct str *out,
			struct gh_err *err)
{
	struct str api = files_api_of(k, doc);
	json_t *owner;

	*out = STR_NULL;
	if (strcmp(k->name, "environment") == 0)
		*out = jsn_str(doc, "id");
	for (const struct resource_field *f = k->fields; f->name && !out->p; f++)
		if (f->type == RESOURCE_REF && strcmp(f->ref, "environment") == 0)
			*out = jsn_str(doc, f->name);
	if (out->p || !api.n || strcmp(k->name, "api") == 0)
		return GH_RC_OK;
	TRY(resource_read(s, a, resource_kind_find(STR("api")), api, &owner, err));
	if (owner)
		*out = jsn_str(owner, "environment");
	return GH_RC_OK;
}

/* ---- one resource ----------------------------------------------------------------------------------------------------------- */

static GH_RC file_for(struct exporter *x, struct str path, struct buf **out, struct gh_err *err)
{
	struct out_file *f = map_get(&x->by_path, path);

	if (f) {
		buf_cstr(&f->text, "---\n");
		*out = &f->text;
		return GH_RC_OK;
	}
	f = arena_new_of(x->arena, struct out_file);
	if (x->n == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 64;
		struct out_file **files = arena_alloc(x->arena, cap, sizeof(struct out_file *));

		if (!files)
			FAIL(err, NOMEM, "files");
		if (x->n)
			memcpy(files, x->files, x->n * sizeof(struct out_file *));
		x->files = files;
		x->cap = cap;
	}
	if (!f || !(f->path = arena_dup(x->arena, path)).p || !map_put(&x->by_path, f->path, f))
		FAIL(err, NOMEM, "files");
	buf_init(&f->text, FILES_ONE_MAX);
	x->files[x->n++] = f;
	*out = &f->text;
	return GH_RC_OK;
}

/* Texts that people keep in files of their own: moved there, and named. */
static GH_RC put_texts(struct exporter *x, const struct resource_kind *k, const json_t *shown, json_t *doc, struct gh_err *err)
{
	for (const struct resource_field *f = k->fields; f->name; f++) {
		struct str text = jsn_str(doc, f->name), path;
		size_t slash;

		if (!(f->flags & RESOURCE_FILE) || !text.n)
			continue;
		path = layout_text_file(x->arena, k, shown, f, text);
		text = arena_dup(x->arena, text);
		if (!path.p || !text.p)
			FAIL(err, NOMEM, "files");
		TRY(tree_add(x->tree, path, text, err));
		slash = str_rfind_char(layout_file(x->scratch, k, shown), '/');
		path = str_from(path, slash == SIZE_MAX ? 0 : slash + 1);
		json_object_set_new(doc, f->name, json_pack("{s:s%}", FILES_FILE, path.p, path.n));
	}
	return GH_RC_OK;
}

static GH_RC put(struct exporter *x, const struct resource_kind *k, const json_t *doc, struct gh_err *err)
{
	json_t *shorter = resource_document(x->scratch, k, doc, RESOURCE_WRITABLE | RESOURCE_SHORT), *full;
	struct str path = layout_file(x->scratch, k, doc);
	struct buf *b = NULL;

	full = jsn_keep(x->scratch, json_pack("{s:s}", FILES_KIND, k->name));
	if (!shorter || !full || !path.p)
		FAIL(err, NOMEM, "%s", k->name);
	json_object_set(full, "id", jsn_get(doc, "id"));
	json_object_update(full, shorter);
	TRY(put_texts(x, k, doc, full, err));
	TRY(file_for(x, path, &b, err));
	return yaml_write(b, full, err);
}

/* ---- all of them -------------------------------------------------------------------------------------------------------------- */

static GH_RC put_kind(struct exporter *x, const struct resource_kind *k, struct gh_err *err)
{
	struct resource_query q = { .limit = RESOURCE_LIST_MAX };
	struct str next = STR_NULL, env;
	json_t *page, *doc;
	size_t i;

	do {
		char after[600];

		arena_reset(x->scratch);
		q.after = next.n ? (struct str){ after, next.n } : STR_NULL;
		TRY(resource_list(x->store, x->scratch, k, &q, &page, &next, err));
		if (next.n >= sizeof(after))
			FAIL(err, INTERNAL, "an id of %zu bytes", next.n);
		json_array_foreach(page, i, doc) {
			if (x->what->environment.n) {
				TRY(files_environment(x->store, x->scratch, k, doc, &env, err));
				if (env.p && !str_eq(env, x->what->environment))
					continue;
			}
			TRY(put(x, k, doc, err));
		}
		if (next.n)
			memcpy(after, next.p, next.n);
	} while (next.n);
	return GH_RC_OK;
}

static GH_RC put_head(struct exporter *x, struct gh_err *err)
{
	json_t *kinds = json_array(), *head;
	struct buf b;
	struct str text;
	gh_rc rc;

	for (size_t i = 0; resource_kinds[i] && !x->what->api.n; i++)
		if (x->what->personal || !resource_kinds[i]->personal)
			json_array_append_new(kinds, json_string(resource_kinds[i]->plural));
	head = jsn_keep(x->arena, json_pack("{s:s, s:i, s:o}", FILES_KIND, FILES_COVER, "format", FILES_FORMAT, "kinds", kinds));
	if (!head)
		FAIL(err, NOMEM, "head");
	if (x->what->environment.n)
		json_object_set_new(head, "environments", json_pack("[s%]", x->what->environment.p, x->what->environment.n));
	buf_init(&b, 65536);
	rc = yaml_write(&b, head, err);
	text = arena_dup(x->arena, buf_view(&b));
	buf_release(&b);
	TRY(rc);
	if (!text.p)
		FAIL(err, NOMEM, "head");
	return tree_add(x->tree, STR(FILES_HEAD), text, err);
}

static GH_RC put_theme(struct exporter *x, struct gh_err *err)
{
	struct tree theme;

	if (!x->what->theme_dir || !x->what->theme_dir[0] || access(x->what->theme_dir, F_OK) != 0)
		return GH_RC_OK;
	tree_init(&theme, x->arena);
	TRY(tree_read(&theme, x->what->theme_dir, err));
	for (size_t i = 0; i < theme.n; i++)
		TRY(tree_add(x->tree, arena_printf(x->arena, FILES_THEME "%.*s", STR_ARG(theme.files[i].path)), theme.files[i].bytes, err));
	return GH_RC_OK;
}

static gh_rc put_one(void *ctx, const struct resource_kind *k, const json_t *doc, struct gh_err *err)
{
	return put(ctx, k, doc, err);
}

/* One that is misspelt would be an export of nothing, and take the files of an earlier one away. */
static GH_RC check_environment(struct exporter *x, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("environment"));
	struct str wanted = x->what->environment;
	bool there = true;

	if (wanted.n)
		TRY(resource_exists(x->store, k, wanted, &there, err));
	if (!there)
		FAIL(err, NOT_FOUND, "there is no environment '%.*s'%.*s", STR_ARG(str_first(wanted, 200)), STR_ARG(resource_did_you_mean(x->store, x->scratch, k, wanted)));
	return GH_RC_OK;
}

static GH_RC put_all(struct exporter *x, struct gh_err *err)
{
	TRY(check_environment(x, err));
	if (x->what->api.n) {                            /* covers nothing: an API that comes takes nothing away */
		TRY(closure_of_api(x->store, x->arena, x->what->api, put_one, x, err));
		return put_head(x, err);
	}
	for (size_t i = 0; resource_kinds[i]; i++)
		if (x->what->personal || !resource_kinds[i]->personal)
			TRY(put_kind(x, resource_kinds[i], err));
	TRY(put_head(x, err));
	return put_theme(x, err);
}

static GH_RC finish(struct exporter *x, gh_rc rc, struct gh_err *err)
{
	for (size_t i = 0; i < x->n; i++) {
		struct out_file *f = x->files[i];

		if (!rc.code) {
			struct str text = buf_ok(&f->text) ? arena_dup(x->arena, buf_view(&f->text)) : STR_NULL;

			rc = text.p ? tree_add(x->tree, f->path, text, err) : gh_err_set(err, GH_E_LIMIT, __FILE__, __LINE__,
				"%.*s would be larger than a file may be", STR_ARG(f->path));
		}
		buf_release(&f->text);
	}
	TRY(rc);
	return tree_finish(x->tree, err);
}

GH_RC files_export(struct store *s, struct arena *a, const struct files_export *what, struct tree *out, struct gh_err *err)
{
	struct exporter x = { .store = s, .arena = a, .scratch = arena_new(FILES_BYTES_MAX), .what = what, .tree = out };
	gh_rc rc;

	if (!x.scratch)
		FAIL(err, NOMEM, "export");
	tree_init(out, a);
	map_init(&x.by_path, a, false);
	rc = store_read_begin(s, err);
	if (!rc.code)
		rc = put_all(&x, err);
	store_read_end(s);
	rc = finish(&x, rc, err);
	arena_free(x.scratch);
	return rc;
}

const char *const *files_folders(struct arena *a)
{
	size_t n = 0;
	const char **list;

	while (resource_kinds[n])
		n++;
	list = arena_alloc(a, n + 2, sizeof(*list));
	for (size_t i = 0; list && i < n; i++)
		list[i] = resource_kinds[i]->plural;
	if (list)
		list[n] = "theme";
	return list;
}
