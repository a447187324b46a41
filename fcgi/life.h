/* life.h - what callers hear of an API on its way out: Deprecation (RFC 9745), Sunset (RFC 8594) and a Link to its page with
 * every answer, and 410 once it is retired. Made with the snapshot; an API that is current has none (snap_api.life NULL) and
 * its calls pay one comparison. */
#pragma once

#include "fcgi/call_gate.h"

struct snap_life {
	bool retired;                    /* whatever the date */
	int64_t sunset_us;               /* from then on as if retired; 0: no date */
	struct str deprecation, sunset;  /* values of the fields; STR_NULL: none */
	struct str link;
};

struct build;
struct store_api;
/* *out NULL: the API is current. */
GH_RC life_build(struct build *b, const struct store_api *row, const struct snap_life **out);

/* Answers 410 when the API of the route is retired by now; false: it is not. */
bool life_refused(struct call *k, struct gate_state *g);

enum { LIFE_FIELDS = 3 };
/* Fields of the answer; how many. Those of the same names that the backend sent are taken out, but Link. */
size_t life_fields(struct call *k, struct field out[LIFE_FIELDS]);
