/* documents.h - API descriptions as policies ask for them (mock-response, the validate family): out of the store, parsed,
 * with the latest few kept. Reading one takes the loop's time once for each revision and generation; that is the price
 * for not keeping ten thousand of them in every snapshot. */
#pragma once

#include "fcgi/snapshot.h"
#include "policy/api_model.h"

struct documents;

struct documents *documents_new(const char *state_dir);      /* NULL: out of memory */
void documents_free(struct documents *d);                    /* NULL is fine */
/* The parsed description, or NULL when there is none or it cannot be read. Valid until the next call. */
struct api_model *documents_model(struct documents *d, uint64_t generation, const struct snap_api *api);
