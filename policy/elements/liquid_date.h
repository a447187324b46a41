/* liquid_date.h - dates in Liquid templates: DateTime values that print as .NET prints them and that the filter Date formats
 * by a .NET format. */
#pragma once

#include "core/json.h"
#include "core/liquid.h"
#include "policy/exchange.h"
#include "policy/net/make.h"

/* A DateTime. Nil when out of memory. */
struct liquid_value liquid_date(struct arena *a, int64_t ticks, enum date_kind kind);
/* A DateTime or DateTimeOffset of an expression; false: v is neither. */
bool liquid_date_of(struct arena *a, struct value v, struct liquid_value *out);
/* The same tree with texts that look like dates ("2012-03-21T05:40Z", "/Date(1198908717056)/") as DateTimes. */
struct liquid_value liquid_json_with_dates(struct arena *a, json_t *json);
/* For liquid_env.date; ctx is the exchange. Understands dates, "now", "today" and what DateTime.Parse does. */
bool liquid_format_date(void *ctx, struct arena *a, struct liquid_value in, struct str format, struct str *out);
