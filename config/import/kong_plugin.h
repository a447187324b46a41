/* kong_plugin.h - plugins of Kong as policies. For config/import/ only. */
#pragma once

#include "config/import/bundle.h"

struct kong_plugins {
	struct bundle *bundle;
	struct buf inbound, outbound;
	struct buf late;                 /* behind all of inbound: an answer that was kept is given to nobody whom a guard keeps out */
	bool everywhere;                 /* plugins of no service and route: what they say comes before what those say */
	bool key;                        /* key-auth: calls need a key */
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
