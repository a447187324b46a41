/* api_life.c - what happens to an API besides its configuration: states with their dates, tags, and the rows of "what is
 * new". A row stays as long as what it says holds: an API that is taken back from its deprecation has not been deprecated. */
#include "core/clock.h"
#include "core/str.h"
#include "db/api_rows.h"
#include "db/catalog.h"

static bool leaves(int64_t state)
{
	return state == STORE_API_DEPRECATED || state == STORE_API_RETIRED;
}

enum store_api_state store_api_state_at(const struct store_api *api, int64_t now_us)
{
	if (api->state == STORE_API_DEPRECATED && api->sunset_us && api->sunset_us <= now_us)
		return STORE_API_RETIRED;
	return (enum store_api_state)api->state;
}

gh_rc api_life_settle(struct store_api *row, const struct store_api *old, struct gh_err *err)
{
	bool given = row->deprecated_us && (!old || row->deprecated_us != old->deprecated_us);

	if (!leaves(row->state)) {
		if (given || (row->sunset_us && (!old || row->sunset_us != old->sunset_us)))
			FAIL(err, INVALID, "API '%.*s': only a deprecated or retired API has a deprecation or sunset date",
			     STR_ARG(row->id));
		row->deprecated_us = row->sunset_us = 0;
		return GH_RC_OK;
	}
	if (!row->deprecated_us)
		row->deprecated_us = clock_wall_us();
	if (!row->sunset_us || row->sunset_us >= row->deprecated_us)
		return GH_RC_OK;
	/* RFC 9745 section 4: the sunset is not earlier than the deprecation. A date that nobody chose gives way. */
	if (given)
		FAIL(err, INVALID, "API '%.*s': the sunset date is before the date of its deprecation", STR_ARG(row->id));
	row->deprecated_us = row->sunset_us;
	return GH_RC_OK;
}

gh_rc api_life_read(struct store *s, struct str id, struct store_api *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_LIFE);

	bind_str(st, 1, id);
	TRY(sql_step(s, st, found, err));
	if (!*found)
		return GH_RC_OK;
	out->state = sqlite3_column_int64(st, 0);
	out->deprecated_us = sqlite3_column_int64(st, 1);
	out->sunset_us = sqlite3_column_int64(st, 2);
	sqlite3_reset(st);
	return GH_RC_OK;
}

/* ---- events ----------------------------------------------------------------------------------------------------------- */

static gh_rc add_event(struct store *s, struct str api_id, enum store_api_event_kind kind, int64_t revision, struct str note,
		       struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_EVENT_ADD);

	bind_int(st, 1, clock_wall_us());
	bind_str(st, 2, api_id);
	bind_int(st, 3, kind);
	bind_int(st, 4, revision);
	bind_str(st, 5, note);
	return sql_done(s, st, err);
}

static gh_rc drop_events(struct store *s, struct str api_id, enum store_api_event_kind kind, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_EVENT_DROP);

	bind_str(st, 1, api_id);
	bind_int(st, 2, kind);
	return sql_done(s, st, err);
}

gh_rc api_life_note(struct store *s, const struct store_api *row, const struct store_api *old, struct gh_err *err)
{
	static const enum store_api_event_kind kinds[] = {
		[STORE_API_PUBLISHED] = STORE_EVENT_PUBLISHED, [STORE_API_DEPRECATED] = STORE_EVENT_DEPRECATED,
		[STORE_API_RETIRED] = STORE_EVENT_RETIRED,     [STORE_API_PREVIEW] = STORE_EVENT_PREVIEW,
	};
	sqlite3_stmt *st = sql_use(s, SQL_API_EVENT_HAS);
	enum store_api_event_kind kind;
	int64_t ignored;
	bool has;

	if (old && old->state == row->state)
		return GH_RC_OK;
	if (!leaves(row->state)) {
		TRY(drop_events(s, row->id, STORE_EVENT_DEPRECATED, err));
		TRY(drop_events(s, row->id, STORE_EVENT_RETIRED, err));
	}
	if (row->state == STORE_API_DRAFT || row->state < 0 || row->state >= (int64_t)ARRAY_LEN(kinds))
		return GH_RC_OK;
	kind = kinds[row->state];
	bind_str(st, 1, row->id);
	bind_int(st, 2, kind);
	TRY(find_int(s, st, &ignored, &has, err));
	return has ? GH_RC_OK : add_event(s, row->id, kind, row->revision ? row->revision : 1, STR(""), err);
}

gh_rc api_life_note_revision(struct store *s, struct str api_id, int64_t revision, struct gh_err *err)
{
	char text[STORE_EVENT_NOTE_MAX];
	sqlite3_stmt *st = sql_use(s, SQL_REVISION_TEXT);
	struct str note = STR("");
	bool row;

	bind_str(st, 1, api_id);
	bind_int(st, 2, revision);
	TRY(sql_step(s, st, &row, err));
	if (row) {
		struct str all = { (const char *)sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0) };

		note = str_first(all.p ? all : STR(""), sizeof(text));
		while (note.n < all.n && note.n && ((unsigned char)all.p[note.n] & 0xc0) == 0x80)
			note.n--;        /* no half character */
		memcpy(text, note.p, note.n);
		note.p = text;
		sqlite3_reset(st);
	}
	return add_event(s, api_id, STORE_EVENT_REVISION, revision, note, err);
}

/* ---- tags ------------------------------------------------------------------------------------------------------------- */

static gh_rc clear_tags(struct store *s, struct str api_id, int64_t origin, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_TAGS_CLEAR);

	bind_str(st, 1, api_id);
	bind_int(st, 2, origin);
	return sql_done(s, st, err);
}

gh_rc api_tags_refresh(struct store *s, struct str api_id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_TAGS_OF_OPERATIONS);

	TRY(clear_tags(s, api_id, 1, err));
	bind_str(st, 1, api_id);
	return sql_done(s, st, err);
}

gh_rc api_rules_refresh(struct store *s, struct str api_id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CACHE_RULE_DROP_ORPHANS);

	bind_str(st, 1, api_id);
	return sql_done(s, st, err);
}

GH_RC store_operation_anywhere(struct store *s, struct str api_id, struct str id, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_OPERATION_ANYWHERE);
	int64_t one;

	bind_str(st, 1, api_id);
	bind_str(st, 2, id);
	return find_int(s, st, &one, found, err);
}

static gh_rc check_tag(struct str api_id, struct str tag, struct gh_err *err)
{
	bool fine = tag.n > 0 && tag.n <= STORE_TAG_MAX && utf8_valid(tag);

	for (size_t i = 0; i < tag.n; i++)
		fine = fine && (unsigned char)tag.p[i] >= ' ' && tag.p[i] != 0x7f;
	if (!fine)
		FAIL(err, INVALID, "API '%.*s': a tag is a text of 1 to %d bytes without control characters", STR_ARG(api_id),
		     STORE_TAG_MAX);
	return GH_RC_OK;
}

static void tags_json(struct buf *b, const struct str *tags, size_t n)
{
	buf_cstr(b, "{\"tags\":[");
	for (size_t i = 0; i < n; i++) {
		buf_cstr(b, i ? "," : "");
		buf_json(b, tags[i]);
	}
	buf_cstr(b, "]}");
}

GH_RC store_api_tags_set(struct store *s, struct str api_id, const struct str *tags, size_t n, struct gh_err *err)
{
	struct store_api now = { .id = api_id };
	struct buf detail;
	bool found;
	gh_rc rc;

	TRY(change_begin(s, err));
	if (n > STORE_TAGS_MAX)
		FAIL(err, LIMIT, "API '%.*s': an API has at most %d tags", STR_ARG(api_id), STORE_TAGS_MAX);
	TRY(api_life_read(s, api_id, &now, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no API '%.*s'", STR_ARG(api_id));
	TRY(clear_tags(s, api_id, 0, err));
	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *st = sql_use(s, SQL_API_TAG_ADD);

		TRY(check_tag(api_id, tags[i], err));
		bind_str(st, 1, api_id);
		bind_str(st, 2, tags[i]);
		TRY(sql_done(s, st, err));
	}
	buf_init(&detail, 4096);
	tags_json(&detail, tags, n);
	rc = change_note(s, &(struct change){ .action = "set", .kind = "tags of API", .id = api_id, .detail = buf_view(&detail),
					      .raises = RAISES_CONFIG }, err);
	buf_release(&detail);
	return rc;
}

static const struct field tag_fields[] = { FIELD(store_tag, TEXT, tag), FIELD(store_tag, INT, of_operations) };
const struct row_type api_tag_type = ROW_TYPE("tag", store_tag, tag_fields);

GH_RC store_api_tags(struct store *s, struct arena *a, struct str api_id, struct store_tag **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_TAGS_OF);

	bind_str(st, 1, api_id);
	return list_rows(s, st, &api_tag_type, a, out, n, err);
}
