#include "core/config.h"

#include "core/file.h"
#include "core/str.h"
#include "core/suggest.h"

#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 1 << 20 };

static const struct setting_info infos[CONFIG__COUNT] = {
#define SETTING_INT(id, name, def, least, most, help) { name, help, SETTING_KIND_INT, least, most },
#define SETTING_TEXT(id, name, def, help) { name, help, SETTING_KIND_TEXT, 0, 0 },
#define SETTING_BOOL(id, name, def, help) { name, help, SETTING_KIND_BOOL, 0, 1 },
#include "core/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_BOOL
};

static const struct config defaults = { {
#define SETTING_INT(id, name, def, least, most, help) { .number = (def) },
#define SETTING_TEXT(id, name, def, help) { .text = STR_INIT(def) },
#define SETTING_BOOL(id, name, def, help) { .number = (def) },
#include "core/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_BOOL
} };

static bool parse_number(struct str s, int64_t *out)
{
	static const struct {
		char suffix;
		int64_t factor;
	} units[] = { { 'k', 1024 }, { 'K', 1024 }, { 'M', 1 << 20 }, { 'G', 1 << 30 } };
	int64_t factor = 1;

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (s.n > 1 && s.p[s.n - 1] == units[i].suffix) {
			factor = units[i].factor;
			s.n--;
			break;
		}
	return str_to_i64(s, INT64_MIN, INT64_MAX, out) && !__builtin_mul_overflow(*out, factor, out);
}

static gh_rc set(struct config *c, enum setting s, struct str value, struct gh_err *err)
{
	const struct setting_info *info = &infos[s];
	int64_t number;

	switch (info->kind) {
	case SETTING_KIND_TEXT:
		c->v[s].text = value;
		break;
	case SETTING_KIND_BOOL:
		if (!str_eq(value, STR("yes")) && !str_eq(value, STR("no")))
			FAIL(err, INVALID, "%s must be yes or no, not \"%.*s\"", info->name, STR_ARG(value));
		c->v[s].number = value.p[0] == 'y';
		break;
	case SETTING_KIND_INT:
		if (!parse_number(value, &number) || number < info->least || number > info->most)
			FAIL(err, INVALID, "%s must be a number from %lld to %lld, not \"%.*s\"", info->name,
			     (long long)info->least, (long long)info->most, STR_ARG(value));
		c->v[s].number = number;
		break;
	}
	c->v[s].given = true;
	return GH_RC_OK;
}

static gh_rc set_by_name(struct config *c, struct str name, struct str value, struct gh_err *err)
{
	const char *names[CONFIG__COUNT + 1] = { NULL };
	const char *near;

	for (unsigned i = 0; i < CONFIG__COUNT; i++) {
		if (str_eq(name, str_of(infos[i].name)))
			return set(c, (enum setting)i, value, err);
		names[i] = infos[i].name;
	}
	near = suggest(name, names);
	if (near)
		FAIL(err, INVALID, "there is no setting \"%.*s\"; did you mean %s?", STR_ARG(name), near);
	FAIL(err, INVALID, "there is no setting \"%.*s\"", STR_ARG(name));
}

static gh_rc read_file(struct config *c, struct arena *a, const char *path, struct gh_err *err)
{
	struct str text, line;
	unsigned number = 0;

	TRY(file_read(a, path, FILE_MAX_BYTES, &text, err));
	while (str_split(&text, '\n', &line)) {
		size_t eq;
		gh_rc rc;

		number++;
		line = str_trim(line);
		if (!line.n || line.p[0] == '#')
			continue;
		eq = str_find_char(line, '=');
		if (eq == SIZE_MAX)
			FAIL(err, SYNTAX, "%s:%u:1: error: expected `name = value`", path, number);
		rc = set_by_name(c, str_trim(str_first(line, eq)), str_trim(str_from(line, eq + 1)), err);
		if (rc.code) {
			gh_err_prefix(err, "%s:%u:1: error", path, number);
			return rc;
		}
	}
	return GH_RC_OK;
}

static gh_rc read_environment(struct config *c, struct arena *a, struct gh_err *err)
{
	for (unsigned i = 0; i < CONFIG__COUNT; i++) {
		char name[128] = "GATEHOUSE_";
		size_t n = strlen(name);
		const char *value;
		struct str copy;

		for (const char *p = infos[i].name; *p && n < sizeof(name) - 1; p++)
			name[n++] = *p == '.' ? '_' : ascii_upper(*p);
		name[n] = '\0';
		value = getenv(name);
		if (!value)
			continue;
		copy = arena_dup(a, str_of(value));
		if (!copy.p)
			FAIL(err, NOMEM, "no memory for %s", name);
		TRY(set(c, (enum setting)i, copy, err));
	}
	return GH_RC_OK;
}

gh_rc config_load(struct config *c, struct arena *a, const char *path, struct gh_err *err)
{
	*c = defaults;
	if (path && access(path, F_OK) == 0)
		TRY(read_file(c, a, path, err));
	return read_environment(c, a, err);
}

int64_t config_int(const struct config *c, enum setting s)
{
	return c->v[s].number;
}

bool config_bool(const struct config *c, enum setting s)
{
	return c->v[s].number != 0;
}

struct str config_text(const struct config *c, enum setting s)
{
	return c->v[s].text;
}

const struct setting_info *config_info(enum setting s)
{
	return &infos[s];
}
