/* product_rows.h - what products.c and catalog.c share. For db/ only. */
#pragma once

#include "db/products.h"
#include "db/sql.h"

extern const struct row_type product_type;       /* of PRODUCT_COLUMNS */
