#include "keeper/health.h"

#include "core/backend_fixed.h"
#include "core/backend_state.h"
#include "core/clock.h"
#include "core/genfile.h"
#include "core/log.h"
#include "core/map.h"
#include "core/paths.h"
#include "core/str.h"
#include "core/uri.h"
#include "core/version.h"
#include "db/backends.h"
#include "db/certificates.h"
#include "db/named_values.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIST_BYTES = 256 << 20, TURN_MS = 200, STORE_AGAIN_US = 5000000, BELIEVED_INTERVALS = 3, BODY_MAX = 1 << 20 };

/* One backend that is asked. Lives in the arena of its list but for what curl holds. */
struct checked {
	struct checked *next;
	struct str id, settings;             /* settings: everything that the request is made of, to know a change */
	uint64_t key;
	struct health_check rule;
	const char *url, *connect_to;        /* connect_to: NULL: where the url says */
	const char *unix_socket;             /* NULL: none */
	const char **fields;                 /* "X-Key: k-1", as libcurl takes them: what each call to it carries */
	size_t n_fields;
	struct str ca_pem, cert_pem, key_pem, pins;
	bool any_certificate, any_name, tls13;
	CURL *easy;                          /* NULL: it is not asked at present */
	struct curl_slist *to, *headers;
	size_t body_bytes;
	int64_t due_us;
	enum backend_health state;
	int status;
	uint32_t row;                        /* answers in a row that speak against the state */
};

struct health_watch {
	char state[PATHS_MAX], path[PATHS_MAX];
	pthread_t thread;
	bool has_thread, told;
	atomic_bool stop;
	CURLM *multi;
	struct genfile *generation;
	struct backend_states *states;
	uint64_t seen;
	int64_t read_us;
	struct arena *arena;                 /* of the list */
	struct checked *list;
	struct checked *from;                /* who is asked first in the next turn; NULL: the first of the list */
	size_t under_way;
};

GH_RC health_watch_new(const char *state_dir, struct health_watch **out, struct gh_err *err)
{
	struct health_watch *w = calloc(1, sizeof(*w));
	gh_rc rc;

	if (!w || !(w->multi = curl_multi_init())) {
		free(w);
		FAIL(err, NOMEM, "no memory for health checks");
	}
	snprintf(w->state, sizeof(w->state), "%s", state_dir);
	rc = paths_join(w->path, state_dir, "backends", err);
	if (rc.code)
		health_watch_free(w);
	else
		*out = w;
	return rc;
}

static void end_request(struct health_watch *w, struct checked *c)
{
	if (!c->easy)
		return;
	curl_multi_remove_handle(w->multi, c->easy);
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->to);
	curl_slist_free_all(c->headers);
	c->easy = NULL;
	c->to = c->headers = NULL;
	w->under_way--;
}

static void drop_list(struct health_watch *w)
{
	for (struct checked *c = w->list; c; c = c->next)
		end_request(w, c);
	arena_free(w->arena);
	w->arena = NULL;
	w->list = w->from = NULL;
}

void health_watch_free(struct health_watch *w)
{
	if (!w)
		return;
	atomic_store(&w->stop, true);
	if (w->has_thread) {
		curl_multi_wakeup(w->multi);
		pthread_join(w->thread, NULL);
	}
	drop_list(w);
	curl_multi_cleanup(w->multi);
	genfile_free(w->generation);
	backend_states_close(w->states);
	free(w);
}

/* ---- the list ---------------------------------------------------------------------------------------------------------- */

struct source {
	struct store_certificate *certificates;
	struct store_backend_authority *authorities;
	size_t n_certificates, n_authorities;
	struct map named_values;             /* id -> struct store_named_value */
	bool lacks;                          /* one that was asked for has no value */
};

static const struct store_certificate *certificate(const struct source *s, struct str id)
{
	for (size_t i = 0; id.n && i < s->n_certificates; i++)
		if (str_eq(s->certificates[i].id, id))
			return &s->certificates[i];
	return NULL;
}

static struct str without_brackets(struct str host)
{
	return host.n > 2 && host.p[0] == '[' ? str_first(str_from(host, 1), host.n - 2) : host;
}

/* A name that is asked for in place of the address's own goes into the address, and curl is told where that is: so the name is
 * what SNI says and what the certificate must be for. */
static bool address(struct arena *a, const struct store_backend *b, struct str path, struct checked *c)
{
	struct uri u;
	bool https;
	unsigned port;

	if (!uri_parse(b->url, &u) || !u.host.n)
		return false;
	https = str_eq_ci(u.scheme, STR("https"));
	port = u.port ? u.port : https ? 443 : 80;
	if (https && b->tls_server_name.n) {
		struct str host = without_brackets(u.host);
		bool v6 = host.n != u.host.n;

		c->connect_to = arena_printf(a, "%.*s:%u:%s%.*s%s:%u", STR_ARG(b->tls_server_name), port, v6 ? "[" : "", STR_ARG(host),
					     v6 ? "]" : "", port).p;
		u.host = b->tls_server_name;
	}
	c->url = arena_printf(a, "%.*s://%.*s:%u%.*s", STR_ARG(u.scheme), STR_ARG(u.host), port, STR_ARG(path)).p;
	return c->url != NULL;
}

/* ---- what each call to it carries, and so its check: a backend that wants a key would refuse the check, and be unwell ------------ */

static struct str value_of(void *ctx, struct str name)
{
	struct source *s = ctx;
	const struct store_named_value *v = map_get(&s->named_values, name);

	s->lacks |= !v || !v->value.p;
	return v ? v->value : STR_NULL;
}

static bool add_field(struct arena *a, const struct backend_fixed_value *v, struct str value, struct checked *c)
{
	if (!backend_fixed_value_ok(value))
		return false;
	/* libcurl leaves out a field without a value, unless it is written so */
	c->fields[c->n_fields] = value.n ? arena_printf(a, "%.*s: %.*s", STR_ARG(v->name), STR_ARG(value)).p : arena_printf(a, "%.*s;", STR_ARG(v->name)).p;
	return c->fields[c->n_fields++] != NULL;
}

/* Those of one name stand beside each other: the first takes the place of what the path says. */
static bool add_parameter(struct arena *a, const struct backend_fixed *all, size_t i, struct str value, struct str *query)
{
	struct str name = uri_encode(a, all->v[i].name, URI_KEEP_UNRESERVED);
	bool first = true;

	for (size_t k = 0; k < i; k++)
		first &= !all->v[k].query || !str_eq(all->v[k].name, all->v[i].name);
	value = uri_encode(a, value, URI_KEEP_UNRESERVED);
	if (!name.p || !value.p || (first && !uri_query_remove(a, *query, all->v[i].name, query)))
		return false;
	*query = arena_printf(a, "%.*s%s%.*s=%.*s", STR_ARG(*query), query->n ? "&" : "", STR_ARG(name), STR_ARG(value));
	return query->p;
}

/* False: a call could not be made either, for want of a value. What no longer can be read is left out, as of calls. */
static bool put_fixed(struct arena *a, struct source *s, const struct store_backend *b, struct checked *c, struct str *path)
{
	size_t mark = str_find_char(*path, '?');
	struct str query = mark == SIZE_MAX ? STR("") : str_from(*path, mark + 1), value;
	struct backend_fixed *all = arena_new_of(a, struct backend_fixed);
	struct gh_err err;

	if (!all || !b->credentials.n || backend_fixed_parse(a, b->credentials, all, &err).code || !all->n)
		return all != NULL;
	c->fields = arena_alloc(a, all->n, sizeof(*c->fields));
	s->lacks = !c->fields;
	for (size_t i = 0; i < all->n && !s->lacks; i++) {
		if (backend_fixed_fill(a, all->v[i].value, value_of, s, &value, &err).code || s->lacks)
			return false;
		if (!(all->v[i].query ? add_parameter(a, all, i, value, &query) : add_field(a, &all->v[i], value, c)))
			return false;
	}
	*path = arena_printf(a, "%.*s%s%.*s", STR_ARG(str_first(*path, mark)), query.n ? "?" : "", STR_ARG(query));
	return !s->lacks && path->p;
}

static bool fill(struct arena *a, struct source *s, const struct store_backend *b, struct checked *c)
{
	const struct store_certificate *own = certificate(s, b->client_certificate_id);
	struct gh_err unreadable;            /* the store has checked it; a newer program may have written it */
	struct str path;

	if (health_check_parse(b->health, &c->rule, &unreadable).code)
		return false;
	path = str_of(c->rule.path);
	if (!put_fixed(a, s, b, c, &path) || !address(a, b, path, c))
		return false;
	c->id = b->id;
	c->key = backend_state_key(b->id);
	c->pins = b->tls_pins;
	c->any_certificate = !b->verify_tls;
	c->any_name = !b->verify_name;
	c->tls13 = str_eq(b->tls_min_version, STR("1.3"));
	for (size_t i = 0; i < s->n_authorities; i++) {
		const struct store_certificate *ca = str_eq(s->authorities[i].backend_id, b->id)
							     ? certificate(s, s->authorities[i].certificate_id) : NULL;

		if (ca)
			c->ca_pem = arena_printf(a, "%.*s%.*s\n", STR_ARG(c->ca_pem), STR_ARG(ca->pem));
	}
	if (own) {
		c->cert_pem = own->pem;
		c->key_pem = own->key_pem;
	}
	c->unix_socket = b->unix_socket.n ? arena_cstr(a, b->unix_socket) : NULL;
	c->settings = arena_printf(a, "%s %s %.*s %.*s", c->url, c->connect_to ? c->connect_to : "", STR_ARG(b->unix_socket), STR_ARG(b->health));
	for (size_t i = 0; i < c->n_fields; i++)
		c->settings = arena_printf(a, "%.*s\n%s", STR_ARG(c->settings), c->fields[i]);
	return c->settings.p != NULL;
}

/* How it was found to be stays while its check is the same. */
static void carry_over(const struct checked *old, struct checked *c)
{
	for (; old; old = old->next) {
		if (!str_eq(old->id, c->id) || !str_eq(old->settings, c->settings))
			continue;
		c->due_us = old->easy ? 0 : old->due_us;
		c->state = old->state;
		c->status = old->status;
		c->row = old->row;
	}
}

static gh_rc read_named_values(struct store *s, struct arena *a, struct map *out, struct gh_err *err)
{
	struct store_named_value *v;
	size_t n;

	map_init(out, a, false);
	TRY(store_named_values(s, a, true, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!map_put(out, v[i].id, &v[i]))
			FAIL(err, NOMEM, "named values");
	return GH_RC_OK;
}

static gh_rc build_list(struct store *s, struct arena *a, const struct checked *old, struct checked **out, struct gh_err *err)
{
	struct source from;
	struct store_backend *rows;
	size_t n;

	*out = NULL;
	TRY(store_backends(s, a, true, &rows, &n, err));
	TRY(read_named_values(s, a, &from.named_values, err));
	TRY(store_certificates(s, a, true, &from.certificates, &from.n_certificates, err));
	TRY(store_backend_authorities(s, a, &from.authorities, &from.n_authorities, err));
	for (size_t i = 0; i < n; i++) {
		struct checked *c = rows[i].health.n ? arena_new_of(a, struct checked) : NULL;

		if (!c || !fill(a, &from, &rows[i], c))
			continue;
		carry_over(old, c);
		c->next = *out;
		*out = c;
	}
	return GH_RC_OK;
}

static gh_rc read_list(struct health_watch *w, struct gh_err *err)
{
	struct arena *a = arena_new(LIST_BYTES);
	struct checked *list;
	struct store *s;
	gh_rc rc;

	if (!a)
		FAIL(err, NOMEM, "no memory for the list");
	rc = store_open(&s, w->state, STORE_READ, err);
	if (!rc.code) {
		rc = build_list(s, a, w->list, &list, err);
		store_free(s);
	}
	if (rc.code) {
		arena_free(a);
		return rc;
	}
	drop_list(w);
	w->arena = a;
	w->list = list;
	return GH_RC_OK;
}

static void look_for_changes(struct health_watch *w, int64_t now)
{
	uint64_t generation;
	struct gh_err err;

	if (!w->generation && genfile_open(&w->generation, w->state, false, &err).code)
		return;
	generation = genfile_get(w->generation, GENFILE_CONFIG);
	if (generation == w->seen || (w->read_us && now - w->read_us < STORE_AGAIN_US && w->told))
		return;
	w->read_us = now;
	if (read_list(w, &err).code) {
		if (!w->told)
			log_warn("health checks cannot be read", KV_CSTR("error", err.message));
		w->told = true;
		return;
	}
	w->told = false;
	w->seen = generation;
}

/* ---- asking ------------------------------------------------------------------------------------------------------------ */

static size_t skip_body(char *bytes UNUSED, size_t size, size_t n, void *arg)
{
	struct checked *c = arg;

	c->body_bytes += size * n;
	return c->body_bytes > BODY_MAX ? 0 : size * n;
}

static void set_blob(CURL *e, CURLoption option, struct str s)
{
	struct curl_blob b = { .data = (void *)(uintptr_t)s.p, .len = s.n, .flags = CURL_BLOB_COPY };

	if (s.n)
		curl_easy_setopt(e, option, &b);
}

static void set_tls(struct checked *c)
{
	CURL *e = c->easy;

	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, c->any_certificate ? 0L : 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, c->any_certificate || c->any_name ? 0L : 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, c->tls13 ? (long)CURL_SSLVERSION_TLSv1_3 : (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_SSLCERTTYPE, "PEM");
	curl_easy_setopt(e, CURLOPT_SSLKEYTYPE, "PEM");
	set_blob(e, CURLOPT_SSLCERT_BLOB, c->cert_pem);
	set_blob(e, CURLOPT_SSLKEY_BLOB, c->key_pem.n ? c->key_pem : c->cert_pem);
	if (c->ca_pem.n)
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	set_blob(e, CURLOPT_CAINFO_BLOB, c->ca_pem);
	if (c->pins.n)
		curl_easy_setopt(e, CURLOPT_PINNEDPUBLICKEY, c->pins.p);
	if (c->connect_to && (c->to = curl_slist_append(NULL, c->connect_to)))
		curl_easy_setopt(e, CURLOPT_CONNECT_TO, c->to);
}

static bool set_fields(struct checked *c)
{
	for (size_t i = 0; i < c->n_fields; i++) {
		struct curl_slist *more = curl_slist_append(c->headers, c->fields[i]);

		if (!more)
			return false;            /* asked without its key it would be unwell */
		c->headers = more;
	}
	return curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers) == CURLE_OK;
}

/* A connection of its own each time: whether one can be made is half of the question. */
static void ask(struct health_watch *w, struct checked *c, int64_t now)
{
	c->due_us = now + c->rule.interval_us;
	c->easy = curl_easy_init();
	if (!c->easy)
		return;
	w->under_way++;
	c->body_bytes = 0;
	curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
	curl_easy_setopt(c->easy, CURLOPT_URL, c->url);
	curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->easy, CURLOPT_QUICK_EXIT, 1L);       /* a check that ends waits for no resolver: the others would, too */
	curl_easy_setopt(c->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(c->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);        /* libcurl knows no TTL: the name is looked up for each check */
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)(c->rule.timeout_us / 1000));
	curl_easy_setopt(c->easy, CURLOPT_USERAGENT, "gatehouse-health/" GATEHOUSE_VERSION);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, skip_body);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	if (c->unix_socket)
		curl_easy_setopt(c->easy, CURLOPT_UNIX_SOCKET_PATH, c->unix_socket);
	set_tls(c);
	if (!set_fields(c) || curl_multi_add_handle(w->multi, c->easy) != CURLM_OK)
		end_request(w, c);
}

/* Those that are due, from where there was no more room the last time. */
static void ask_due(struct health_watch *w, int64_t now)
{
	struct checked *first = w->from ? w->from : w->list, *c = first;

	w->from = NULL;
	while (c) {
		if (!c->easy && c->due_us <= now) {
			if (w->under_way >= HEALTH_AT_ONCE) {
				w->from = c;
				return;
			}
			ask(w, c, now);
		}
		c = c->next ? c->next : w->list;
		if (c == first)
			return;
	}
}

/* One more answer. A state that is not known takes the first good one; a bad one alone says little. */
static void count(struct checked *c, bool good)
{
	enum backend_health now = good ? BACKEND_UP : BACKEND_DOWN, before = c->state;

	c->row = c->state == now ? 0 : c->row + 1;
	if ((good && before == BACKEND_UNKNOWN) || c->row >= (good ? c->rule.healthy : c->rule.unhealthy)) {
		c->state = now;
		c->row = 0;
	}
	if (c->state == before || (before == BACKEND_UNKNOWN && good))
		return;
	if (good)
		log_info("backend is well again", KV_STR("backend", c->id));
	else
		log_warn("backend is unwell", KV_STR("backend", c->id), KV_INT("status", c->status));
}

static void take_answer(struct health_watch *w, struct checked *c, CURLcode result)
{
	int64_t now = clock_mono_us();
	long status = 0;

	/* an answer that is longer than we read is one */
	if (result == CURLE_OK || (result == CURLE_WRITE_ERROR && c->body_bytes > BODY_MAX))
		curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	end_request(w, c);
	c->status = (int)status;
	count(c, status_ranges_hold(&c->rule.statuses, c->status));
	health_tell(backend_slot(w->states, c->key, now), c->state, c->status,
		    now + BELIEVED_INTERVALS * c->rule.interval_us + c->rule.timeout_us);
}

static void turn(struct health_watch *w)
{
	int64_t now = clock_mono_us();
	struct gh_err err;
	CURLMsg *msg;
	int n;

	if (!w->states && backend_states_open(w->path, true, &w->states, &err).code)
		w->states = NULL;            /* tried again in the next turn */
	look_for_changes(w, now);
	ask_due(w, now);
	curl_multi_perform(w->multi, &n);
	while ((msg = curl_multi_info_read(w->multi, &n))) {
		struct checked *c = NULL;

		if (msg->msg == CURLMSG_DONE && curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&c) == CURLE_OK && c)
			take_answer(w, c, msg->data.result);
	}
	curl_multi_poll(w->multi, NULL, 0, TURN_MS, NULL);
}

static void *run(void *arg)
{
	struct health_watch *w = arg;

	while (!atomic_load(&w->stop))
		turn(w);
	return NULL;
}

gh_rc health_watch_start(struct health_watch *w, struct gh_err *err)
{
	if (w->has_thread)
		return GH_RC_OK;
	w->has_thread = pthread_create(&w->thread, NULL, run, w) == 0;
	if (!w->has_thread)
		FAIL(err, INTERNAL, "no thread for health checks");
	return GH_RC_OK;
}
