#include "core/log.h"

#include "core/clock.h"
#include "core/str.h"

#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

static const char *const names[LOG_LEVEL__COUNT] = { "debug", "info", "warn", "error" };

static const char *program_name = "gatehouse";
static enum log_level least_level = LOG_INFO;

void log_init(const char *program, enum log_level least)
{
	program_name = program;
	least_level = least;
}

bool log_level_parse(struct str name, enum log_level *out)
{
	for (unsigned i = 0; i < LOG_LEVEL__COUNT; i++)
		if (str_eq(name, str_of(names[i]))) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

bool log_wants(enum log_level level)
{
	return level >= least_level;
}

struct line {
	char p[LINE_MAX_BYTES];
	size_t n;
};

static void put(struct line *l, char c)
{
	if (l->n < sizeof(l->p) - 1)     /* the last byte is kept for the newline */
		l->p[l->n++] = c;
}

static void put_value(struct line *l, struct str s)
{
	static const char hex[] = "0123456789abcdef";
	bool quote = s.n == 0;

	for (size_t i = 0; i < s.n && !quote; i++)
		quote = (unsigned char)s.p[i] <= ' ' || s.p[i] == '"' || s.p[i] == '=' || s.p[i] == '\\' || s.p[i] == 127;
	if (quote)
		put(l, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\') {
			put(l, '\\');
			put(l, (char)c);
		} else if (c < ' ' || c == 127) {
			put(l, '\\');
			put(l, 'x');
			put(l, hex[c >> 4]);
			put(l, hex[c & 15]);
		} else {
			put(l, (char)c);
		}
	}
	if (quote)
		put(l, '"');
}

void log_event(enum log_level level, const char *event, const struct log_kv *kv, size_t n)
{
	char when[CLOCK_ISO_MAX], number[24];
	struct line l = { .n = 0 };
	int head = snprintf(l.p, sizeof(l.p), "%s %s %s[%d] %s", clock_iso(clock_wall_us(), 3, when), names[level],
			    program_name, (int)getpid(), event);

	l.n = head < 0 ? 0 : (size_t)head < sizeof(l.p) - 1 ? (size_t)head : sizeof(l.p) - 1;
	for (size_t i = 0; i < n; i++) {
		put(&l, ' ');
		for (const char *k = kv[i].key; *k; k++)
			put(&l, *k);
		put(&l, '=');
		if (kv[i].is_int) {
			snprintf(number, sizeof(number), "%lld", (long long)kv[i].number);
			for (const char *d = number; *d; d++)
				put(&l, *d);
		} else {
			put_value(&l, kv[i].value);
		}
	}
	l.p[l.n++] = '\n';
	if (write(STDERR_FILENO, l.p, l.n) < 0)
		return;          /* nowhere left to report it */
}
