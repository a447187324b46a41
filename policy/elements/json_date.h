/* json_date.h - texts of JSON that are dates to .NET's readers: "2012-03-21T05:40:07Z", also without seconds, and
 * "/Date(1198908717056)/". */
#pragma once

#include "core/json.h"
#include "policy/net/make.h"

bool json_date_read(struct arena *a, struct str s, int64_t *ticks, enum date_kind *kind);
/* Writes every such text of a tree anew, in the form of XML Schema's dateTime. depth is 0. */
void json_dates_in_xml_form(struct arena *a, json_t *json, unsigned depth);
