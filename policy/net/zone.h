/* zone.h - time zones out of the system's tzdata (RFC 8536), by IANA or Windows name. */
#pragma once

#include "policy/net/types.h"

struct zone_change {
	int64_t at;                  /* seconds since 1970, UTC */
	int32_t offset;              /* seconds east of UTC from then on */
	bool daylight;
};
struct zone_rule {                   /* "M3.2.0/2": month, week (5: last), weekday, second of the day */
	int month, week, day;
	int32_t second;
};
struct zone {
	struct str id;               /* as asked for */
	struct zone_change *changes;
	size_t n;
	int32_t first_offset;        /* before the first change */
	bool has_rules;              /* after the last change: standard and daylight time by rules */
	int32_t standard, daylight;  /* seconds east; without rules only standard counts */
	struct zone_rule to_daylight, to_standard;
	int32_t base;                /* BaseUtcOffset: present standard time */
	bool knows_daylight;
};

struct zone_object {                 /* a TimeZoneInfo */
	struct object head;
	const struct zone *zone;     /* NULL: UTC */
	bool local;
	struct str name;             /* DisplayName of a zone of one's own; .p NULL: made from the id */
};

/* Read once in a process and kept. NULL: no such zone. Thread-safe. */
const struct zone *zone_find(struct str id);
/* Offset and daylight saving at a moment (seconds since 1970, UTC). */
int32_t zone_offset(const struct zone *z, int64_t utc_s, bool *daylight);
/* The moment of a local time. *gap: the clock skips it; *twice: it comes twice (then the later, standard one). */
int64_t zone_to_utc(const struct zone *z, int64_t local_s, bool *gap, bool *twice);
