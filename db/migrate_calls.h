/* migrate_calls.h - what a migration needs to pack single calls; for db/migrate.c only. */
#pragma once

#include "db/sql.h"

bool migrate_calls_functions(sqlite3 *db) MUST_USE;      /* call_pack(), call_own_id() */
