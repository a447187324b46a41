/* kong_fields.h - what decK's files may say, and what of it is not taken over. For config/import/ only. */
#pragma once

#include "config/import/report.h"

/* Of what a table is: "file", "service", "route", "upstream", "target", "consumer", "plugin", or the config of a plugin by its name. */
const struct import_field *kong_fields(struct str of);          /* NULL: there is none */
/* A row of the report for each member that says something and is not taken over. */
void kong_tell(struct import_report *r, const char *of, const json_t *object, struct str what);
