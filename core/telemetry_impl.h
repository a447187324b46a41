/* telemetry_impl.h - the layout of a segment, for core/telemetry*.c only.
 *
 *   header (4096 bytes) | record | record | ... | unused
 *   record   length u32 | check u32 | started_us | numbers in the order of TELEMETRY_NUMBERS | text lengths u16 | texts |
 *            zeros up to a multiple of 8
 *
 * Numbers stand in the machine's own order: a segment never leaves its host. */
#pragma once

#include "core/telemetry.h"

#include <stdatomic.h>

#define SEGMENT_MAGIC UINT64_C(0x3130474553484721)
#define RECORD_CHECK 0x47485245u                     /* xor length xor mark: tells a record from what a power cut left */

enum {
	SEGMENT_HEADER_BYTES = 4096,
	RECORD_HEAD_BYTES = 8,
	NUMBERS_BYTES = 0
#define X(type, name) + (int)sizeof(type)
	TELEMETRY_NUMBERS(X)
#undef X
	,
	LENGTHS_BYTES = 2 * TELEMETRY_TEXT__ALL,
	TEXTS_MAX_BYTES = 0
#define X(name, max) + (max)
	TELEMETRY_TEXTS(X)
	TELEMETRY_PASSING_TEXTS(X)
#undef X
	,
	RECORD_FIXED_BYTES = RECORD_HEAD_BYTES + 8 + NUMBERS_BYTES + LENGTHS_BYTES,
	RECORD_MAX_BYTES = RECORD_FIXED_BYTES + TEXTS_MAX_BYTES + 8,
};

/* Rises when a number or text is added to a record. What waits at an upgrade was written by the program before: its version is read too,
 * and has as many texts as stand before `web`. */
enum { SEGMENT_VERSION = 5, SEGMENT_VERSION_BEFORE = 4 };

struct segment_header {
	uint64_t magic;
	uint64_t bytes;                      /* of the file */
	int64_t started_us;
	uint32_t pid, version;
	_Atomic uint64_t committed;          /* bytes of records */
	_Atomic uint64_t dropped;
	_Atomic uint32_t finished;
	/* Zero in segments of before version 5 had them, which are not used again. */
	_Atomic uint32_t released;           /* the keeper has stored all of it: its writer may use the file again, under another name */
	_Atomic uint64_t serial;             /* of the name, one more than its last number; changes before `released` is taken back */
	_Atomic uint32_t mark;               /* of its records, another one each time the file is used again; the first time 0, as before there was one */
};

/* Who follows the segments of a directory holds a shared lock on this file. */
#define SEGMENT_FOLLOWERS "followers.lock"

extern const uint16_t telemetry_text_max[TELEMETRY_TEXT__ALL];
