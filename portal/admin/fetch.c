#include "portal/admin/fetch.h"

#include "core/ip.h"
#include "core/str.h"
#include "core/uri.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

/* What is no place of the open Internet: RFC 6890 and its registry, multicast and what is reserved, and the IPv6 forms that carry an
 * IPv4 address (RFC 6052, RFC 3056, RFC 4380, RFC 4291 section 2.5.5.1; an IPv4-mapped one is that address to core/ip.h). Site-local
 * addresses (RFC 3879) may still be in use. */
static const char closed[] = "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 "
			     "198.18.0.0/15 224.0.0.0/3 ::/96 64:ff9b::/96 64:ff9b:1::/48 2001::/32 2002::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8";

struct fetched {
	struct ip_set closed;            /* empty: everything is open */
	struct buf body;
	bool refused;                    /* an address was in a closed network */
};

static size_t collect(char *bytes, size_t size, size_t n, void *ctx)
{
	struct fetched *x = ctx;

	buf_add(&x->body, bytes, size * n);
	return buf_ok(&x->body) ? size * n : 0;
}

/* Asked for each connection, behind the resolver: there is no moment between looking and connecting. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose UNUSED, struct curl_sockaddr *to)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct fetched *x = ctx;
	struct ip ip;

	if (to->family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)&to->addr)->sin_addr, text, sizeof(text));
	else if (to->family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)&to->addr)->sin6_addr, text, sizeof(text));
	if (!ip_parse(str_of(text), &ip) || ip_set_find(&x->closed, &ip)) {
		x->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static CURLcode run(CURL *c, const struct web_site *site, const char *url, struct fetched *x)
{
	long seconds = (long)config_int(&site->config, CONFIG_ADMIN_IMPORT_TIMEOUT_S);

	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, seconds);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, seconds);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)FETCH_REDIRECTS_MAX);
	curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(c, CURLOPT_USERAGENT, "gatehouse");
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, x);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	return curl_easy_perform(c);
}

static GH_RC judge(const struct fetched *x, CURLcode code, long status, size_t max_bytes, struct gh_err *err)
{
	if (x->refused)
		FAIL(err, INVALID, "The address leads to this machine or into a private network, and those are not fetched. Give the file, or allow "
		     "them with the setting admin.import_private = yes.");
	if (!buf_ok(&x->body))
		FAIL(err, LIMIT, "What stands there has more than %zu bytes.", max_bytes);
	if (code == CURLE_TOO_MANY_REDIRECTS)
		FAIL(err, UPSTREAM, "The address leads on more than %d times.", FETCH_REDIRECTS_MAX);
	if (code != CURLE_OK)
		FAIL(err, UPSTREAM, "It could not be fetched: %s.", curl_easy_strerror(code));
	if (status < 200 || status > 299)
		FAIL(err, UPSTREAM, "The server answered with status %ld.", status);
	if (x->body.n == 0)
		FAIL(err, UPSTREAM, "The server answered with nothing.");
	return GH_RC_OK;
}

static GH_RC fetch(struct web *w, struct str url, size_t max_bytes, struct fetched *x, struct gh_err *err)
{
	const char *address = arena_cstr(w->a, url);
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long status = 0;
	CURL *c;

	if (!config_bool(&w->site->config, CONFIG_ADMIN_IMPORT_PRIVATE))
		TRY(ip_set_parse(w->a, str_of(closed), &x->closed, err));
	c = curl_easy_init();
	if (c && address) {
		code = run(c, w->site, address, x);
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	}
	curl_easy_cleanup(c);
	return judge(x, code, status, max_bytes, err);
}

GH_RC admin_fetch(struct web *w, struct str url, size_t max_bytes, struct str *out, struct gh_err *err)
{
	int64_t workers = config_int(&w->site->config, CONFIG_ADMIN_WORKERS);
	struct fetched x = { .refused = false };
	struct uri u;
	gh_rc rc;

	if (!uri_parse(url, &u) || !u.host.n || (!str_eq_ci(u.scheme, STR("https")) && !str_eq_ci(u.scheme, STR("http"))))
		FAIL(err, INVALID, "Enter an address that begins with https:// or http://.");
	if (u.userinfo.p)
		FAIL(err, INVALID, "The address holds a user or password. Give the file in its place.");
	if (!counter_enter(w->site->counters, STR("admin fetch"), workers > 1 ? (uint32_t)workers - 1 : 1))
		FAIL(err, UPSTREAM, "Another address is being fetched. Try again in a moment.");
	buf_init(&x.body, max_bytes);
	rc = fetch(w, url, max_bytes, &x, err);
	counter_leave(w->site->counters, STR("admin fetch"));
	*out = arena_dup(w->a, buf_view(&x.body));
	buf_release(&x.body);
	TRY(rc);
	if (!out->p)
		FAIL(err, NOMEM, "description");
	return GH_RC_OK;
}
