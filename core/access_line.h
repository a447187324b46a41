/* access_line.h - the record of a call as a line of an access log.
 *
 * A format is `json` (all that is known, as `gatehouse log --format json`), `common` (the Common Log Format of web servers),
 * `combined`, or a text of one's own with $NAME for each value: every name of TELEMETRY_TEXTS and TELEMETRY_NUMBERS, and
 * time (RFC 3339), time_clf (as in the Common Log Format). ${NAME} where a letter follows; $$ is a dollar. A value that is
 * empty is "-"; quotes, backslashes and control characters in values are escaped (\", \\, \xHH), so a caller cannot write
 * lines or fields of his own.
 *
 * Not recorded, so not there: protocol (always HTTP/1.1), referrer and agent (always "-") of common and combined. */
#pragma once

#include "core/telemetry.h"

struct access_format;
/* INVALID names the part that is wrong. Texts are copied into the arena. */
GH_RC access_format_parse(struct arena *a, struct str text, struct access_format **out, struct gh_err *err);
/* One line without its end. */
void access_line(struct buf *b, const struct access_format *f, const struct telemetry_call *call);
