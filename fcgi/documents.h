/* documents.h - API descriptions as policies ask for them (mock-response, the validate family): out of the store, as JSON,
 * with the latest few kept. Reading one takes the loop's time once for each revision and generation; that is the price
 * for not keeping ten thousand of them in every snapshot. */
#pragma once

#include "fcgi/snapshot.h"

struct documents;

struct documents *documents_new(const char *state_dir);      /* NULL: out of memory */
void documents_free(struct documents *d);                    /* NULL is fine */
/* The text in the arena, or STR_NULL when there is none or it cannot be read. */
void documents_get(struct documents *d, struct arena *a, uint64_t generation, const struct snap_api *api, struct str *out);
