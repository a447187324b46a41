/* api_rows.h - what apis.c, api_life.c and catalog.c share. For db/ only. */
#pragma once

#include "db/apis.h"
#include "db/sql.h"

extern const struct row_type api_type;           /* of API_COLUMNS */
extern const struct row_type api_tag_type;       /* tag, origin */

/* ---- api_life.c ---- */
/* The dates that the state asks for, before the row is written; `old` is NULL for a new API. */
gh_rc api_life_settle(struct store_api *row, const struct store_api *old, struct gh_err *err);
/* State and dates as they stand; `found` false leaves *out alone. */
gh_rc api_life_read(struct store *s, struct str id, struct store_api *out, bool *found, struct gh_err *err);
/* Writes down what is new for developers: `old` as above. */
gh_rc api_life_note(struct store *s, const struct store_api *row, const struct store_api *old, struct gh_err *err);
gh_rc api_life_note_revision(struct store *s, struct str api_id, int64_t revision, struct gh_err *err);
/* Tags of the operations of the current revision, read again. */
gh_rc api_tags_refresh(struct store *s, struct str api_id, struct gh_err *err);
/* Rules of operations that no revision has any more go with them. */
gh_rc api_rules_refresh(struct store *s, struct str api_id, struct gh_err *err);
