/* call_request.c - CGI parameters to a request.
 *
 * The path comes from REQUEST_URI, not from PATH_INFO: the web server has decoded the latter, and "%2F" or "%25" would
 * have become something else on the way to the backend. Fields come as HTTP_X_Y; their names get dashes and the usual
 * case back, in place in the parameter buffer. Nothing is copied. */
#include "fcgi/call_request.h"

#include "core/certtext.h"
#include "core/str.h"
#include "fcgi/network.h"

/* Where a parameter goes. Sorted by nothing: few, and told apart by their length first. */
enum { P_METHOD, P_URI, P_ADDR, P_LENGTH, P_TYPE, P_HTTPS, P_SCHEME, P_SERVER_NAME, P_CERT, P_CERT_OK, P__COUNT };

static const struct { struct str name; int to; } known[] = {
	{ STR_INIT("REQUEST_METHOD"), P_METHOD },   { STR_INIT("REQUEST_URI"), P_URI },
	{ STR_INIT("REMOTE_ADDR"), P_ADDR },        { STR_INIT("CONTENT_LENGTH"), P_LENGTH },
	{ STR_INIT("CONTENT_TYPE"), P_TYPE },       { STR_INIT("HTTPS"), P_HTTPS },
	{ STR_INIT("REQUEST_SCHEME"), P_SCHEME },   { STR_INIT("SERVER_NAME"), P_SERVER_NAME },
	{ STR_INIT("SSL_CLIENT_CERT"), P_CERT },    { STR_INIT("SSL_CLIENT_VERIFY"), P_CERT_OK },
};

struct reading {
	struct call *k;
	struct str p[P__COUNT];
	unsigned lengths;                /* how often CONTENT_LENGTH came */
	struct str host, scheme;         /* scheme: as trusted proxies say; STR_NULL: they say nothing */
	enum reason problem;
	size_t n_fields;
};

enum { FIELDS_MAX = 256 };

/* Fields that have their own parameter, or that must not reach a backend ("Proxy" becomes an environment variable of CGI
 * programs, which is how httpoxy worked). */
static bool is_left_out(struct str name)
{
	return (name.n == 14 && str_eq(name, STR("CONTENT_LENGTH"))) || (name.n == 12 && str_eq(name, STR("CONTENT_TYPE")))
	       || (name.n == 5 && str_eq(name, STR("PROXY")));
}

static void take_field(struct reading *r, struct str cgi, struct str value)
{
	struct request *rq = &r->k->x.request;

	value = str_trim(value);
	if (is_left_out(cgi)) {
		/* nginx sends this in both forms; they must agree */
		if (cgi.n == 14 && value.n) {
			if (r->p[P_LENGTH].n && !str_eq(r->p[P_LENGTH], value))
				r->problem = REASON_BAD_LENGTH;
			r->p[P_LENGTH] = value;
		} else if (cgi.n == 12 && !r->p[P_TYPE].n) {
			r->p[P_TYPE] = value;
		}
		return;
	}
	if (++r->n_fields > FIELDS_MAX) {
		r->problem = REASON_HEADERS_TOO_LARGE;
		return;
	}
	field_name_from_cgi((char *)(uintptr_t)cgi.p, cgi.n);
	if (!field_name_ok(cgi) || !field_value_ok(value)) {
		r->problem = REASON_BAD_HEADER;
		return;
	}
	if (cgi.n == 4 && str_eq(cgi, STR("Host")))
		r->host = value;
	if (!fields_add(&rq->headers, cgi, value))
		r->problem = REASON_NO_MEMORY;
}

static void take_known(struct reading *r, struct str name, struct str value)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (known[i].name.n != name.n || memcmp(known[i].name.p, name.p, name.n) != 0)
			continue;
		if (known[i].to == P_LENGTH && value.n) {
			if (r->p[P_LENGTH].n && !str_eq(r->p[P_LENGTH], value))
				r->problem = REASON_BAD_LENGTH;
			r->p[P_LENGTH] = value;
		} else if (known[i].to != P_LENGTH && value.n) {
			r->p[known[i].to] = value;
		}
		return;
	}
}

static void take_all(struct reading *r)
{
	struct str rest = buf_view(&r->k->params), name, value;
	enum fcgi_pair got;

	while ((got = fcgi_pair_next(&rest, &name, &value)) == FCGI_PAIR_OK) {
		if (name.n > 5 && memcmp(name.p, "HTTP_", 5) == 0)
			take_field(r, str_from(name, 5), value);
		else
			take_known(r, name, value);
	}
	if (got == FCGI_PAIR_BAD)
		r->problem = REASON_BAD_REQUEST;
}

/* "example.com:8443" or "[::1]:80". Letters, digits and what names and addresses hold; nothing else gets into a
 * Forwarded field or a realm. */
static bool take_host(struct url *u, struct str host)
{
	static const bool good[256] = { ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true, ['.'] = true,
					['_'] = true, ['~'] = true, ['['] = true, [']'] = true, [':'] = true, ['%'] = true };
	size_t colon = str_rfind_char(host, ':'), bracket = str_rfind_char(host, ']');
	uint64_t port = 0;

	if (colon != SIZE_MAX && (bracket == SIZE_MAX || colon > bracket)) {
		if (colon + 1 < host.n && !str_to_u64(str_from(host, colon + 1), 65535, &port))
			return false;
		host = str_first(host, colon);
	}
	if (!host.n || host.n > 255)
		return false;
	for (size_t i = 0; i < host.n; i++)
		if (!good[(unsigned char)host.p[i]])
			return false;
	u->host = host;
	u->port = (unsigned)port;
	return true;
}

static enum reason read_url(struct reading *r)
{
	struct url *u = &r->k->x.request.original_url;
	struct str https = r->p[P_HTTPS];
	bool secure = r->scheme.n ? str_eq(r->scheme, STR("https"))
				  : str_eq_ci(https, STR("on")) || str_eq(https, STR("1"))
					    || str_eq_ci(r->p[P_SCHEME], STR("https"));

	u->scheme = secure ? STR("https") : STR("http");
	u->path = STR("/");
	u->host = STR("localhost");
	if (str_is_null(r->p[P_URI]))
		return REASON_BAD_REQUEST;
	if (r->p[P_URI].n > r->k->wk->limits.uri_bytes)
		return REASON_URI_TOO_LONG;
	if (!target_split(r->p[P_URI], &u->path, &u->query)) {
		return REASON_BAD_PATH;
	}
	if (r->host.n ? !take_host(u, r->host) : r->p[P_SERVER_NAME].n && !take_host(u, r->p[P_SERVER_NAME]))
		return REASON_BAD_HEADER;
	r->k->client_host = r->host.n ? r->host : u->host;
	if (u->port == (secure ? 443 : 80))
		u->port = 0;
	return REASON_NONE;
}

static enum reason read_length(struct reading *r)
{
	struct call *k = r->k;
	uint64_t n;

	k->up_length = -1;
	if (!r->p[P_LENGTH].n)
		return REASON_NONE;
	if (!str_to_u64(r->p[P_LENGTH], INT64_MAX, &n))
		return REASON_BAD_LENGTH;
	k->up_length = (int64_t)n;
	return REASON_NONE;
}

static enum reason read_expect(struct call *k)
{
	struct str expect = fields_get(&k->x.request.headers, STR("Expect"));

	return str_is_null(expect) || str_eq_ci(expect, STR("100-continue")) ? REASON_NONE : REASON_EXPECTATION;
}

/* Every answer carries one, also those to what could not be understood. */
static void make_request_id(struct call *k)
{
	static const char hex[] = "0123456789abcdef";
	struct str given = fields_get(&k->x.request.headers, STR("X-Request-Id"));
	uint8_t r[16];
	char *id;
	size_t n = 0;

	if (request_id_ok(given)) {
		k->x.request_id = given;
		return;
	}
	worker_id(k->wk, k->x.started_us, r);
	id = arena_alloc_text(k->arena, 37);
	if (!id)
		return;
	for (size_t i = 0; i < sizeof(r); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			id[n++] = '-';
		id[n++] = hex[r[i] >> 4];
		id[n++] = hex[r[i] & 15];
	}
	id[n] = '\0';
	k->x.request_id = (struct str){ id, n };
	k->request_id_made = true;
}

/* The certificate that the caller showed. Who stands behind a trusted proxy shows it there: that of the connection is then
 * the proxy's own. The proxy's header goes no further, whoever sent it. */
static struct str read_certificate(struct reading *r)
{
	const struct worker_limits *l = &r->k->wk->limits;
	struct fields *headers = &r->k->x.request.headers;
	struct str verdict = r->p[P_CERT_OK], given;

	if (l->cert_header.n) {
		given = fields_get(headers, l->cert_header);
		fields_remove(headers, l->cert_header);
		if (client_is_proxy(&r->k->wk->trust, r->p[P_ADDR]))
			return certtext_pem(r->k->arena, given);
	}
	if (!r->p[P_CERT].n || str_eq_ci(verdict, STR("NONE")))
		return STR_NULL;
	return certtext_pem(r->k->arena, r->p[P_CERT]);
}

enum reason call_request_read(struct call *k)
{
	struct reading r = { .k = k };
	struct request *rq = &k->x.request;
	enum reason why;

	*rq = (struct request){ .method = STR("GET") };
	fields_init(&rq->headers, k->arena);
	if (!k->params_over)
		take_all(&r);
	if (!network_client(k, field_value_ok(r.p[P_ADDR]) ? r.p[P_ADDR] : STR_NULL, &r.scheme))
		r.problem = REASON_NO_MEMORY;
	why = read_url(&r);
	rq->url = rq->original_url;
	rq->client_cert_pem = read_certificate(&r);
	make_request_id(k);
	if (k->params_over)
		return REASON_HEADERS_TOO_LARGE;
	if (r.problem != REASON_NONE)
		return r.problem;
	if (!method_ok(r.p[P_METHOD]))
		return REASON_BAD_METHOD;
	rq->method = r.p[P_METHOD];
	k->head_request = str_eq(rq->method, STR("HEAD"));
	if (why != REASON_NONE)
		return why;
	if (r.p[P_TYPE].n && (!field_value_ok(r.p[P_TYPE]) || !fields_add(&rq->headers, STR("Content-Type"), r.p[P_TYPE])))
		return REASON_BAD_HEADER;
	why = read_length(&r);
	return why != REASON_NONE ? why : read_expect(k);
}
