/* clock.h - the two clocks. Wall time is for people and expiry dates; it may jump. Monotonic time is for durations and
 * timeouts; it never goes back and means nothing outside this boot. Both in microseconds. */
#pragma once

#include "core/base.h"

int64_t clock_wall_us(void);                             /* since 1970-01-01T00:00:00Z */
int64_t clock_mono_us(void);

#define CLOCK_ISO_MAX 32
/* "2025-01-02T03:04:05.678Z" (RFC 3339); digits is how many of the second's fraction, 0 to 6. Returns out. */
const char *clock_iso(int64_t wall_us, unsigned digits, char out[CLOCK_ISO_MAX]);
/* RFC 3339 with or without fraction, "Z" or an offset. False when the text is anything else. */
bool clock_parse_iso(struct str s, int64_t *wall_us);
/* The same, or a day alone: "2027-01-31" is its beginning in UTC. */
bool clock_parse_date(struct str s, int64_t *wall_us);
/* "90s", "30m", "24h", "7d", or seconds without a unit. At most 36500 days. */
bool clock_parse_duration(struct str s, int64_t *seconds);
/* Names this boot of the machine: what the monotonic clock has measured holds for as long as it is the same. False: it is
 * not to be had; errno says why. */
enum { CLOCK_BOOT_ID_BYTES = 40 };
bool clock_boot_id(char out[CLOCK_BOOT_ID_BYTES]);
