#include "portal/web/internal.h"

#include "core/file.h"
#include "core/map.h"
#include "core/str.h"

#include <unistd.h>

/* Templates are read and parsed when a process starts, partials included, so a mistake in a shipped one stops the start and
 * not a visitor. One of the theme that cannot be used is told and left out. One that fails while a page is rendered has the
 * page rendered anew with the shipped ones, which are therefore kept beside those of the theme.
 * Names are "folder/name" without ".html". */

enum { TEMPLATE_MAX = 256 * 1024, STAMP_MEMORY = 16 << 20 };

struct web_templates {
	struct map by_name;              /* -> struct liquid_template; of the theme where it has one */
	struct map shipped;
	size_t replaced;
};

const struct liquid_template *web_template(const struct web_templates *t, struct str name)
{
	return map_get(&t->by_name, name);
}

bool web_templates_replaced(const struct web_templates *t)
{
	return t->replaced > 0;
}

static GH_RC parse(struct arena *a, struct str path, const struct liquid_template **out, struct gh_err *err)
{
	static const struct liquid_options options = { .html = true, .texts = true, .strict_names = true };
	struct str text;

	TRY(file_read(a, path.p, TEMPLATE_MAX, &text, err));
	return liquid_parse(a, path, text, &options, out, err);
}

static GH_RC load_one(struct web_templates *t, struct arena *a, const struct theme *theme, const char *folder, struct str file,
		      struct gh_err *err)
{
	struct str name = arena_printf(a, "%s/%.*s", folder, (int)file.n - 5, file.p), own, shipped;
	const struct liquid_template *parsed;

	if (!name.p)
		FAIL(err, NOMEM, "templates");
	TRY(theme_paths(theme, a, arena_printf(a, "templates/%s/%.*s", folder, STR_ARG(file)), &own, &shipped, err));
	if (access(shipped.p, F_OK) == 0) {
		TRY(parse(a, shipped, &parsed, err));
		if (!map_put(&t->by_name, name, (void *)parsed) || !map_put(&t->shipped, name, (void *)parsed))
			FAIL(err, NOMEM, "templates");
	}
	if (!own.p)
		return GH_RC_OK;
	if (parse(a, own, &parsed, err).code) {
		theme_problem(theme, own, err->message);
		return GH_RC_OK;
	}
	t->replaced++;
	if (!map_put(&t->by_name, name, (void *)parsed))
		FAIL(err, NOMEM, "templates");
	return GH_RC_OK;
}

static GH_RC load_folder(struct web_templates *t, struct arena *a, const struct theme *theme, const char *folder, struct gh_err *err)
{
	struct str path = arena_printf(a, "templates/%s", folder), *names;
	size_t n;

	if (!path.p)
		FAIL(err, NOMEM, "templates");
	TRY(theme_folder(theme, a, path.p, ".html", &names, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(load_one(t, a, theme, folder, names[i], err));
	return GH_RC_OK;
}

struct partial_check {
	const struct web_templates *t;
	struct str missing;
};

static void check_partial(void *ctx, struct str name)
{
	struct partial_check *c = ctx;

	if (!web_template(c->t, name))
		c->missing = name;
}

/* Of a template of the theme: the shipped one takes its place. */
static GH_RC check_partials(struct web_templates *t, struct arena *a, const struct theme *theme, const struct map_slot *slot,
			    struct gh_err *err)
{
	const struct liquid_template *shipped = map_get(&t->shipped, slot->key);
	struct partial_check check = { .t = t };
	struct str what;

	liquid_each_partial(slot->value, check_partial, &check);
	if (!check.missing.p)
		return GH_RC_OK;
	what = arena_printf(a, "%.*s.html includes '%.*s', which is not there", STR_ARG(slot->key), STR_ARG(check.missing));
	if (slot->value == shipped || !shipped || !what.p)
		FAIL(err, INVALID, "%s", what.p ? what.p : "templates");
	theme_problem(theme, arena_printf(a, "templates/%.*s.html", STR_ARG(slot->key)), what.p);
	if (!map_put(&t->by_name, slot->key, (void *)shipped))
		FAIL(err, NOMEM, "templates");
	return GH_RC_OK;
}

gh_rc web_templates_load(struct arena *a, const struct theme *theme, const char *app_folder, struct web_templates **out,
			 struct gh_err *err)
{
	struct web_templates *t = arena_new_of(a, struct web_templates);
	const struct map_slot *slot;

	if (!t)
		FAIL(err, NOMEM, "templates");
	map_init(&t->by_name, a, false);
	map_init(&t->shipped, a, false);
	TRY(load_folder(t, a, theme, "web", err));
	TRY(load_folder(t, a, theme, app_folder, err));
	for (size_t i = 0; (slot = map_next(&t->by_name, &i));)
		TRY(check_partials(t, a, theme, slot, err));
	*out = t;
	return GH_RC_OK;
}

/* ---- which version they are of -------------------------------------------------------------------------------------------- */

static GH_RC add_folder(struct buf *all, struct arena *a, const struct theme *shipped, const char *folder, const char *ending, struct gh_err *err)
{
	struct str *names;
	size_t n;

	TRY(theme_folder(shipped, a, folder, ending, &names, &n, err));
	for (size_t i = 0; i < n; i++) {
		uint8_t digest[CRYPTO_SHA256_BYTES];
		struct str text;

		TRY(file_read(a, arena_printf(a, "%s/%s/%.*s", shipped->share_dir, folder, STR_ARG(names[i])).p, TEMPLATE_MAX, &text, err));
		crypto_sha256(text, digest);
		buf_fmt(all, "%s/%.*s%c", folder, STR_ARG(names[i]), '\0');
		buf_add(all, digest, sizeof(digest));
	}
	return GH_RC_OK;
}

static GH_RC add_folders(struct buf *all, struct arena *a, const char *share_dir, const char *app_folder, struct gh_err *err)
{
	const struct theme shipped = { .share_dir = share_dir };

	TRY(add_folder(all, a, &shipped, "templates/web", ".html", err));
	TRY(add_folder(all, a, &shipped, arena_printf(a, "templates/%s", app_folder).p, ".html", err));
	TRY(add_folder(all, a, &shipped, "templates/lang", ".yaml", err));
	return buf_ok(all) ? GH_RC_OK : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "templates");
}

gh_rc web_templates_stamp(const char *share_dir, const char *app_folder, char out[CRYPTO_SHA256_BYTES], struct gh_err *err)
{
	struct arena *a = arena_new(STAMP_MEMORY);
	struct buf all;
	gh_rc rc;

	if (!a)
		FAIL(err, NOMEM, "templates");
	buf_init(&all, 1 << 20);
	rc = add_folders(&all, a, share_dir, app_folder, err);
	crypto_sha256(buf_view(&all), (uint8_t *)out);
	buf_release(&all);
	arena_free(a);
	return rc;
}

static const struct liquid_template *load(void *ctx, struct str name)
{
	return map_get(ctx, name);
}

gh_rc web_render(struct web *w, const char *template, struct buf *out, struct gh_err *err)
{
	struct web_templates *all = w->site->templates;
	struct map *from = w->shipped_only ? &all->shipped : &all->by_name;
	const struct liquid_template *t = map_get(from, str_of(template));
	const struct liquid_env env = { .globals = liquid_of_record(w->page), .load = load, .load_ctx = from, .lang = w->lang };
	gh_rc rc;

	if (!t)
		FAIL(err, INTERNAL, "there is no template '%s'", template);
	rc = liquid_render(t, &env, w->a, out, err);
	if (rc.code)
		rc.code = GH_E_INTERNAL;         /* whatever it is, the visitor did nothing wrong */
	return rc;
}
