#include "portal/web/internal.h"

#include "core/file.h"
#include "core/map.h"
#include "core/str.h"

/* Addresses of static files, with the first digits of their SHA-256 so that a browser may keep them until they change:
 * {{ asset['page.js'] | url }}. The shipped ones are served by the web server; one that the theme replaces by the portal. */

enum { ASSET_MAX = 4 << 20 };

struct web_assets {
	struct map urls;                 /* "page.js" -> struct str */
	struct str static_base;
};

static GH_RC add(struct web_site *site, const char *folder, struct str name, struct web_assets *all, struct gh_err *err)
{
	struct str file = folder[0] ? arena_printf(site->arena, "%s/%.*s", folder, STR_ARG(name)) : arena_dup(site->arena, name);
	struct str own, shipped, bytes, *url = arena_new_of(site->arena, struct str);
	struct str base = web_portal_base(site, site->arena);
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct arena *scratch = arena_new(ASSET_MAX + 65536);
	gh_rc rc;

	if (!scratch || !url || !file.p || !base.p) {
		arena_free(scratch);
		FAIL(err, NOMEM, "static files");
	}
	rc = theme_paths(&site->theme, site->arena, arena_printf(site->arena, "www/%.*s", STR_ARG(file)), &own, &shipped, err);
	if (!rc.code)
		rc = file_read(scratch, own.p ? own.p : shipped.p, ASSET_MAX, &bytes, err);
	if (!rc.code) {
		crypto_sha256(bytes, digest);
		*url = arena_printf(site->arena, "%.*s%s%.*s?v=%.12s", STR_ARG(own.p ? base : site->static_base), own.p ? "theme/" : "",
				    STR_ARG(file), crypto_hex(scratch, (struct str){ (const char *)digest, 6 }).p);
		if (!url->p || !map_put(&all->urls, file, url))
			rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "static files");
	}
	arena_free(scratch);
	return rc;
}

gh_rc web_assets_load(struct web_site *site, struct gh_err *err)
{
	struct web_assets *all = arena_new_of(site->arena, struct web_assets);
	static const char *const endings[] = { ".css", ".js", ".svg", ".png" };
	struct str *names;
	size_t n;

	if (!all)
		FAIL(err, NOMEM, "static files");
	map_init(&all->urls, site->arena, false);
	all->static_base = site->static_base;
	for (size_t k = 0; k < ARRAY_LEN(endings); k++) {
		TRY(theme_folder(&site->theme, site->arena, "www", endings[k], &names, &n, err));
		for (size_t i = 0; i < n; i++)
			TRY(add(site, "", names[i], all, err));
	}
	site->assets = all;
	return GH_RC_OK;
}

static bool get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	const struct web_assets *all = self;
	const struct str *url = map_get(&all->urls, name);

	*out = liquid_of_text(url ? *url : arena_printf(a, "%.*s%.*s", STR_ARG(all->static_base), STR_ARG(name)));
	return true;
}

void web_assets_put(struct web *w)
{
	static const struct liquid_class cls = { .name = "static files", .get = get };

	liquid_set(w->page, "asset", liquid_of_object(&cls, (void *)w->site->assets));
}
