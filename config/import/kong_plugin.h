/* kong_plugin.h - plugins of Kong as policies. For config/import/ only. */
#pragma once

#include "config/import/bundle.h"

/* Plugins that ask who calls, besides key-auth (kong_people.h). */
enum kong_asks { KONG_BASIC, KONG_HMAC, KONG_JWT, KONG_ACL, KONG_ASKS__COUNT };

struct kong_plugins {
	struct bundle *bundle;
	struct buf first;                /* before all of inbound: who may call at all */
	struct buf inbound, outbound;
	struct buf late;                 /* behind all of inbound: an answer that was kept is given to nobody whom a guard keeps out */
	bool everywhere;                 /* plugins of no service and route: what they say comes before what those say */
	const json_t *asks[KONG_ASKS__COUNT];    /* the config of each that is there; NULL: it is not */
	bool key;                        /* key-auth: calls need a key */
	bool key_anonymous;              /* it lets those without one pass */
	struct str key_name;
	bool key_in_query, key_in_header;
	bool dependent;                  /* cache-store waits for the outbound section */
};

void kong_plugins_init(struct kong_plugins *p, struct bundle *b);
void kong_plugins_release(struct kong_plugins *p);
/* `where` names what it stands on: "route orders". */
void kong_plugin(struct kong_plugins *p, const json_t *plugin, struct str where);
/* `headers` of a route: calls without them are not of it, so they are not answered. */
void kong_headers(struct kong_plugins *p, const json_t *headers, struct str where);
