/* config.h - the settings of an installation: a table of names with defaults and ranges (core/config.def), changed by
 * DIR/gatehouse.conf and by the environment.
 *
 *     # gatehouse.conf
 *     gateway.max_in_flight = 2000
 *     gateway.max_held_body_bytes = 16M        (k, M and G are powers of 1024)
 *
 * The environment wins over the file: GATEHOUSE_GATEWAY_MAX_IN_FLIGHT=2000. An unknown name, a value out of range or a
 * line that is no setting is an error that names file, line and the nearest known name; nothing is ignored.
 * A loaded configuration is immutable and may be read by several threads. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

enum setting {
#define SETTING_INT(id, name, def, least, most, help) CONFIG_##id,
#define SETTING_TEXT(id, name, def, help) CONFIG_##id,
#define SETTING_BOOL(id, name, def, help) CONFIG_##id,
#include "core/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_BOOL
	CONFIG__COUNT
};

enum setting_kind { SETTING_KIND_INT, SETTING_KIND_TEXT, SETTING_KIND_BOOL };

struct setting_info {
	const char *name, *help;
	enum setting_kind kind;
	int64_t least, most;             /* INT */
};

struct config {
	struct {
		int64_t number;          /* INT, BOOL */
		struct str text;         /* TEXT */
		bool given;              /* by file or environment */
	} v[CONFIG__COUNT];
};

/* Defaults, then `path` when it exists, then the environment. Texts live in the arena. */
GH_RC config_load(struct config *c, struct arena *a, const char *path, struct gh_err *err);

int64_t config_int(const struct config *c, enum setting s);
bool config_bool(const struct config *c, enum setting s);
struct str config_text(const struct config *c, enum setting s);
const struct setting_info *config_info(enum setting s);
