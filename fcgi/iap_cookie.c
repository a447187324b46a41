/* iap_cookie.c - sessions as sealed cookies.
 *
 * The plain text is one line a value in a fixed order; nothing of it has to be parsed by rules, and nobody but us can have
 * written it. What it is for ("session", "go") is part of the seal, so one cannot stand for the other. */
#include "fcgi/iap.h"

#include "core/buf.h"
#include "core/str.h"
#include "core/uri.h"
#include "fcgi/serving.h"

#include <stdio.h>

enum { LINES = 11, PLAIN_MAX = 16384 };

struct str iap_cookie(const struct call *k, const char *name, struct str suffix)
{
	return fields_cookie(&k->x.request.headers, str_of(name), suffix);
}

bool iap_set_cookie(struct iap *f, const char *name, struct str suffix, struct str value, struct str path, int64_t seconds,
		    struct str *out)
{
	struct call *k = f->k;
	struct str base = call_mount(k);
	bool tls = str_eq(k->x.request.original_url.scheme, STR("https"));

	if (!path.p)
		path = base.n ? base : STR("/");
	*out = arena_printf(k->arena, "%s%.*s=%.*s; Path=%.*s; Max-Age=%lld; HttpOnly; SameSite=Lax%s", name, STR_ARG(suffix), STR_ARG(value),
			    STR_ARG(path), (long long)seconds, tls ? "; Secure" : "");
	return out->p && out->n <= IAP_COOKIE_MAX;
}

bool iap_seal(struct call *k, const char *kind, struct str plain, struct str *out)
{
	const struct serving *s = k->wk->serving;

	if (!s->iap_key_known || !plain.p || crypto_seal(k->arena, s->iap_key, plain, str_of(kind), out, NULL).code)
		return false;
	*out = crypto_base64url(k->arena, *out);
	return out->p != NULL;
}

bool iap_unseal(struct call *k, const char *kind, struct str text, struct str *plain)
{
	const struct serving *s = k->wk->serving;
	struct str sealed;

	return s->iap_key_known && text.n && text.n <= IAP_COOKIE_MAX && crypto_base64url_decode(k->arena, text, &sealed)
	       && !crypto_open(k->arena, s->iap_key, sealed, str_of(kind), plain, NULL).code;
}

/* The seal holds whose word the session is: with another issuer or client under the same id it does not open. */
static const char *sealed_for(struct iap *f)
{
	return arena_printf(f->k->arena, "iap session\n%.*s\n%.*s", STR_ARG(f->conf->issuer), STR_ARG(f->conf->client_id)).p;
}

/* Line breaks within a value would shift all others; groups are joined by another byte. */
static void put_line(struct buf *b, struct str s, bool list)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\n')
			buf_char(b, list ? '\x1f' : ' ');
		else
			buf_char(b, s.p[i]);
	buf_char(b, '\n');
}

bool iap_session_write(struct iap *f, struct str *out)
{
	const struct iap_session *s = &f->session;
	const char *kind = sealed_for(f);
	struct buf b;
	bool ok;

	buf_init(&b, PLAIN_MAX);
	put_line(&b, s->provider, false);
	put_line(&b, s->id, false);
	put_line(&b, s->subject, false);
	put_line(&b, s->sid, false);
	put_line(&b, s->email, false);
	put_line(&b, s->name, false);
	put_line(&b, s->groups, true);
	put_line(&b, s->refresh, false);
	buf_fmt(&b, "%lld\n%lld\n%lld\n", (long long)s->begun_us, (long long)s->seen_us, (long long)s->fresh_us);
	ok = buf_ok(&b) && kind && iap_seal(f->k, kind, buf_view(&b), out);
	buf_release(&b);
	return ok;
}

static struct str lines_again(struct arena *a, struct str s)
{
	char *p = arena_alloc_text(a, s.n + 1);

	for (size_t i = 0; p && i < s.n; i++)
		p[i] = s.p[i] == '\x1f' ? '\n' : s.p[i];
	return (struct str){ p, p ? s.n : 0 };
}

bool iap_session_read(struct iap *f, struct str sealed, struct iap_session *out)
{
	const char *kind = sealed_for(f);
	struct str plain, line[LINES];
	size_t n = 0;

	if (!kind || !iap_unseal(f->k, kind, sealed, &plain))
		return false;
	while (n < LINES && str_split(&plain, '\n', &line[n]))
		n++;
	if (n < LINES)
		return false;
	*out = (struct iap_session){ .provider = line[0], .id = line[1], .subject = line[2], .sid = line[3], .email = line[4],
				     .name = line[5], .groups = lines_again(f->k->arena, line[6]), .refresh = line[7] };
	return str_eq(out->provider, f->conf->provider) && str_to_i64(line[8], 0, INT64_MAX, &out->begun_us)
	       && str_to_i64(line[9], 0, INT64_MAX, &out->seen_us) && str_to_i64(line[10], 0, INT64_MAX, &out->fresh_us);
}

/* When the session is too large for a cookie the refresh token goes first: its claims then live until the session ends. */
bool iap_session_cookie(struct iap *f)
{
	struct str sealed;

	if (!iap_session_write(f, &sealed))
		return false;
	if (iap_set_cookie(f, "gh_iap_", f->conf->provider, sealed, STR_NULL, iap_longest_us(f) / 1000000, &f->cookie))
		return true;
	f->session.refresh = STR("");
	f->session.fresh_us = 0;
	return iap_session_write(f, &sealed)
	       && iap_set_cookie(f, "gh_iap_", f->conf->provider, sealed, STR_NULL, iap_longest_us(f) / 1000000, &f->cookie);
}
