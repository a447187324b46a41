/* base.h - the handful of names every file uses.
 *
 * Text is pointer + length (`struct str`) and need not end in a zero byte. A NULL pointer with length 0 is "not given",
 * which is different from an empty text where a caller cares: see str_is_null. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR_INIT(lit) { (lit), sizeof(lit) - 1 }   /* inside static tables */
#define STR(lit) ((struct str)STR_INIT(lit))       /* in expressions */
#define STR_NULL ((struct str){ NULL, 0 })
#define STR_ARG(s) (int)((s).n > 65536 ? 65536 : (s).n), (s).p ? (s).p : ""   /* for %.*s */

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))
#define UNUSED __attribute__((unused))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_USE __attribute__((warn_unused_result))
