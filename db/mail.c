#include "db/mail.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

enum { SCRATCH_BYTES = 4 << 20, LIST_DEFAULT = 100 };
static const char MAIL_KIND[] = "mail";

const char *const store_mail_state_names[] = { "waiting", "sending", "handed", "sent", "uncertain", "failed", NULL };

struct mail_row {
	struct store_mail m;
	struct str sealed;
};
#define MAIL_FIELD(kind, member) { #member, FIELD_##kind, offsetof(struct mail_row, m.member) }
static const struct field mail_fields[] = {
	MAIL_FIELD(TEXT, id),       MAIL_FIELD(TEXT, recipient), MAIL_FIELD(TEXT, template), FIELD_HIDDEN(mail_row, BLOB, sealed),
	MAIL_FIELD(INT, state),     MAIL_FIELD(INT, tries),      MAIL_FIELD(TIME, created_us), MAIL_FIELD(TIME, due_us),
	MAIL_FIELD(TIME, changed_us), MAIL_FIELD(TEXT, problem), MAIL_FIELD(INT, number),
};
static const struct row_type mail_type = ROW_TYPE("mail", mail_row, mail_fields);

/* No audit entry: what a mail tells of has one of its own. */
#define QUIET(row_id) ((struct change){ .kind = "mail", .id = (row_id) })

static gh_rc add(struct store *s, struct arena *a, struct str recipient, const char *template, const json_t *data,
		 struct gh_err *err)
{
	struct str id, text = data ? jsn_text(a, data, 0) : STR("{}"), sealed;
	sqlite3_stmt *st;

	if (!text.p)
		FAIL(err, NOMEM, "mail");
	TRY(crypto_random_hex(a, 16, &id, err));
	TRY(store_seal(s, a, MAIL_KIND, id, text, &sealed, err));
	st = sql_use(s, SQL_MAIL_ADD);
	bind_str(st, 1, id);
	bind_str(st, 2, recipient);
	bind_str(st, 3, str_of(template));
	bind_blob(st, 4, sealed);
	bind_int(st, 5, clock_wall_us());
	return change_run(s, st, &QUIET(id), err);
}

GH_RC store_mail_add(struct store *s, struct str recipient, const char *template, const json_t *data, struct gh_err *err)
{
	struct arena *scratch = arena_new(SCRATCH_BYTES);
	gh_rc rc;

	if (!scratch)
		FAIL(err, NOMEM, "mail");
	rc = add(s, scratch, recipient, template, data, err);
	arena_free(scratch);
	return rc;
}

GH_RC store_mail_recover(struct store *s, struct gh_err *err)
{
	sqlite3_stmt *st;

	TRY(store_tx_begin(s, STR("keeper"), err));
	st = sql_use(s, SQL_MAIL_RECOVER);
	bind_int(st, 1, clock_wall_us());
	return store_tx_end(s, change_run(s, st, &QUIET(STR("")), err), err);
}

static gh_rc take(struct store *s, struct arena *a, struct mail_row *row, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_MAIL_TAKE);

	TRY(store_unseal(s, a, MAIL_KIND, row->m.id, row->sealed, &row->m.data, err));
	bind_str(st, 1, row->m.id);
	bind_int(st, 2, clock_wall_us());
	row->m.tries++;
	return change_run(s, st, &QUIET(row->m.id), err);
}

/* Looked up outside a transaction first, so that an idle queue costs no write. */
GH_RC store_mail_take(struct store *s, struct arena *a, int64_t now_us, struct store_mail *out, bool *found, struct gh_err *err)
{
	struct mail_row row = { .sealed = STR_NULL };
	sqlite3_stmt *st = sql_use(s, SQL_MAIL_NEXT);

	bind_int(st, 1, now_us);
	TRY(find_row(s, st, &mail_type, a, &row, found, err));
	if (!*found)
		return GH_RC_OK;
	TRY(store_tx_begin(s, STR("keeper"), err));
	TRY(store_tx_end(s, take(s, a, &row, err), err));
	*out = row.m;
	return GH_RC_OK;
}

GH_RC store_mail_settle(struct store *s, struct str id, enum store_mail_state state, int64_t due_us, struct str problem,
			struct gh_err *err)
{
	sqlite3_stmt *st;

	TRY(store_tx_begin(s, STR("keeper"), err));
	st = sql_use(s, SQL_MAIL_SETTLE);
	bind_str(st, 1, id);
	bind_int(st, 2, (int64_t)state);
	bind_int(st, 3, due_us);
	bind_str(st, 4, str_first(problem, 1000));
	bind_int(st, 5, clock_wall_us());
	return store_tx_end(s, change_run(s, st, &QUIET(id), err), err);
}

GH_RC store_mails(struct store *s, struct arena *a, const struct store_mail_filter *f, struct store_mail **out, size_t *n,
		  struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_MAIL_PAGE);
	struct mail_row *rows;
	char pattern[512];

	bind_part(st, 1, f->search, pattern);
	bind_int(st, 2, (int64_t)(f->limit ? f->limit : LIST_DEFAULT));
	bind_int(st, 3, f->before ? f->before : INT64_MAX);
	bind_int(st, 4, f->state);
	TRY(list_rows(s, st, &mail_type, a, &rows, n, err));
	*out = arena_alloc(a, *n + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "%zu mails", *n);
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = rows[i].m;
	return GH_RC_OK;
}

GH_RC store_mail_again(struct store *s, struct str id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_MAIL_AGAIN);

	bind_str(st, 1, id);
	bind_int(st, 2, clock_wall_us());
	return change_run(s, st, &(struct change){ .action = "send-again", .kind = "mail that could not be sent", .id = id,
						   .must_exist = true }, err);
}

GH_RC store_mail_prune(struct store *s, int64_t before_us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_MAIL_PRUNE);

	bind_int(st, 1, before_us);
	return change_run(s, st, &QUIET(STR("")), err);
}
