/* kong_plugin.h - plugins of Kong as policies. For config/import/ only. */
#pragma once

#include "config/import/bundle.h"

struct kong_plugins {
	struct bundle *bundle;
	struct buf inbound, outbound;
	bool key;                        /* key-auth: calls need a key */
	struct str key_name;
	bool key_in_query, key_in_header;
	bool dependent;                  /* cache-store waits for the outbound section */
};

void kong_plugins_init(struct kong_plugins *p, struct bundle *b);
void kong_plugins_release(struct kong_plugins *p);
/* `where` names what it stands on: "route orders". */
void kong_plugin(struct kong_plugins *p, const json_t *plugin, struct str where);
