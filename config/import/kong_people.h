/* kong_people.h - who calls, in Kong's words: consumers with their credentials and groups, and the plugins that ask for them, as
 * subscriptions, callers and access rules. For config/import/ only. */
#pragma once

#include "config/import/kong_plugin.h"

/* Which APIs need a key and are therefore in the product of that name; the plugins of all services count where a route has none of that kind. */
struct kong_people {
	struct bundle *bundle;
	const json_t *doc;               /* the file */
	const char *name;                /* of the gateway, of the product of its keys, and in front of ids */
	const json_t *everywhere[KONG_ASKS__COUNT];
};

/* The access rule that plugins of a route ask for (of the arena), NULL when keys alone or nothing is asked. Guards that an access rule
 * does not have go into p->first: groups that keys must be in, or a closed document. `key`: a key is asked for. */
const json_t *kong_access_rule(const struct kong_people *k, struct kong_plugins *p, bool key, struct str where);
/* Subscriptions and callers of all consumers; `keyed`: there is the product that keys open. */
void kong_consumers(const struct kong_people *k, bool keyed);
