#include "db/loggers.h"

#include "core/logger.h"
#include "core/str.h"
#include "db/sql.h"

static const char KIND[] = "logger";
enum { SCRATCH_BYTES = 4 << 20, ID_MAX = 256 };

/* In the database `secrets` holds the sealed bytes; callers see them in clear or not at all. */
static const struct field logger_fields[] = {
	FIELD(store_logger, TEXT, id),
	FIELD(store_logger, TEXT, description),
	FIELD(store_logger, TEXT, kind),
	FIELD(store_logger, TEXT, settings),
	FIELD_HIDDEN(store_logger, BLOB, secrets),
};
static const struct row_type logger_type = ROW_TYPE("logger", store_logger, logger_fields);

static gh_rc check(const struct store_logger *l, struct arena *scratch, struct gh_err *err)
{
	struct logger_settings settings;
	enum logger_kind kind;

	if (!l->id.n || l->id.n > ID_MAX)
		FAIL(err, INVALID, "the id of a logger has 1 to %d characters", ID_MAX);
	if (!logger_kind_parse(l->kind, &kind))
		FAIL(err, INVALID, "a logger is of the kind http, file or syslog, not '%.*s'", STR_ARG(str_first(l->kind, 40)));
	return logger_settings_read(scratch, kind, l->settings, l->secrets, &settings, err);
}

GH_RC store_logger_set(struct store *s, const struct store_logger *l, struct gh_err *err)
{
	struct arena *scratch = arena_new(SCRATCH_BYTES);
	struct store_logger row = *l;
	gh_rc rc;

	if (!scratch)
		FAIL(err, NOMEM, "logger '%.*s'", STR_ARG(l->id));
	rc = check(l, scratch, err);
	if (!rc.code)
		rc = store_seal(s, scratch, KIND, l->id, l->secrets, &row.secrets, err);
	if (!rc.code)
		rc = change_row(s, SQL_LOGGER_PUT, &logger_type, &row,
				(struct change){ .action = "set", .id = l->id, .raises = RAISES_CONFIG }, err);
	arena_free(scratch);
	return rc;
}

GH_RC store_logger_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_LOGGER_DROP, id, STR_NULL, CHANGE_DROP("logger"), err);
}

GH_RC store_loggers(struct store *s, struct arena *a, bool in_clear, struct store_logger **out, size_t *n, struct gh_err *err)
{
	TRY(list_rows(s, sql_use(s, SQL_LOGGER_ALL), &logger_type, a, out, n, err));
	for (size_t i = 0; i < *n; i++) {
		struct store_logger *l = &(*out)[i];
		struct str sealed = l->secrets;

		l->secrets = STR_NULL;
		if (in_clear)
			TRY(store_unseal(s, a, KIND, l->id, sealed, &l->secrets, err));
	}
	return GH_RC_OK;
}
