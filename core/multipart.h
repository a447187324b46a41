/* multipart.h - the parts of a multipart body (RFC 2046, RFC 7578), as they stand in it: nothing is copied or decoded. */
#pragma once

#include "core/arena.h"

enum multipart_step {
	MULTIPART_PART,                  /* one that is whole */
	MULTIPART_END,                   /* behind the last boundary */
	MULTIPART_CUT,                   /* the body ends within this part; its bytes are what is there of it */
	MULTIPART_BROKEN,                /* no part, or its head does not end */
};

struct multipart {
	struct str rest, between;
};
struct multipart_part {
	struct str name, file;           /* of Content-Disposition; STR_NULL: not given */
	struct str type, coding;         /* Content-Type; Content-Transfer-Encoding; the same */
	struct str bytes;
};

/* The value of `name=` in "type; name=value; other=...", without its quotes; STR_NULL when absent. */
struct str multipart_parameter(struct str header, const char *name);
/* NULL, or what is wrong. */
const char *multipart_begin(struct multipart *m, struct arena *a, struct str content_type, struct str body);
enum multipart_step multipart_next(struct multipart *m, struct multipart_part *out);
