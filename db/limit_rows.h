/* limit_rows.h - what tiers.c and consumer_rules.c share: limits as rows. For db/ only. */
#pragma once

#include "db/sql.h"
#include "db/tiers.h"

extern const struct row_type limit_type;         /* kind, seconds, calls, algorithm, queue, delay_ms */

/* INVALID: numbers out of bounds, or an algorithm that cannot keep it. */
GH_RC limit_check(const struct store_limit *l, struct gh_err *err);
void limit_bind(sqlite3_stmt *st, int first, const struct store_limit *l);        /* all its columns from this parameter on */
void limits_json(struct buf *b, const struct store_limit *v, size_t n);
