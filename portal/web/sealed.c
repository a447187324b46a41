#include "portal/web/internal.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/notices.h"

/* Cookies that only we can read, and the address that the world knows us by. */

enum { SEALED_MAX = 3500 };              /* a browser keeps 4096 bytes of a cookie, name and attributes included */

gh_rc web_sealed_put(struct web *w, const char *cookie, struct str text, int64_t seconds, struct gh_err *err)
{
	struct str plain, sealed, value;

	if (!text.n) {
		web_set_cookie(w, cookie, STR(""), "; Max-Age=0");
		return GH_RC_OK;
	}
	plain = arena_printf(w->a, "%lld\n%.*s", (long long)(clock_wall_us() / 1000000 + seconds), STR_ARG(text));
	if (!plain.p)
		FAIL(err, NOMEM, "cookie");
	TRY(crypto_seal(w->a, w->site->keys.seal, plain, str_of(cookie), &sealed, err));
	value = crypto_base64url(w->a, sealed);
	if (!value.p)
		FAIL(err, NOMEM, "cookie");
	if (value.n > SEALED_MAX)
		FAIL(err, LIMIT, "the address to go back to is too long");
	web_set_cookie(w, cookie, value, "");
	return GH_RC_OK;
}

struct str web_sealed_get(struct web *w, const char *cookie)
{
	const struct web_keys *before = web_keys_before(w->site);
	struct str value = web_param(&w->rq.cookies, cookie), sealed, plain, until;
	int64_t ends;

	if (!value.n || value.n > SEALED_MAX || !crypto_base64url_decode(w->a, value, &sealed)
	    || (crypto_open(w->a, w->site->keys.seal, sealed, str_of(cookie), &plain, NULL).code
		&& (!before || crypto_open(w->a, before->seal, sealed, str_of(cookie), &plain, NULL).code)))
		return STR_NULL;
	if (!str_split(&plain, '\n', &until) || !str_to_i64(until, 0, INT64_MAX, &ends) || ends < clock_wall_us() / 1000000)
		return STR_NULL;
	return plain;
}

static bool is_this_machine(struct str host)
{
	return str_eq_ci(host, STR("localhost")) || str_eq(host, STR("[::1]")) || str_starts(host, STR("127."));
}

gh_rc web_public_address(struct web *w, struct str *out, struct gh_err *err)
{
	struct str url = config_text(&w->site->config, CONFIG_WEB_PUBLIC_URL), host;
	unsigned port;

	while (url.n && url.p[url.n - 1] == '/')
		url.n--;
	*out = url;
	if (url.n)
		return GH_RC_OK;
	if (!uri_parse_authority(w->rq.host, &host, &port) || !is_this_machine(host))
		FAIL(err, UNAVAILABLE, "set web.public_url in gatehouse.conf to the address that people use: links and redirects "
				       "cannot be made without it");
	*out = arena_printf(w->a, "%s://%.*s", w->rq.tls ? "https" : "http", STR_ARG(w->rq.host));
	if (!out->p)
		FAIL(err, NOMEM, "address");
	return GH_RC_OK;
}

void web_store_site(struct web *w, struct store_site *out)
{
	struct str origin;
	struct gh_err unknown;

	*out = (struct store_site){ STR_NULL, STR_NULL };
	if (web_public_address(w, &origin, &unknown).code)
		return;
	out->portal = store_site_address(w->a, origin, config_text(&w->site->config, CONFIG_PORTAL_BASE_PATH));
	out->dashboard = store_site_address(w->a, origin, config_text(&w->site->config, CONFIG_ADMIN_BASE_PATH));
}

struct str web_actor(struct web *w)
{
	return w->actor.p ? w->actor : arena_printf(w->a, "user:%.*s", STR_ARG(w->user.email));
}

struct str web_portal_base(const struct web_site *site, struct arena *a)
{
	struct str path = config_text(&site->config, CONFIG_PORTAL_BASE_PATH);

	while (path.n && path.p[0] == '/')
		path = str_from(path, 1);
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	return path.n ? arena_printf(a, "/%.*s/", STR_ARG(path)) : STR("/");
}

gh_rc web_json(struct web *w, int status, const char *media_type, const json_t *v, struct gh_err *err)
{
	buf_clear(&w->rs.body);
	jsn_write(&w->rs.body, v, 0);
	if (!buf_ok(&w->rs.body))
		FAIL(err, NOMEM, "answer");
	w->rs.status = status;
	web_header(w, "Content-Type", str_of(media_type));
	web_header(w, "Cache-Control", STR("no-store"));
	return GH_RC_OK;
}
