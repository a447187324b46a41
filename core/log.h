/* log.h - one line per event on standard error, `key=value`, written once where a failure is handled.
 *
 *   2026-11-21T05:22:07.123Z warn gateway[812] backend timeout request_id=4f.. after_ms=3000
 *
 * Control bytes and quotes in values are escaped, so a client cannot forge a line. Never log a key, a token or a body.
 * Each line leaves in one write(2), so processes may share the descriptor. */
#pragma once

#include "core/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL__COUNT };

struct log_kv {
	const char *key;
	struct str value;        /* used when is_int is false */
	int64_t number;
	bool is_int;
};

#define KV_STR(k, v) ((struct log_kv){ .key = (k), .value = (v) })
#define KV_CSTR(k, v) ((struct log_kv){ .key = (k), .value = { (v), strlen(v) } })
#define KV_INT(k, v) ((struct log_kv){ .key = (k), .number = (int64_t)(v), .is_int = true })

void log_init(const char *program, enum log_level least);   /* program must stay valid */
bool log_level_parse(struct str name, enum log_level *out);  /* "debug", "info", "warn", "error" */
bool log_wants(enum log_level level);

void log_event(enum log_level level, const char *event, const struct log_kv *kv, size_t n);

#define log_at(level, event, ...)                                                              \
	do {                                                                                   \
		if (log_wants(level)) {                                                        \
			const struct log_kv log_kv_[] = { __VA_ARGS__ };                       \
			log_event(level, event, log_kv_, ARRAY_LEN(log_kv_));                  \
		}                                                                              \
	} while (0)
#define log_debug(event, ...) log_at(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_at(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_at(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_at(LOG_ERROR, event, __VA_ARGS__)
