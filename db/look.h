/* look.h - how the portal looks, as set in the dashboard or by `gatehouse theme import`: one row, audited. What the JSON may
 * hold says core/look.h. */
#pragma once

#include "db/store.h"

struct store_look {
	struct str look;                 /* JSON; "{}" when nothing was set */
	struct str logo_type;            /* "image/png"; empty: there is no picture */
	int64_t changed_us;              /* 0: nothing was ever set; else stands in addresses, so that browsers see a change */
};

GH_RC store_look_get(struct store *s, struct arena *a, struct store_look *out, struct gh_err *err);
GH_RC store_look_set(struct store *s, struct str look, struct gh_err *err);              /* needs a transaction, as does the next */
GH_RC store_logo_set(struct store *s, struct str bytes, struct str type, struct gh_err *err);    /* no bytes: none any more */
GH_RC store_logo_get(struct store *s, struct arena *a, struct str *bytes, struct str *type, bool *found, struct gh_err *err);
