/* call_pack.h - single calls as bytes, some hundred together: how they lie in the store.
 *
 *   section  record | record | ...                each drain begins a section: what follows refers to nothing before it
 *   record   head | shared | started_us, less that of the record before | other numbers | other texts
 *
 * What calls of one kind have in common (environment, API, ... status: the shared fields) is written once in a section and then
 * named by its number. Numbers have 7 bits a byte and stand there only when they are not 0; an id that the gateway made (UUID)
 * takes 16 bytes, and the trace that it began with this id takes none. So a call takes a third of what it takes as a row with a column each, and a fifth of the time.
 *
 * A number or text that is added to a record of calls (core/telemetry.h) gets its place at the end of the own ones here: packed
 * calls of before then just do not have it. No threads. */
#pragma once

#include "core/telemetry.h"

struct call_packer;
struct call_packer *call_packer_new(void);               /* NULL when out of memory */
void call_packer_free(struct call_packer *p);            /* NULL is fine */
/* Begins with what was packed before (empty: nothing) and a new section. */
bool call_packer_begin(struct call_packer *p, struct str before) MUST_USE;

struct call_packed {
	bool fresh;                  /* no call of this section had the same shared fields */
	bool id_tells_time;          /* the request id is one that the gateway makes, of the time of the call */
	bool trace_is_id;            /* the trace has the id of the call */
};
/* Calls with the same kind (core/telemetry_kind.h; 0: not known) have the same shared fields from one call_packer_begin to the next.
 * False: out of memory. */
bool call_packer_add(struct call_packer *p, const struct telemetry_call *call, struct call_packed *packed) MUST_USE;
struct str call_packer_bytes(const struct call_packer *p);       /* until the next call */

struct call_unpacker;
struct call_unpacker *call_unpacker_new(void);           /* NULL when out of memory */
void call_unpacker_free(struct call_unpacker *u);        /* NULL is fine */
void call_unpacker_begin(struct call_unpacker *u, struct str packed);    /* borrows */
/* Texts are borrowed from `packed` but for the request id and the trace id, which are valid until the next call. False at the end, or when what
 * follows is damaged (*damaged). */
bool call_unpacker_next(struct call_unpacker *u, struct telemetry_call *out, bool *damaged) MUST_USE;

/* The time in an id that looks like those that the gateway makes of started_us (UUID version 7, bare for a trace); false: it is another one. */
bool call_id_time(struct str id, int64_t *ms) MUST_USE;
