#include "portal/web/internal.h"

#include "core/file.h"
#include "core/str.h"

/* Files of www/ for set-ups in which the web server does not serve them itself. The ready configurations in deploy/ do,
 * so this is about working at all, not about speed. */

enum { STATIC_MAX = 4 << 20 };

static const struct {
	struct str ending, type;
} types[] = {
	{ STR_INIT(".css"), STR_INIT("text/css; charset=utf-8") },
	{ STR_INIT(".js"), STR_INIT("text/javascript; charset=utf-8") },
	{ STR_INIT(".svg"), STR_INIT("image/svg+xml") },
	{ STR_INIT(".png"), STR_INIT("image/png") },
	{ STR_INIT(".ico"), STR_INIT("image/x-icon") },
	{ STR_INIT(".txt"), STR_INIT("text/plain; charset=utf-8") },
};

/* Letters, digits, '-', '_', single dots and slashes between names: nothing that could leave the folder. */
static bool safe_name(struct str s)
{
	char before = '/';

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && !strchr("-_./", c))
			return false;
		if ((c == '.' || c == '/') && (before == '.' || before == '/'))
			return false;
		before = c;
	}
	return s.n && before != '/' && before != '.';
}

static GH_RC serve(struct web *w, const char *dir, struct gh_err *err)
{
	struct str file = w->rq.args[0], type = STR_NULL, path, bytes, tag;
	uint8_t digest[CRYPTO_SHA256_BYTES];
	gh_rc rc;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_ends(file, types[i].ending))
			type = types[i].type;
	if (!type.p || !safe_name(file))
		FAIL(err, NOT_FOUND, "no such file");
	path = arena_printf(w->a, "%s/www/%.*s", dir, STR_ARG(file));
	if (!path.p)
		FAIL(err, NOMEM, "file");
	rc = file_read(w->a, path.p, STATIC_MAX, &bytes, err);
	if (rc.code == GH_E_IO)
		FAIL(err, NOT_FOUND, "no such file");
	TRY(rc);
	crypto_sha256(bytes, digest);
	tag = arena_printf(w->a, "\"%.*s\"", 32, crypto_hex(w->a, (struct str){ (const char *)digest, 16 }).p);
	web_header(w, "ETag", tag);
	web_header(w, "Cache-Control", STR("public, max-age=3600"));
	web_header(w, "Content-Type", type);
	if (str_eq(w->rq.if_none_match, tag))
		w->rs.status = 304;
	else
		buf_str(&w->rs.body, bytes);
	return GH_RC_OK;
}

gh_rc web_static(struct web *w, struct gh_err *err)
{
	return serve(w, w->site->share_dir, err);
}

gh_rc web_theme_file(struct web *w, struct gh_err *err)
{
	if (!w->site->theme.dir[0])
		FAIL(err, NOT_FOUND, "there is no theme");
	return serve(w, w->site->theme.dir, err);
}
