/* iap.c - the proxy's gate: which calls need a session, which have one, what the backend is told. */
#include "fcgi/iap.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "core/uri.h"

static const char session_cookie[] = "gh_iap_";

/* The fields that say who it is. A client's own never pass. */
static const struct str identity_fields[] = {
	STR_INIT("X-Forwarded-User"), STR_INIT("X-Forwarded-Email"), STR_INIT("X-Forwarded-Name"), STR_INIT("X-Forwarded-Groups"),
};

/* ---- the frame ---------------------------------------------------------------------------------------------------------- */

int64_t iap_now_us(const struct iap *f UNUSED)
{
	return clock_wall_us();
}

struct str iap_origin(const struct call *k)
{
	return arena_printf(k->arena, "%.*s://%.*s", STR_ARG(k->x.request.original_url.scheme), STR_ARG(k->client_host));
}

struct iap *iap_new(struct call *k, struct gate_state *g, const struct snap_iap *conf)
{
	struct iap *f = arena_new_of(k->arena, struct iap);

	if (f) {
		f->k = k;
		f->g = g;
		f->conf = conf;
		k->x.host = &live_host;
		g->iap = f;
	}
	return f;
}

enum step iap_refuse(struct iap *f, enum reason why, const char *detail)
{
	struct call *k = f->k;

	log_info("sign-in refused", KV_STR("request_id", k->x.request_id), KV_STR("provider", f->conf ? f->conf->provider : STR("")),
		 KV_STR("reason", reason_info(why)->word), KV_CSTR("detail", detail));
	k->finished = true;
	k->reason = why;
	answer_prepare(k, reason_info(why)->status, STR_NULL, answer_body(k, why));
	if (reason_info(why)->status == 401
	    && !fields_add(&k->x.response.headers, STR("WWW-Authenticate"),
			   arena_printf(k->arena, "OpenIDConnect realm=\"%.*s\"", STR_ARG(f->conf->provider))))
		k->reason = REASON_NO_MEMORY;
	answer_finished(k);
	return STEP_RESPOND;
}

/* Nothing of this may be kept by a cache on the way. */
enum step iap_redirect(struct iap *f, struct str to, struct str cookie)
{
	struct call *k = f->k;

	k->finished = true;
	k->word = STR("sign_in_redirect");
	answer_prepare(k, 302, STR_NULL, STR(""));
	fields_remove(&k->x.response.headers, STR("Content-Type"));
	if (!to.p || !fields_add(&k->x.response.headers, STR("Location"), to)
	    || !fields_add(&k->x.response.headers, STR("Cache-Control"), STR("no-store"))
	    || (cookie.p && !fields_add(&k->x.response.headers, STR("Set-Cookie"), cookie))) {
		answer_reason(k, REASON_NO_MEMORY);
		return STEP_RESPOND;
	}
	answer_finished(k);
	return STEP_RESPOND;
}

void iap_drop(struct gate_state *g, struct call *k)
{
	if (g->iap && g->iap->lock.p)
		gate_leave(&k->x, g->iap->lock);
	g->iap = NULL;
}

int64_t iap_longest_us(const struct iap *f)
{
	const struct snapshot *s = f->g->snapshot;
	int64_t most = f->conf->max_us;

	for (size_t i = 0; i < s->n_iap; i++)
		if (str_eq(s->iap[i].provider, f->conf->provider) && s->iap[i].max_us > most)
			most = s->iap[i].max_us;
	return most;
}

bool iap_run(struct iap *f)
{
	enum step step = STEP_JUMP;

	while (step == STEP_JUMP)
		step = f->go(f);
	if (step != STEP_WAIT && f->lock.p) {
		gate_leave(&f->k->x, f->lock);
		f->lock = STR_NULL;
	}
	if (step == STEP_FAIL)
		iap_refuse(f, REASON_SIGN_IN_UNAVAILABLE, "out of memory");
	return step == STEP_NEXT;
}

/* The call has its turn while it stands at the gate. */
static void turn(struct call *k)
{
	struct iap *f = k->gate->iap;

	k->resume_due = false;
	if (iap_run(f))
		call_gate_passed(k);
}

/* False: it waits, or it is answered. */
static bool start(struct iap *f)
{
	if (iap_run(f))
		return true;
	if (!f->k->finished) {
		f->k->stage = CALL_AT_GATE;
		f->k->gate_turn = turn;
	}
	return false;
}

/* ---- our own addresses --------------------------------------------------------------------------------------------------- */

static const struct snap_iap *provider_of(const struct snapshot *s, struct str id)
{
	for (size_t i = 0; i < s->n_iap; i++)
		if (str_eq(s->iap[i].provider, id))
			return &s->iap[i];
	return NULL;
}

bool iap_owns(struct str path, bool mounted)
{
	return mounted && str_starts(path, STR("/-/iap/"));
}

void iap_own_path(struct call *k, struct gate_state *g, struct str path)
{
	static const struct {
		struct str path;
		enum step (*go)(struct iap *);
		bool names_provider;
	} own[] = {
		{ STR_INIT("/-/iap/callback"), iap_callback, false },
		{ STR_INIT("/-/iap/logout/"), iap_logout, true },
		{ STR_INIT("/-/iap/backchannel/"), iap_backchannel, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		const struct snap_iap *conf = NULL;
		struct iap *f;

		if (own[i].names_provider ? !str_starts(path, own[i].path) : !str_eq(path, own[i].path))
			continue;
		if (own[i].names_provider && !(conf = provider_of(g->snapshot, str_from(path, own[i].path.n))))
			break;
		f = iap_new(k, g, conf);
		if (!f) {
			call_refuse(k, REASON_NO_MEMORY);
			return;
		}
		f->go = own[i].go;
		start(f);
		return;
	}
	call_refuse(k, REASON_NO_ROUTE);
}

/* ---- an API's own --------------------------------------------------------------------------------------------------------- */

/* Something that a person asked for by an address: a redirect then leads a browser to the provider and back. For anything
 * else (a script's request, an image, a form that is sent) it would only lose what was asked. */
static bool is_navigation(const struct call *k)
{
	const struct fields *h = &k->x.request.headers;
	struct str mode = fields_get(h, STR("Sec-Fetch-Mode")), accept = fields_joined(h, STR("Accept"));

	if (!str_eq(k->x.request.method, STR("GET")) && !str_eq(k->x.request.method, STR("HEAD")))
		return false;
	if (fields_get(h, STR("X-Requested-With")).n || (mode.n && !str_eq(mode, STR("navigate"))))
		return false;
	return accept.n && str_find(accept, STR("text/html")) != SIZE_MAX;
}

enum step iap_sign_in(struct iap *f)
{
	if (!is_navigation(f->k))
		return iap_refuse(f, REASON_SIGN_IN_REQUIRED, "");
	return iap_discover(f, iap_begin);
}

static bool in_groups(const struct iap *f)
{
	struct str rest = f->session.groups, group;

	while (rest.n && str_split(&rest, '\n', &group))
		for (size_t i = 0; i < f->conf->n_groups; i++)
			if (str_eq(group, f->conf->groups[i]))
				return true;
	return !f->conf->n_groups;
}

/* A field's value: what is no printable ASCII, and what separates or escapes, is percent-encoded. */
static struct str field_text(struct arena *a, struct str s, bool list)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = arena_alloc_text(a, s.n * 3 + 1);
	size_t n = 0;

	for (size_t i = 0; out && i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (list && c == '\n') {
			out[n++] = ',';
		} else if (c < ' ' || c > '~' || c == '%' || (list && c == ',')) {
			out[n++] = '%';
			out[n++] = digits[c >> 4];
			out[n++] = digits[c & 15];
		} else {
			out[n++] = (char)c;
		}
	}
	return (struct str){ out, out ? n : 0 };
}

static bool tell_backend(struct iap *f)
{
	const struct str values[ARRAY_LEN(identity_fields)] = { f->session.subject, f->session.email, f->session.name, f->session.groups };
	struct fields *h = &f->k->x.request.headers;

	for (size_t i = 0; i < ARRAY_LEN(identity_fields); i++) {
		struct str value = field_text(f->k->arena, values[i], i == 3);

		fields_remove(h, identity_fields[i]);
		if (!value.p || (value.n && !fields_add(h, identity_fields[i], value)))
			return false;
	}
	return true;                     /* our cookies go in call_gate.c, as on every call */
}

enum step iap_admit(struct iap *f)
{
	if (!in_groups(f))
		return iap_refuse(f, REASON_SIGN_IN_GROUPS, "");
	return tell_backend(f) ? STEP_NEXT : STEP_FAIL;
}

/* The lifetimes are those of this API; the cookie itself may serve others with longer ones. */
static bool is_alive(const struct iap *f, const struct iap_session *s)
{
	int64_t now = iap_now_us(f);

	return now - s->begun_us < f->conf->max_us && now - s->seen_us < f->conf->idle_us;
}

static bool needs_touch(const struct iap *f)
{
	int64_t age = iap_now_us(f) - f->session.seen_us;

	return age > (int64_t)IAP_TOUCH_S * 1000000 || age > f->conf->idle_us / 10;
}

static enum step look(struct iap *f)
{
	struct str sealed = iap_cookie(f->k, session_cookie, f->conf->provider);
	bool ended = false;

	if (!sealed.n || !iap_session_read(f, sealed, &f->session) || !is_alive(f, &f->session))
		return iap_sign_in(f);
	if (!iap_is_ended(f, &f->session, &ended))
		return iap_refuse(f, REASON_SIGN_IN_UNAVAILABLE, "whether the session was ended is not known");
	if (ended)
		return iap_sign_in(f);
	if (f->session.fresh_us && f->session.fresh_us < iap_now_us(f))
		return iap_refresh(f);
	if (needs_touch(f)) {
		f->session.seen_us = iap_now_us(f);
		if (!iap_session_cookie(f))
			return STEP_FAIL;
	}
	return iap_admit(f);
}

bool iap_enter(struct call *k, struct gate_state *g)
{
	struct iap *f = iap_new(k, g, g->route.api->iap);

	if (!f) {
		call_refuse(k, REASON_NO_MEMORY);
		return false;
	}
	f->go = look;
	return start(f);
}

bool iap_field(const struct call *k, struct field *out)
{
	if (!k->gate || !k->gate->iap || !k->gate->iap->cookie.p)
		return false;
	*out = (struct field){ STR("Set-Cookie"), k->gate->iap->cookie };
	return true;
}
