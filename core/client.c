#include "core/client.h"

#include "core/str.h"

struct hop {
	struct ip address;
	bool good;                       /* it is an address */
	struct str proto;
	size_t at;                       /* where the entry begins */
};

struct hops {
	struct hop v[CLIENT_HOPS_MAX];
	size_t n;
};

GH_RC client_trust_read(struct arena *a, const struct config *c, struct client_trust *out, struct gh_err *err)
{
	struct str header = config_text(c, CONFIG_GATEWAY_PROXY_HEADER);
	gh_rc rc = ip_set_parse(a, config_text(c, CONFIG_GATEWAY_TRUSTED_PROXIES), &out->proxies, err);

	if (rc.code)
		gh_err_prefix(err, "gateway.trusted_proxies");
	TRY(rc);
	out->forwarded = str_eq_ci(header, STR("Forwarded"));
	if (!out->forwarded && !str_eq_ci(header, STR("X-Forwarded-For")))
		FAIL(err, INVALID, "gateway.proxy_header must be X-Forwarded-For or Forwarded, not \"%.*s\"", STR_ARG(header));
	return GH_RC_OK;
}

bool client_is_proxy(const struct client_trust *t, struct str peer)
{
	struct ip a;

	return t->proxies.n && ip_parse(peer, &a) && ip_set_find(&t->proxies, &a);
}

/* ---- the entries ------------------------------------------------------------------------------------------------------ */

/* "203.0.113.9", "203.0.113.9:4711", "[2001:db8::1]:4711", "2001:db8::1" */
static bool parse_node(struct str s, struct ip *out)
{
	size_t colon;

	if (ip_parse(s, out))
		return true;
	colon = str_rfind_char(s, ':');
	if (colon == SIZE_MAX || (s.p[0] != '[' && str_find_char(s, ':') != colon))
		return false;
	return ip_parse(str_first(s, colon), out);
}

/* Where the entry that begins at `at` ends: at a comma that stands in no quoted text. */
static size_t entry_end(struct str s, size_t at)
{
	bool quoted = false;

	for (; at < s.n; at++) {
		if (quoted && s.p[at] == '\\' && at + 1 < s.n)
			at++;
		else if (s.p[at] == '"')
			quoted = !quoted;
		else if (s.p[at] == ',' && !quoted)
			break;
	}
	return at;
}

/* A value of Forwarded without its quotes; one that needs its escapes undone is no address or scheme. */
static struct str unquoted(struct str s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return str_first(str_from(s, 1), s.n - 2);
	return s;
}

/* for=192.0.2.60;proto=https;by=203.0.113.43 */
static void read_forwarded(struct str entry, struct hop *h)
{
	bool seen = false;
	struct str pair;

	while (str_split(&entry, ';', &pair)) {
		size_t eq = str_find_char(pair, '=');
		struct str name = str_trim(str_first(pair, eq == SIZE_MAX ? pair.n : eq));
		struct str value = eq == SIZE_MAX ? STR("") : unquoted(str_trim(str_from(pair, eq + 1)));

		if (str_eq_ci(name, STR("for"))) {
			h->good = !seen && parse_node(value, &h->address);       /* twice is malformed (section 4) */
			seen = true;
		} else if (str_eq_ci(name, STR("proto"))) {
			h->proto = value;
		}
	}
}

static void read_hops(const struct client_trust *t, struct str text, struct hops *out)
{
	out->n = 0;
	for (size_t at = 0; at < text.n;) {
		size_t end = t->forwarded ? entry_end(text, at) : str_find_char(str_from(text, at), ',');
		struct hop h = { .at = at };
		struct str entry;

		if (!t->forwarded)
			end = end == SIZE_MAX ? text.n : at + end;
		entry = str_trim(str_first(str_from(text, at), end - at));
		at = end + 1;
		if (!entry.n)
			continue;                /* empty entries of a list are skipped (RFC 9110 section 5.6.1) */
		if (t->forwarded)
			read_forwarded(entry, &h);
		else
			h.good = parse_node(entry, &h.address);
		if (out->n == CLIENT_HOPS_MAX) {
			memmove(out->v, out->v + 1, (CLIENT_HOPS_MAX - 1) * sizeof(h));
			out->n--;
		}
		out->v[out->n++] = h;
	}
}

/* ---- the walk --------------------------------------------------------------------------------------------------------- */

static struct str scheme_of(struct str proto)
{
	if (str_eq_ci(proto, STR("https")))
		return STR("https");
	return str_eq_ci(proto, STR("http")) ? STR("http") : STR_NULL;
}

/* Of several the last one: it was written by the proxy that the connection comes from. */
static struct str last_of(struct str list)
{
	size_t comma = str_rfind_char(list, ',');

	return str_trim(comma == SIZE_MAX ? list : str_from(list, comma + 1));
}

void client_find(const struct client_trust *t, struct str peer, struct str hops_text, struct str proto, struct client_found *out)
{
	struct hops hops;

	*out = (struct client_found){ .kept = hops_text.n };
	out->known = ip_parse(peer, &out->address);
	out->behind = out->known && t->proxies.n && ip_set_find(&t->proxies, &out->address);
	if (!out->behind)
		return;
	if (!t->forwarded)
		out->scheme = scheme_of(last_of(proto));
	read_hops(t, hops_text, &hops);
	/* each round looks at what a trusted proxy wrote */
	for (size_t i = hops.n; i > 0; i--) {
		const struct hop *h = &hops.v[i - 1];

		if (t->forwarded && h->proto.n)
			out->scheme = scheme_of(h->proto);
		if (!h->good)
			return;
		out->address = h->address;
		out->kept = h->at;
		if (!ip_set_find(&t->proxies, &h->address))
			return;
	}
}
