/* redis_address.h - the parts of a Redis address (redis.h). */
#pragma once

#include "core/arena.h"
#include "core/error.h"

enum redis_kind { REDIS_ONE, REDIS_SENTINEL, REDIS_CLUSTER };

struct redis_address {
	enum redis_kind kind;
	bool tls;
	struct str user;                 /* STR_NULL: none */
	struct str hosts;                /* host[:port][,host[:port]...] */
	struct str path;                 /* of a Unix socket; STR_NULL: hosts */
	struct str master;               /* Sentinel: its name there */
	uint64_t database;
};

/* Texts live in the arena or in `url`. */
GH_RC redis_address_read(struct redis_address *out, struct arena *a, struct str url, struct gh_err *err);
/* Cuts one host off *rest. False: none is left. The port is `port` when none is given. */
bool redis_address_host(struct str *rest, unsigned standard, struct str *host, unsigned *port);
