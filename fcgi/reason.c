#include "fcgi/reason.h"

#include "core/str.h"

static const struct reason_info table[REASON__COUNT] = {
#define X(name, word_, status_, message_, ...) [REASON_##name] = { STR_INIT(word_), STR_INIT(message_), status_ },
	REASONS(X)
#undef X
};

const struct reason_info *reason_info(enum reason r)
{
	return &table[(unsigned)r < REASON__COUNT ? r : REASON_INTERNAL];
}

bool reason_is_backend(enum reason r)
{
	/* a place that is not free was refused by the gateway itself; the backend was not asked */
	return r != REASON_BACKEND_FULL && str_starts(reason_info(r)->word, STR("backend_"));
}
