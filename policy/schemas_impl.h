/* schemas_impl.h - between schemas.c and schemas_xml.c. */
#pragma once

#include "core/map.h"
#include "policy/schemas.h"

#include <libxml/xmlschemas.h>

struct stored {
	struct str id;
	enum schema_kind kind;
	struct str text;
	/* under the set's lock, made when first needed: */
	bool tried;
	json_t *json;                        /* SCHEMA_JSON; in the set's arena */
	xmlSchema *xml;                      /* SCHEMA_XML; immutable once made */
	bool patterns, counts;               /* it has ambiguous ones: validating may take for ever */
	const struct stored *looked_for;     /* the one for which it was looked through last */
	struct str why;                      /* neither: what is wrong with it */
};

struct schemas {
	struct arena *arena;
	struct map by_id;                    /* id -> struct stored */
	pthread_mutex_t lock;                /* of the arena and of what is made when needed */
	struct schema_forms forms;
};

/* The schema that "/schemas/ID" or "ID" names, with the fragment taken off; NULL: none. */
struct stored *schemas_named(const struct schemas *s, struct str uri);
/* Makes st->xml, under the lock. */
void schemas_compile_xml(struct schemas *s, struct stored *st);
