/* user_rows.h - how a user stands in the database. For db/ only. */
#pragma once

#include "db/sql.h"

extern const struct row_type user_type;
