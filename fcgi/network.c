#include "fcgi/network.h"

#include "core/client.h"
#include "core/str.h"
#include "fcgi/call_trace.h"

#include <stdio.h>

/* ---- who it is -------------------------------------------------------------------------------------------------------- */

static struct str hops_field(const struct call *k)
{
	return k->wk->trust.forwarded ? STR("Forwarded") : STR("X-Forwarded-For");
}

static struct str address_text(struct arena *a, const struct ip *address)
{
	char text[IP_TEXT_MAX];

	return arena_dup(a, ip_text(address, text));
}

bool network_client(struct call *k, struct str peer, struct str *scheme)
{
	struct request *rq = &k->x.request;
	struct client_found c;
	struct str proto, left;

	rq->ip = peer;
	if (!client_is_proxy(&k->wk->trust, peer)) {
		/* a web server that listens on IPv6 for both says ::ffff:192.0.2.1 */
		if (!str_starts_ci(peer, STR("::ffff:")) || !ip_parse(peer, &c.address))
			return true;
		rq->ip = address_text(k->arena, &c.address);
		return rq->ip.p;
	}
	k->hops_seen = fields_joined(&rq->headers, hops_field(k));
	proto = fields_joined(&rq->headers, STR("X-Forwarded-Proto"));
	client_find(&k->wk->trust, peer, k->hops_seen, proto, &c);
	left = str_trim(str_first(k->hops_seen, c.kept));
	while (left.n && (left.p[left.n - 1] == ',' || ascii_is_space(left.p[left.n - 1])))
		left.n--;
	k->hops_kept = left;
	if (c.scheme.n)
		*scheme = c.scheme;
	rq->ip = address_text(k->arena, &c.address);
	return rq->ip.p;
}

struct str network_history(const struct call *k, struct str name, struct str now)
{
	return k->hops_seen.n && str_eq(name, hops_field(k)) && str_eq(now, k->hops_seen) ? k->hops_kept : now;
}

/* ---- whether it may --------------------------------------------------------------------------------------------------- */

static void refuse(struct call *k, struct gate_state *g, enum reason why, const struct last_error *error, struct str detail)
{
	k->word = reason_info(why)->word;
	k->detail = detail;
	call_trace_begin(k, g, true);
	if (g->route.api)
		gate_fail(k, g, error);
	else
		call_refuse(k, why);
}

static struct str place_of(struct call *k, const char *kind, struct str id)
{
	return arena_printf(k->arena, "%s%s%.*s", kind, id.n ? " " : "", STR_ARG(id));
}

static void refuse_address(struct call *k, struct gate_state *g, const char *kind, struct str id, bool denied)
{
	struct str place = place_of(k, kind, id), ip = k->x.request.ip;
	struct last_error error = {
		.set = true, .source = STR("network"), .reason = denied ? STR("CallerIpBlocked") : STR("CallerIpNotAllowed"),
		.status = 403, .public_message = reason_info(REASON_IP_DENIED)->message,
		.message = arena_printf(k->arena, "The address %.*s is %s of %.*s.", STR_ARG(ip),
					denied ? "on the deny list" : "not on the allow list", STR_ARG(place)),
	};

	refuse(k, g, REASON_IP_DENIED, &error,
	       arena_printf(k->arena, "check=ip expected=\"%s of %.*s\" got=%.*s", denied ? "not on the deny list" : "on the allow list",
			    STR_ARG(place), STR_ARG(ip)));
}

/* The same place over https; STR_NULL when it cannot be said in a header. */
static struct str https_address(const struct call *k)
{
	const struct url *u = &k->x.request.original_url;
	unsigned port = (unsigned)config_int(k->wk->config, CONFIG_GATEWAY_HTTPS_PORT);
	char port_text[16] = "";
	struct str to;

	if (port != 443)
		snprintf(port_text, sizeof(port_text), ":%u", port);
	to = arena_printf(k->arena, "https://%.*s%s%.*s%s%.*s", STR_ARG(u->host), port_text, STR_ARG(u->path), u->query.n ? "?" : "",
			  STR_ARG(u->query));
	return to.p && field_value_ok(to) ? to : STR_NULL;
}

static void refuse_scheme(struct call *k, struct gate_state *g, const char *kind, struct str id)
{
	struct str place = place_of(k, kind, id), to = STR_NULL;
	struct last_error error = {
		.set = true, .source = STR("network"), .reason = STR("HttpsRequired"), .status = 403,
		.public_message = reason_info(REASON_HTTPS_REQUIRED)->message,
		.message = arena_printf(k->arena, "The call came over http; %.*s takes https only.", STR_ARG(place)),
	};

	if (config_bool(k->wk->config, CONFIG_GATEWAY_HTTPS_REDIRECT))
		to = https_address(k);
	if (to.n)
		error.status = 308, error.header = STR("Location"), error.header_value = to;
	refuse(k, g, REASON_HTTPS_REQUIRED, &error,
	       arena_printf(k->arena, "check=scheme expected=\"https for %.*s\" got=http", STR_ARG(place)));
}

bool network_pass(struct call *k, struct gate_state *g, const struct snap_network *rule, const char *kind, struct str id)
{
	struct ip address;
	bool known;

	if (!rule)
		return true;
	if (rule->https_only && !str_eq(k->x.request.original_url.scheme, STR("https"))) {
		refuse_scheme(k, g, kind, id);
		return false;
	}
	if (!rule->allow.n && !rule->deny.n)
		return true;
	known = ip_parse(k->x.request.ip, &address);
	if (known && (!rule->deny.n || !ip_set_find(&rule->deny, &address))
	    && (!rule->allow.n || ip_set_find(&rule->allow, &address)))
		return true;
	/* an address that cannot be read is on no list that lets it in, and may be on one that does not */
	refuse_address(k, g, kind, id, known ? rule->deny.n && ip_set_find(&rule->deny, &address) : !rule->allow.n);
	return false;
}
